import Tensors

/// The moves made so far. Long paths thin out: every second point of the older part goes.
///
/// A copy is cheap (states are copied before each move): full chunks are shared, and only the open one is written.
struct Path {
  struct Point {
    /// Nil when a param was assigned and nothing was evaluated.
    var value: Double?
    var gradientNorm: Double?
    var params: [String: Tensor]
  }

  /// Moves made, also those thinned out.
  private(set) var count = 0
  private var sealed: [[Point]] = []
  private var open: [Point] = []
  static let limit = 4096
  /// Params with more entries than this are not kept with the points.
  static let entryLimit = 1024
  private static let chunk = 64

  var isEmpty: Bool { sealed.isEmpty && open.isEmpty }

  /// The points that are kept, oldest first.
  var points: [Point] { sealed.flatMap { $0 } + open }

  mutating func append(_ point: Point) {
    open.append(point)
    count += 1
    guard open.count == Self.chunk else { return }
    sealed.append(open)
    open = []
    if sealed.count * Self.chunk > Self.limit { thinOut() }
  }

  private mutating func thinOut() {
    let all = points
    let recent = all.count / 2
    rebuild(all[..<recent].enumerated().filter { $0.offset % 2 == 0 }.map(\.element) + all[recent...])
  }

  private mutating func rebuild(_ points: [Point]) {
    sealed = []
    var rest = points[...]
    while rest.count >= Self.chunk {
      sealed.append(Array(rest.prefix(Self.chunk)))
      rest = rest.dropFirst(Self.chunk)
    }
    open = Array(rest)
  }

  mutating func removeLast(_ n: Int) {
    count = max(0, count - n)
    if n <= open.count {
      open.removeLast(n)
    } else {
      rebuild(points.dropLast(n))
    }
  }

  mutating func clear() { self = Path() }
}
