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
  private typealias Axis = (size: Int, step: Place)
  /// Axes outermost first; entries of the last one follow each other in the innermost loop.
  private let outer: [Axis]
  /// An axis that the table is the same along.
  private let rows: Axis
  private let inner: Axis
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
    let none: Axis = (size: 1, step: Place(dense: 0, indexed: 0, table: 0))
    inner = axes.popLast() ?? none
    rows = axes.lastIndex { $0.step.table == 0 }.map { axes.remove(at: $0) } ?? none
    outer = axes
    let reads =
      [buffers.table] + (direction == .gather ? [buffers.indexed] : [buffers.dense, buffers.indexed])
    super.init(reads: reads, writes: [direction == .gather ? buffers.dense : buffers.indexed])
  }

  override func run(_ memory: Memory) throws {
    switch memory.precision {
    case .f64: try run(memory, Double.self, gather: hk_gather_f64, scatterAdd: hk_scatter_add_f64)
    case .f32: try run(memory, Float.self, gather: hk_gather_f32, scatterAdd: hk_scatter_add_f32)
    }
  }

  private typealias Kernel<T, Indexed, Dense> = (
    UnsafePointer<hk_indexed>?, Indexed, UnsafePointer<T>?, Dense
  ) -> Int64

  private func run<T: TensorScalar>(
    _ memory: Memory, _: T.Type, gather: Kernel<T, UnsafePointer<T>?, UnsafeMutablePointer<T>?>,
    scatterAdd: Kernel<T, UnsafeMutablePointer<T>?, UnsafePointer<T>?>
  ) throws {
    guard !isEmpty else { return }
    let dense = memory.pointer(buffers.dense, T.self)
    let indexed = memory.pointer(buffers.indexed, T.self)
    let table = memory.pointer(buffers.table, T.self)
    var entries = hk_indexed(
      count: Int64(inner.size), dense: Int64(inner.step.dense), indexed: Int64(inner.step.indexed),
      table: Int64(inner.step.table), stride: Int64(stride), extent: Int64(extent), rows: Int64(rows.size),
      dense_row: Int64(rows.step.dense), indexed_row: Int64(rows.step.indexed))
    for part in 0..<outer.reduce(1, { $0 * $1.size }) {
      let at = place(part)
      let (values, places, to) = (indexed + at.indexed, table + at.table, dense + at.dense)
      let done =
        direction == .gather
        ? gather(&entries, values, places, to) : scatterAdd(&entries, values, places, to)
      // What is no whole number of a place.
      if done < entries.count {
        throw EngineError.index(Double(places[Int(done) * inner.step.table]), size: extent)
      }
    }
  }

  /// Where the rows at one place of the outer axes begin, places counted row-major.
  private func place(_ part: Int) -> Place {
    var (at, part) = (start, part)
    for axis in outer.reversed() {
      let k = part % axis.size
      part /= axis.size
      at.dense += k * axis.step.dense
      at.indexed += k * axis.step.indexed
      at.table += k * axis.step.table
    }
    return at
  }

  override var summary: String { direction == .gather ? "gather → b\(writes[0])" : "scatter → b\(writes[0])" }
}
