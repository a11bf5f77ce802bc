import CKernels
import Tensors

/// A strided array with an index tensor in place of one label: out[l…, j…] = in[l…, t[j…]], or the transpose.
final class IndexedInstruction: Instruction {
  enum Direction { case gather, scatterAdd }

  /// Where an entry lies on the dense side, on the indexed side (without the index) and in the index tensor; or by how
  /// much each of them moves.
  private struct Place {
    var dense, indexed, table: Int
  }

  private let direction: Direction
  private let buffers: Place
  private let start: Place
  /// Axes outermost first; entries of the last one follow each other in the innermost loop.
  private let outer: [(size: Int, step: Place)]
  private let inner: (size: Int, step: Place)
  private let isEmpty: Bool
  /// Stride and size of the indexed axis.
  private let stride: Int
  private let extent: Int

  init(
    _ direction: Direction, sizes: [Int], dense: hk_access, indexed: hk_access, table: hk_access, stride: Int,
    extent: Int
  ) {
    self.direction = direction
    self.stride = stride
    self.extent = extent
    buffers = Place(dense: Int(dense.buffer), indexed: Int(indexed.buffer), table: Int(table.buffer))
    start = Place(dense: Int(dense.offset), indexed: Int(indexed.offset), table: Int(table.offset))
    isEmpty = sizes.contains(0)
    var axes = sizes.indices.filter { sizes[$0] > 1 }.map { axis in
      (
        size: sizes[axis],
        step: Place(
          dense: dense[stride: axis], indexed: indexed[stride: axis], table: table[stride: axis])
      )
    }
    inner = axes.popLast() ?? (size: 1, step: Place(dense: 0, indexed: 0, table: 0))
    outer = axes
    let reads =
      [buffers.table] + (direction == .gather ? [buffers.indexed] : [buffers.dense, buffers.indexed])
    super.init(reads: reads, writes: [direction == .gather ? buffers.dense : buffers.indexed])
  }

  override func run(_ memory: Memory) throws {
    switch memory.precision {
    case .f64: try run(memory, Double.self)
    case .f32: try run(memory, Float.self)
    }
  }

  private func run<T: TensorScalar>(_ memory: Memory, _: T.Type) throws {
    guard !isEmpty else { return }
    let dense = memory.pointer(buffers.dense, T.self)
    let indexed = memory.pointer(buffers.indexed, T.self)
    let table = memory.pointer(buffers.table, T.self)
    for row in 0..<outer.reduce(1, { $0 * $1.size }) {
      var at = place(row)
      switch direction {
      case .gather:
        for _ in 0..<inner.size {
          dense[at.dense] = indexed[at.indexed + (try index(table[at.table])) * stride]
          advance(&at)
        }
      case .scatterAdd:
        for _ in 0..<inner.size {
          indexed[at.indexed + (try index(table[at.table])) * stride] += dense[at.dense]
          advance(&at)
        }
      }
    }
  }

  @inline(__always)
  private func advance(_ at: inout Place) {
    at.dense += inner.step.dense
    at.indexed += inner.step.indexed
    at.table += inner.step.table
  }

  /// Where a row of the innermost axis begins, rows counted row-major.
  private func place(_ row: Int) -> Place {
    var (at, row) = (start, row)
    for axis in outer.reversed() {
      let k = row % axis.size
      row /= axis.size
      at.dense += k * axis.step.dense
      at.indexed += k * axis.step.indexed
      at.table += k * axis.step.table
    }
    return at
  }

  /// The place that an entry of the index tensor names; negative ones count from the end.
  @inline(__always)
  private func index<T: TensorScalar>(_ value: T) throws -> Int {
    // Whole numbers of this size are exact in both directions; NaN is not among them.
    let value = Double(value)
    guard value.magnitude < 0x1p53 else { throw EngineError.index(value, size: extent) }
    let whole = Int(value)
    let place = whole < 0 ? whole + extent : whole
    guard Double(whole) == value, place >= 0, place < extent else {
      throw EngineError.index(value, size: extent)
    }
    return place
  }

  override var summary: String { direction == .gather ? "gather → b\(writes[0])" : "scatter → b\(writes[0])" }
}
