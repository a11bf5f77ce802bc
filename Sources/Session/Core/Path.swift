import Tensors

/// The moves made so far. Long paths thin out: of the older part every second point goes, save for those far from the
/// middle of their neighbours.
///
/// A copy is cheap (states are copied before each move): chunks of points are shared. A chunk is a log: who has seen
/// all of it goes on writing there, who has not (after `undo`) copies what he has seen first.
struct Path {
  struct Point {
    /// Moves made before it.
    var number: Int
    /// Nil when a param was assigned and nothing was evaluated.
    var value: Double?
    var gradientNorm: Double?
    var params: [String: Tensor]
  }

  /// What the numbers of a point are: entries of params, one after another.
  final class Layout {
    let names: [String]
    let shapes: [Shape]
    let precision: Precision
    let count: Int
    /// Points of a chunk, and chunks that are kept: fewer where points are large, so that a path stays within some tens
    /// of megabytes.
    let chunk: Int
    let chunkLimit: Int

    init(names: [String], shapes: [Shape], precision: Precision) {
      self.names = names
      self.shapes = shapes
      self.precision = precision
      count = shapes.reduce(0) { $0 + $1.elementCount }
      let bytes = 8 * (count + Chunk.head)
      chunk = min(max(Path.chunkBytes / bytes, 1), Path.longestChunk)
      chunkLimit = min(max(Path.byteLimit / bytes, 32), Path.limit) / chunk
    }
  }

  /// Moves made, also those thinned out.
  private(set) var count = 0
  private var sealed: [Chunk] = []
  private var open: Chunk?
  /// Points of the open chunk that belong to this path.
  private var openCount = 0
  static let limit = 4096
  /// Params with more entries than this are not kept with the points.
  static let entryLimit = 1 << 17
  fileprivate static let (longestChunk, chunkBytes, byteLimit) = (64, 1 << 20, 40 << 20)

  var isEmpty: Bool { sealed.isEmpty && openCount == 0 }

  /// The points that are kept, oldest first.
  var points: [Point] {
    sealed.flatMap { chunk in (0..<chunk.used).map { chunk.point($0) } }
      + (open.map { chunk in (0..<openCount).map { chunk.point($0) } } ?? [])
  }

  var keptCount: Int { sealed.reduce(openCount) { $0 + $1.used } }

  /// Adds a point, whose entries `fill` writes.
  mutating func append(
    value: Double?, gradientNorm: Double?, _ layout: Layout, _ fill: (UnsafeMutablePointer<Double>) -> Void
  ) {
    let chunk = place(layout)
    chunk.append(number: count, value: value, gradientNorm: gradientNorm, fill)
    openCount += 1
    count += 1
    guard openCount == layout.chunk else { return }
    seal()
    if sealed.count > layout.chunkLimit { thinOut() }
  }

  /// What was found out about the last point after it was noted.
  mutating func describeLast(value: Double?, gradientNorm: Double?) {
    guard openCount > 0 else {
      // A sealed chunk may be part of other paths; the same move leads to the same point there.
      sealed.last?.describeLast(value: value, gradientNorm: gradientNorm)
      return
    }
    if open?.used != openCount { open = open?.copy(first: openCount) }
    open?.describeLast(value: value, gradientNorm: gradientNorm)
  }

  /// The chunk to write to, with room for one more point of this layout.
  private mutating func place(_ layout: Layout) -> Chunk {
    if let chunk = open, chunk.layout === layout {
      if chunk.used == openCount { return chunk }
      let copied = chunk.copy(first: openCount)
      open = copied
      return copied
    }
    seal()
    let fresh = Chunk(layout)
    open = fresh
    return fresh
  }

  private mutating func seal() {
    if let chunk = open, openCount > 0 {
      sealed.append(chunk.used == openCount ? chunk : chunk.copy(first: openCount))
    }
    open = nil
    openCount = 0
  }

  private mutating func thinOut() {
    let old = sealed
    let recent = old.count / 2
    let corners = Chunk.corners(of: old[..<recent])
    sealed = []
    var place = 0
    for chunk in old[..<recent] {
      for row in 0..<chunk.used {
        if place % 2 == 0 || corners[place] { copy(chunk, row) }
        place += 1
      }
    }
    seal()
    sealed += old[recent...]
  }

  private mutating func copy(_ chunk: Chunk, _ row: Int) {
    place(chunk.layout).append(copying: chunk, row)
    openCount += 1
    if openCount == chunk.layout.chunk { seal() }
  }

  mutating func removeLast(_ n: Int) {
    count = max(0, count - n)
    var rest = n
    while rest > 0 {
      if openCount == 0 {
        guard let last = sealed.popLast() else { return }
        (open, openCount) = (last, last.used)
      }
      let removed = min(rest, openCount)
      openCount -= removed
      rest -= removed
    }
  }

  mutating func clear() { self = Path() }
}

/// Up to `layout.chunk` points in flat memory.
private final class Chunk {
  let layout: Path.Layout
  private(set) var used = 0
  /// Number, value, norm of the gradient, which of these two are known, entries of the params: a row each.
  private let rows: UnsafeMutablePointer<Double>
  private let width: Int
  /// Numbers before the entries.
  fileprivate static let head = 4

  init(_ layout: Path.Layout) {
    self.layout = layout
    width = layout.count + Self.head
    rows = .allocate(capacity: width * layout.chunk)
  }

  deinit { rows.deallocate() }

  func append(
    number: Int, value: Double?, gradientNorm: Double?, _ fill: (UnsafeMutablePointer<Double>) -> Void
  ) {
    fill(entries(used))
    rows[used * width] = Double(number)
    describe(used, value, gradientNorm)
    used += 1
  }

  func append(copying other: Chunk, _ row: Int) {
    (rows + used * width).update(from: other.rows + row * width, count: width)
    used += 1
  }

  func describeLast(value: Double?, gradientNorm: Double?) { describe(used - 1, value, gradientNorm) }

  private func describe(_ row: Int, _ value: Double?, _ gradientNorm: Double?) {
    guard row >= 0 else { return }
    let numbers = rows + row * width
    numbers[1] = value ?? 0
    numbers[2] = gradientNorm ?? 0
    numbers[3] = (value == nil ? 0 : 1) + (gradientNorm == nil ? 0 : 2)
  }

  private func entries(_ row: Int) -> UnsafeMutablePointer<Double> { rows + row * width + Self.head }

  /// Marks those of every second point that lie farthest from the middle of their neighbours: by more than a hundredth of
  /// what all span, and not more than an eighth of them. A few long moves among many short ones stay in the picture.
  static func corners(of chunks: ArraySlice<Chunk>) -> [Bool] {
    let count = chunks.reduce(0) { $0 + $1.used }
    var marks = [Bool](repeating: false, count: count)
    guard let layout = chunks.first?.layout, chunks.allSatisfy({ $0.layout === layout }) else { return marks }
    let size = layout.count
    withExtendedLifetime(chunks) {
      let points = chunks.flatMap { chunk in (0..<chunk.used).map { UnsafePointer(chunk.entries($0)) } }
      var extent = 0.0
      for k in stride(from: 8, to: count, by: 8) {
        extent = max(extent, deviation(size, points[k], points[0], points[0]))
      }
      var far: [(place: Int, deviation: Double)] = []
      for k in stride(from: 1, to: count - 1, by: 2) {
        let found = deviation(size, points[k], points[k - 1], points[k + 1])
        if found > 1e-4 * extent { far.append((k, found)) }
      }
      if far.count > count / 8 { far.sort { $0.deviation > $1.deviation } }
      for item in far.prefix(count / 8) { marks[item.place] = true }
    }
    return marks
  }

  /// The largest squared difference of an entry from the middle of two others.
  private static func deviation(
    _ count: Int, _ point: UnsafePointer<Double>, _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>
  ) -> Double {
    func four(_ entries: UnsafePointer<Double>, _ i: Int) -> SIMD4<Double> {
      UnsafeRawPointer(entries + i).loadUnaligned(as: SIMD4<Double>.self)
    }
    var (largest, i) = (SIMD4<Double>.zero, 0)
    while i + 4 <= count {
      let d = four(point, i) - 0.5 * (four(a, i) + four(b, i))
      largest = pointwiseMax(largest, d * d)
      i += 4
    }
    var result = largest.max()
    while i < count {
      let d = point[i] - 0.5 * (a[i] + b[i])
      result = max(result, d * d)
      i += 1
    }
    return result
  }

  func copy(first count: Int) -> Chunk {
    let copy = Chunk(layout)
    for row in 0..<count { copy.append(copying: self, row) }
    return copy
  }

  func point(_ row: Int) -> Path.Point {
    let start = rows + row * width
    var params: [String: Tensor] = [:]
    var offset = Self.head
    for (name, shape) in zip(layout.names, layout.shapes) {
      let entries = Array(UnsafeBufferPointer(start: start + offset, count: shape.elementCount))
      params[name] = Tensor(entries, shape, layout.precision)
      offset += shape.elementCount
    }
    let known = Int(start[3])
    return Path.Point(
      number: Int(start[0]), value: known & 1 != 0 ? start[1] : nil,
      gradientNorm: known & 2 != 0 ? start[2] : nil, params: params)
  }
}

extension Tensor {
  /// Writes the entries as doubles.
  func copy(to target: UnsafeMutablePointer<Double>) {
    switch precision {
    case .f64: withEntries(Double.self) { for i in 0..<$0.count { target[i] = $0[i] } }
    case .f32: withEntries(Float.self) { for i in 0..<$0.count { target[i] = Double($0[i]) } }
    }
  }
}
