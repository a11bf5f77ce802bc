/// A symbolic 0/1 tensor: the indicator of an affine image of a box. It is 1 at the points
/// `starts[k] + Σₚ steps[k][p]·t[p]` (one coordinate k an axis) for t in the box `extents`, each reached once.
/// Identity, slices, strides, shifts, placement, flattening and reshaping are all of this form.
public struct Selector: Hashable, Sendable {
  public var extents: [Int]
  public var starts: [Int]
  public var steps: [[Int]]

  public init(extents: [Int], starts: [Int], steps: [[Int]]) {
    self.extents = extents
    self.starts = starts
    self.steps = steps
  }

  public var rank: Int { starts.count }

  /// δ(i, j) over n.
  public static func identity(_ n: Int) -> Selector {
    Selector(extents: [n], starts: [0, 0], steps: [[1], [1]])
  }

  /// 1 at one place of an axis.
  public static func oneHot(_ place: Int) -> Selector { Selector(extents: [], starts: [place], steps: [[]]) }

  /// δ(i ↔ start + step·j) for j in 0..<count; axes (i, j).
  public static func slice(start: Int, step: Int, count: Int) -> Selector {
    Selector(extents: [count], starts: [start, 0], steps: [[step], [1]])
  }

  /// δ(i ↔ offset + row-major position of (j…)) for j in `shape`; axes (i, j…).
  public static func flatten(offset: Int = 0, _ shape: [Int]) -> Selector {
    let strides = shape.rowMajorStrides
    let rows: [[Int]] = shape.indices.map { axis in shape.indices.map { $0 == axis ? 1 : 0 } }
    return Selector(extents: shape, starts: [offset] + shape.map { _ in 0 }, steps: [strides] + rows)
  }

  /// True for δ(i, j) on a square.
  public func isIdentity(_ shape: [Int]) -> Bool {
    rank == 2 && extents.count == 1 && starts == [0, 0] && steps == [[1], [1]] && shape[0] == extents[0]
      && shape[1] == extents[0]
  }

  /// True when axis `k` takes every place of its size exactly once (given one parameter, or mixed radix).
  public func covers(axis k: Int, size: Int) -> Bool {
    extents.elementCount == size && starts[k] == 0 && steps[k] == extents.rowMajorStrides
  }

  /// The parameter that axis `k` is, when it is one parameter and takes every place.
  public func renamedParameter(axis k: Int, size: Int) -> Int? {
    let moving = extents.indices.filter { steps[k][$0] != 0 }
    guard starts[k] == 0, moving.count == 1, steps[k][moving[0]] == 1, extents[moving[0]] == size else {
      return nil
    }
    return moving[0]
  }

  /// The least and greatest place that axis `k` takes.
  func reach(axis k: Int) -> ClosedRange<Int> {
    var (low, high) = (starts[k], starts[k])
    for (step, n) in zip(steps[k], extents) {
      if step < 0 { low += step * (n - 1) } else { high += step * (n - 1) }
    }
    return low...high
  }

  /// Parameters of extent 1 removed.
  func simplified() -> Selector {
    guard extents.contains(1) else { return self }
    let kept = extents.indices.filter { extents[$0] != 1 }
    return Selector(
      extents: kept.map { extents[$0] }, starts: starts, steps: steps.map { row in kept.map { row[$0] } })
  }

  /// The axes `kept`, in that order.
  func axes(_ kept: [Int]) -> Selector {
    Selector(extents: extents, starts: kept.map { starts[$0] }, steps: kept.map { steps[$0] })
  }

  /// Σ over a shared axis of `self` (its axis a) times `other` (its axis b): the axes that remain of both, or nil
  /// when the product is not of this form. An empty intersection gives extents that hold a zero.
  func composed(_ a: Int, _ other: Selector, _ b: Int) -> Selector? {
    let mine = (0..<rank).filter { $0 != a }
    let theirs = (0..<other.rank).filter { $0 != b }
    if extents == other.extents && starts[a] == other.starts[b] && steps[a] == other.steps[b]
      && isInjective(steps[a])
    {
      return Selector(
        extents: extents, starts: mine.map { starts[$0] } + theirs.map { other.starts[$0] },
        steps: mine.map { steps[$0] } + theirs.map { other.steps[$0] })
    }
    guard extents.count <= 1, other.extents.count <= 1 else { return nil }
    let (s1, d1, n1) = progression(axis: a)
    let (s2, d2, n2) = other.progression(axis: b)
    guard let (t0, dt, u0, du, count) = meet(s1, d1, n1, s2, d2, n2) else { return nil }
    let one = mine.map { (starts[$0] + (steps[$0].first ?? 0) * t0, (steps[$0].first ?? 0) * dt) }
    let two = theirs.map {
      (other.starts[$0] + (other.steps[$0].first ?? 0) * u0, (other.steps[$0].first ?? 0) * du)
    }
    return Selector(
      extents: [count], starts: (one + two).map(\.0), steps: (one + two).map { [$0.1] })
  }

  /// A slice whose axis `k` is cut to the places from `offset` on, as many as `shape` has, and unflattened into axes of
  /// that shape; extents hold a zero when the slice has none of them. Nil when it has some, or is no slice.
  public func cut(axis k: Int, offset: Int, _ shape: [Int]) -> Selector? {
    guard extents.count == 1, steps[k] == [1], rank > 1 else { return nil }
    let skipped = offset - starts[k]
    let count = shape.elementCount
    if skipped + count <= 0 || skipped >= extents[0] {
      let axes = rank - 1 + shape.count
      return Selector(
        extents: [0], starts: Array(repeating: 0, count: axes), steps: Array(repeating: [0], count: axes))
    }
    guard skipped >= 0, skipped + count <= extents[0],
      steps.indices.contains(where: { $0 != k && steps[$0] != [0] })
    else { return nil }
    let strides = shape.rowMajorStrides
    let before = 0..<k
    let after = (k + 1)..<rank
    func start(_ axis: Int) -> Int { starts[axis] + steps[axis][0] * skipped }
    func row(_ axis: Int) -> [Int] { strides.map { steps[axis][0] * $0 } }
    let own = shape.indices.map { axis in shape.indices.map { $0 == axis ? 1 : 0 } }
    return Selector(
      extents: shape, starts: before.map(start) + shape.map { _ in 0 } + after.map(start),
      steps: before.map(row) + own + after.map(row))
  }

  private func progression(axis: Int) -> (start: Int, step: Int, count: Int) {
    (starts[axis], steps[axis].first ?? 0, extents.first ?? 1)
  }

  /// Mixed radix: the axis alone determines the parameters.
  func isInjective(_ steps: [Int]) -> Bool {
    var reach = 1
    for p in steps.indices.sorted(by: { steps[$0].magnitude < steps[$1].magnitude }) where extents[p] > 1 {
      if steps[p].magnitude < reach { return false }
      reach = reach + Int(steps[p].magnitude) * (extents[p] - 1)
    }
    return true
  }
}

/// All (t, u) with s1 + d1·t = s2 + d2·u, 0 ≤ t < n1, 0 ≤ u < n2, as a progression t = t0 + dt·v, u = u0 + du·v.
/// Nil when an axis does not move (step 0 with more than one point).
func meet(_ s1: Int, _ d1: Int, _ n1: Int, _ s2: Int, _ d2: Int, _ n2: Int)
  -> (t0: Int, dt: Int, u0: Int, du: Int, count: Int)?
{
  let none = (t0: 0, dt: 0, u0: 0, du: 0, count: 0)
  if n1 == 0 || n2 == 0 { return none }
  if n1 == 1 || n2 == 1 {
    if n1 > 1 && d1 == 0 || n2 > 1 && d2 == 0 { return nil }
    let fixed = n1 == 1 ? s1 : s2
    let (s, d, n) = n1 == 1 ? (s2, d2, n2) : (s1, d1, n1)
    if n == 1 { return fixed == s ? (0, 0, 0, 0, 1) : none }
    guard (fixed - s) % d == 0, (fixed - s) / d >= 0, (fixed - s) / d < n else { return none }
    return n1 == 1 ? (0, 0, (fixed - s) / d, 0, 1) : ((fixed - s) / d, 0, 0, 0, 1)
  }
  guard d1 != 0, d2 != 0 else { return nil }
  let g = gcd(d1, d2)
  guard (s2 - s1) % g == 0 else { return none }
  let dt = d2 / g
  let du = d1 / g
  // The least t ≥ 0 that hits; the count of steps is small (at most |dt|).
  var t0 = 0
  while t0 < Int(dt.magnitude) && (s1 + d1 * t0 - s2) % d2 != 0 { t0 += 1 }
  if t0 == Int(dt.magnitude) { return none }
  let u = (s1 + d1 * t0 - s2) / d2
  let sign = dt > 0 ? 1 : -1
  return clip(t0, dt * sign, n1, u, du * sign, n2)
}

/// Restricts v ≥ 0-or-negative so that both t0 + dt·v in 0..<n1 (dt > 0) and u0 + du·v in 0..<n2.
private func clip(_ t0: Int, _ dt: Int, _ n1: Int, _ u0: Int, _ du: Int, _ n2: Int)
  -> (t0: Int, dt: Int, u0: Int, du: Int, count: Int)
{
  func floorDiv(_ a: Int, _ b: Int) -> Int {
    let (quotient, rest) = a.quotientAndRemainder(dividingBy: b)
    return rest < 0 ? quotient - 1 : quotient
  }
  var low = 0
  var high = floorDiv(n1 - 1 - t0, dt)
  let a = du > 0 ? -floorDiv(u0, du) : -floorDiv(n2 - 1 - u0, -du)
  let b = du > 0 ? floorDiv(n2 - 1 - u0, du) : floorDiv(u0, -du)
  low = max(low, a)
  high = min(high, b)
  let count = max(0, high - low + 1)
  return (t0 + dt * low, dt, u0 + du * low, du, count)
}

func gcd(_ a: Int, _ b: Int) -> Int {
  var (x, y) = (Int(a.magnitude), Int(b.magnitude))
  while y != 0 { (x, y) = (y, x % y) }
  return x
}
