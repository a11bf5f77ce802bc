import Graph
import Tensors

/// The arrays that tiles read parts of.
final class TileSources: @unchecked Sendable {
  private let tile: [Int]
  private let sizes: [Int]
  private let precision: Precision
  private let arrays: [NodeID: (shape: Shape, pointer: UnsafeMutableRawPointer)]
  /// Those that are read as a whole, as tensors over the same memory.
  private let whole: [NodeID: Tensor]

  init(_ reduction: TiledReduction, _ buffers: [NodeID: Int], _ memory: Memory, tile: [Int]) {
    self.tile = tile
    sizes = reduction.tileClasses.map(\.size)
    precision = memory.precision
    var arrays: [NodeID: (shape: Shape, pointer: UnsafeMutableRawPointer)] = [:]
    for (node, buffer) in buffers {
      arrays[node] = (
        reduction.graph.shape(node), UnsafeMutableRawPointer(memory.pointer(buffer, UInt8.self))
      )
    }
    self.arrays = arrays
    whole = arrays.mapValues { Tensor(viewing: $0.pointer, $0.shape, memory.precision) }
  }

  /// What a tile reads for an input; `places` are those of the tile and its images.
  func value(_ input: TileInput, _ places: [[Int]]) -> Tensor {
    guard input.axes.contains(where: { $0 != nil }), let source = arrays[input.node] else {
      return whole[input.node] ?? Tensor([], [0], precision)
    }
    let place = places[input.place]
    let ranges = zip(source.shape, input.axes).map { n, c -> Range<Int> in
      guard let c else { return 0..<n }
      let start = place[c] * tile[c]
      return start..<min(start + tile[c], sizes[c])
    }
    switch precision {
    case .f64: return part(source.pointer.assumingMemoryBound(to: Double.self), source.shape, ranges)
    case .f32: return part(source.pointer.assumingMemoryBound(to: Float.self), source.shape, ranges)
    }
  }

  private func part<T: TensorScalar>(
    _ source: UnsafeMutablePointer<T>, _ shape: Shape, _ ranges: [Range<Int>]
  ) -> Tensor {
    // Axes with a single place are left out of the tile's graph, and change nothing in memory.
    var result = Tensor(uninitialized: ranges.map(\.count), precision)
    let target = result.uniquePointer().assumingMemoryBound(to: T.self)
    var written = 0
    shape.forEachRun(of: ranges) { start, count in
      if count == 1 {
        target[written] = source[start]
      } else {
        (target + written).update(from: source + start, count: count)
      }
      written += count
    }
    return result
  }
}

/// A reduction as tiles add to it.
struct TileTotal {
  private let shape: Shape
  private let axes: [Int?]
  private let unknown: [Int]
  private let isMaximum: Bool
  private let tile: [Int]
  private var values: [Double]

  init(_ reduction: TiledReduction, _ exit: NodeID, tile: [Int]) {
    shape = reduction.graph.shape(exit)
    axes = reduction.axes(ofExit: exit)
    unknown = reduction.unknownClasses(ofExit: exit)
    isMaximum = reduction.isMaximum(exit)
    self.tile = tile
    values = Array(repeating: isMaximum ? -.infinity : 0, count: shape.elementCount)
  }

  /// A tile's own reduction, for the tile at `place`.
  mutating func add(_ part: Tensor, at place: [Int]) {
    guard unknown.allSatisfy({ place[$0] == 0 }) else { return }
    let box = axes.indices.map { axis -> Range<Int> in
      guard let c = axes[axis] else { return 0..<shape[axis] }
      let start = place[c] * tile[c]
      return start..<min(start + tile[c], shape[axis])
    }
    switch part.precision {
    case .f64: part.withEntries(Double.self) { merge($0, box) }
    case .f32: part.withEntries(Float.self) { merge($0, box) }
    }
  }

  private mutating func merge<T: TensorScalar>(_ part: UnsafeBufferPointer<T>, _ box: [Range<Int>]) {
    var read = 0
    let isMaximum = isMaximum
    values.withUnsafeMutableBufferPointer { values in
      shape.forEachRun(of: box) { start, count in
        for k in 0..<count {
          let x = Double(part[read + k])
          if isMaximum {
            let y = values[start + k]
            values[start + k] = x.isNaN || y.isNaN ? .nan : max(x, y)
          } else {
            values[start + k] += x
          }
        }
        read += count
      }
    }
  }

  func store(_ memory: Memory, _ buffer: Int) {
    switch memory.precision {
    case .f64:
      let target = memory.pointer(buffer, Double.self)
      for k in values.indices { target[k] = values[k] }
    case .f32:
      let target = memory.pointer(buffer, Float.self)
      for k in values.indices { target[k] = Float(values[k]) }
    }
  }
}
