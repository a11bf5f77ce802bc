import Tensors

/// The order in which a product of several tensors is multiplied out, two at a time.
public struct ContractionPath: Sendable {
  /// Each step multiplies the operands at two places of a growing list (the first `n` are the given ones) and
  /// appends the result. A single operand needs no step.
  public var steps: [(left: Int, right: Int)]
  /// Multiplications.
  public var cost: Double
  /// Entries of the largest intermediate, the result included.
  public var largest: Double
}

/// Finds contraction paths: exact by dynamic programming over subsets for few operands, greedy beyond.
public struct ContractionPlanner {
  /// Products below this many multiplications are not worth a look for symmetric operands.
  public static let pairedWork = 300_000.0
  /// Beyond this many operands the search is greedy.
  static let exactLimit = 8
  /// Beyond this many operands no subset is looked up among the known products.
  static let subsetLimit = 16

  let operands: [Set<Label>]
  let result: Set<Label>
  let sizes: [Label: Int]
  /// A penalty for each entry written, relative to a multiplication: memory is that much slower.
  let entryCost: Double = 16

  /// Whether the product of a subset (as bits) is there already, at no cost.
  let isKnown: ((Int) -> Bool)?
  /// What part of the last product of two subsets (as bits) has to be multiplied out, where a side is symmetric.
  let share: ((Int, Int) -> Double)?
  /// The result's labels as its memory walks them, outermost first; empty where that does not matter.
  let layout: [Label]

  public init(
    operands: [[Label]], result: [Label], sizes: [Label: Int], layout: [Label] = [],
    isKnown: ((Int) -> Bool)? = nil, share: ((Int, Int) -> Double)? = nil
  ) {
    self.layout = layout
    self.share = share
    self.isKnown = isKnown
    self.operands = operands.map(Set.init)
    self.result = Set(result)
    self.sizes = sizes
  }

  public func path() -> ContractionPath {
    switch operands.count {
    case 0: return ContractionPath(steps: [], cost: 1, largest: 1)
    case 1:
      return ContractionPath(steps: [], cost: volume(operands[0].union(result)), largest: volume(result))
    case ...Self.exactLimit: return exact()
    default:
      let plain = reduced([])
      let known = knownSubsets()
      guard !known.isEmpty else { return plain }
      let shorter = reduced(known)
      return shorter.cost < plain.cost ? shorter : plain
    }
  }

  private func volume(_ labels: Set<Label>) -> Double {
    var v = 1.0
    for label in labels { v *= Double(max(sizes[label] ?? 1, 1)) }
    return v
  }

  /// Labels that the product of a subset keeps: those of the result and of operands outside.
  private func kept(_ labels: Set<Label>, outside: [Set<Label>]) -> Set<Label> {
    labels.filter { label in result.contains(label) || outside.contains { $0.contains(label) } }
  }

  /// A product whose rows and columns do not each lie as one dimension of the result: it is written twice.
  private func isInterleaved(_ a: Set<Label>, _ b: Set<Label>) -> Bool {
    let sides = layout.filter { sizes[$0] ?? 1 > 1 && a.contains($0) != b.contains($0) }.map {
      a.contains($0)
    }
    return zip(sides, sides.dropFirst()).count { $0 != $1 } > 1
  }

  private func exact() -> ContractionPath {
    let n = operands.count
    let full = (1 << n) - 1
    var labels = [Set<Label>](repeating: [], count: full + 1)
    var cost = [Double](repeating: .infinity, count: full + 1)
    // Of paths that cost the same, the one with less work in batches of products: those are smaller. Of those that are
    // equal in this too, one whose result need not be written twice.
    var batched = [Double](repeating: 0, count: full + 1)
    var copies = 0
    var largest = [Double](repeating: 0, count: full + 1)
    var choice = [Int](repeating: 0, count: full + 1)
    for subset in 1...full {
      let inside = (0..<n).filter { subset >> $0 & 1 == 1 }
      let outside = (0..<n).filter { subset >> $0 & 1 == 0 }.map { operands[$0] }
      let union = inside.reduce(into: Set<Label>()) { $0.formUnion(operands[$1]) }
      if inside.count == 1 {
        labels[subset] = operands[inside[0]]
        cost[subset] = 0
        continue
      }
      labels[subset] = kept(union, outside: outside)
      let isFree = subset != full && isKnown?(subset) ?? false
      let size = volume(labels[subset])
      let lowest = subset & -subset
      var part = (subset - 1) & subset
      while part > 0 {
        defer { part = (part - 1) & subset }
        guard part & lowest != 0 else { continue }
        let rest = subset ^ part
        let work = volume(labels[part].union(labels[rest]))
        let before = cost[part] + cost[rest] + entryCost * size
        var total = isFree ? 0 : before + work
        if subset == full, let share, work >= Self.pairedWork, before + work / 4 <= cost[subset] {
          total = before + work * share(part, rest)
        }
        guard total <= cost[subset] else { continue }
        let shared = labels[part].intersection(labels[rest])
        let isBatch = !shared.isSubset(of: labels[subset]) && !shared.isDisjoint(with: labels[subset])
        let inBatches = isFree ? 0 : batched[part] + batched[rest] + (isBatch ? work : 0)
        let copied = subset == full && isInterleaved(labels[part], labels[rest]) ? 1 : 0
        if (total, inBatches, copied) < (cost[subset], batched[subset], copies) {
          copies = copied
          cost[subset] = total
          batched[subset] = inBatches
          choice[subset] = part
          largest[subset] = max(size, largest[part], largest[rest])
        }
      }
    }
    var steps: [(Int, Int)] = []
    var place: [Int: Int] = [:]
    for k in 0..<n { place[1 << k] = k }
    emit(full, choice, &place, &steps, n)
    return ContractionPath(steps: steps, cost: cost[full], largest: largest[full])
  }

  private func emit(
    _ subset: Int, _ choice: [Int], _ place: inout [Int: Int], _ steps: inout [(Int, Int)], _ n: Int
  ) {
    guard place[subset] == nil else { return }
    let part = choice[subset]
    emit(part, choice, &place, &steps, n)
    emit(subset ^ part, choice, &place, &steps, n)
    steps.append((place[part] ?? 0, place[subset ^ part] ?? 0))
    place[subset] = n + steps.count - 1
  }

  // MARK: Many operands

  private typealias Live = [(place: Int, labels: Set<Label>)]

  /// Known products are taken first, then what walks no other labels than some other operand joins that, until the
  /// exact search is affordable; what remains too many is left to the greedy one.
  private func reduced(_ known: [Int]) -> ContractionPath {
    var live: Live = operands.enumerated().map { ($0, $1) }
    var path = ContractionPath(steps: [], cost: 0, largest: 0)
    for subset in known { join(subset, &live, &path) }
    while live.count > Self.exactLimit, let (i, j) = narrowest(live) { multiply(i, j, &live, &path) }
    guard live.count > 1 else { return path }
    let rest = ContractionPlanner(
      operands: live.map { Array($0.labels) }, result: Array(result), sizes: sizes)
    let tail = live.count <= Self.exactLimit ? rest.exact() : rest.greedy()
    let start = operands.count + path.steps.count
    func place(_ k: Int) -> Int { k < live.count ? live[k].place : start + k - live.count }
    path.steps += tail.steps.map { (place($0.left), place($0.right)) }
    path.cost += tail.cost
    path.largest = max(path.largest, tail.largest)
    return path
  }

  /// Disjoint subsets whose products are there already, the largest first; among very many operands they are not
  /// sought.
  private func knownSubsets() -> [Int] {
    guard let isKnown, operands.count <= Self.subsetLimit else { return [] }
    let all = (1..<((1 << operands.count) - 1)).filter { $0.nonzeroBitCount > 1 && isKnown($0) }
    var taken = 0
    return all.sorted { ($1.nonzeroBitCount, $0) < ($0.nonzeroBitCount, $1) }.filter { subset in
      guard taken & subset == 0 else { return false }
      taken |= subset
      return true
    }
  }

  /// Puts the product of a known subset in the place of its factors. The steps that lead to it cost nothing.
  private func join(_ subset: Int, _ live: inout Live, _ path: inout ContractionPath) {
    func isInside(_ place: Int) -> Bool { place < operands.count && subset >> place & 1 == 1 }
    let members = live.filter { isInside($0.place) }
    live.removeAll { isInside($0.place) }
    var place = members[0].place
    for member in members.dropFirst() {
      path.steps.append((place, member.place))
      place = operands.count + path.steps.count - 1
    }
    let union = members.reduce(into: Set<Label>()) { $0.formUnion($1.labels) }
    live.append((place, kept(union, outside: live.map(\.labels))))
  }

  /// Two operands of which the first has no label but those of the second, the smallest.
  private func narrowest(_ live: Live) -> (Int, Int)? {
    var best: (i: Int, j: Int, volume: Double)?
    for i in live.indices {
      for j in live.indices where j != i && live[i].labels.isSubset(of: live[j].labels) {
        let volume = volume(live[j].labels)
        if volume < best?.volume ?? .infinity { best = (i, j, volume) }
      }
    }
    return best.map { ($0.i, $0.j) }
  }

  private func multiply(_ i: Int, _ j: Int, _ live: inout Live, _ path: inout ContractionPath) {
    let union = live[i].labels.union(live[j].labels)
    let outside = live.indices.filter { $0 != i && $0 != j }.map { live[$0].labels }
    let labels = kept(union, outside: outside)
    path.cost += volume(union) + entryCost * volume(labels)
    path.largest = max(path.largest, volume(labels))
    path.steps.append((live[i].place, live[j].place))
    live[min(i, j)] = (operands.count + path.steps.count - 1, labels)
    live.remove(at: max(i, j))
  }

  /// The pair that costs least, again and again.
  private func greedy() -> ContractionPath {
    var live: Live = operands.enumerated().map { ($0, $1) }
    var path = ContractionPath(steps: [], cost: 0, largest: 0)
    while live.count > 1 {
      var best = (score: Double.infinity, i: 0, j: 1)
      for i in live.indices {
        for j in live.indices where j > i {
          let union = live[i].labels.union(live[j].labels)
          let outside = live.indices.filter { $0 != i && $0 != j }.map { live[$0].labels }
          let labels = kept(union, outside: outside)
          let score =
            volume(union) + entryCost * volume(labels) - volume(live[i].labels) - volume(live[j].labels)
          if score < best.score { best = (score, i, j) }
        }
      }
      multiply(best.i, best.j, &live, &path)
    }
    return path
  }
}
