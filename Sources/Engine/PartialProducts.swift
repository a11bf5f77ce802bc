import Graph
import Tensors

/// The factors of one product, for comparing partial products of several: labels are numbered by where they stand,
/// so that equal products are found under any names.
struct PartialProducts {
  struct Key: Hashable {
    struct Factor: Hashable {
      var buffer: Int
      var offset: Int
      /// Numbers of labels, their strides and sizes, by descending stride.
      var walk: [Int]
    }
    var factors: [Factor]
    var kept: [Int]
  }

  let factors: [Access]
  private let sizes: [Label: Int]
  /// The labels of each factor by descending stride.
  private let walks: [[Label]]
  /// Sums of these tell quickly which subsets cannot be known.
  private let hashes: [Int]
  private let result: Set<Label>

  init(_ task: Contraction) {
    factors = task.factors
    sizes = task.sizes
    result = task.result
    walks = factors.map { access in
      access.strides.keys.sorted { (abs(access[$0]), $1) > (abs(access[$1]), $0) }
    }
    hashes = factors.map { Self.hash(of: $0.buffer) }
  }

  static func hash(of buffer: Int) -> Int { (buffer &+ 1) &* 0x9E37_79B9_7F4A_7C1 }

  /// The key of a partial product, and its labels by number.
  func key(_ parts: [Int], kept: Set<Label>) -> (key: Key, labels: [Label]) {
    func coarse(_ k: Int) -> [Int] {
      [factors[k].buffer, factors[k].offset] + walks[k].map { factors[k][$0] }
        + walks[k].map { sizes[$0] ?? 1 }
        + walks[k].map { kept.contains($0) ? 1 : 0 }
    }
    let order = parts.map { (place: $0, key: coarse($0)) }.sorted {
      $0.key == $1.key ? $0.place < $1.place : $0.key.lexicographicallyPrecedes($1.key)
    }
    var number: [Label: Int] = [:]
    var labels: [Label] = []
    let keys = order.map { item -> Key.Factor in
      let access = factors[item.place]
      let walk = walks[item.place].flatMap { label -> [Int] in
        if number[label] == nil {
          number[label] = labels.count
          labels.append(label)
        }
        return [number[label] ?? 0, access[label], sizes[label] ?? 1]
      }
      return Key.Factor(buffer: access.buffer, offset: access.offset, walk: walk)
    }
    return (Key(factors: keys, kept: kept.compactMap { number[$0] }.sorted()), labels)
  }

  func hash(subset: Int) -> Int {
    var sum = 0
    for k in factors.indices where subset >> k & 1 == 1 { sum &+= hashes[k] }
    return sum
  }

  func hash(parts: [Int]) -> Int { parts.reduce(0) { $0 &+ hashes[$1] } }

  /// Some of the factors (as bits), with the labels of the array that they are.
  func side(_ subset: Int) -> (labels: Set<Label>, parts: [Int]) {
    side(factors.indices.filter { subset >> $0 & 1 == 1 })
  }

  func side(_ parts: [Int]) -> (labels: Set<Label>, parts: [Int]) {
    (parts.count == 1 ? Set(walks[parts[0]]) : kept(parts), parts)
  }

  /// What the product of some of the factors keeps: labels of the result and of the factors outside.
  func kept(_ parts: [Int]) -> Set<Label> {
    let isInside = Set(parts)
    var inside = Set<Label>()
    var outside = result
    for k in factors.indices {
      if isInside.contains(k) { inside.formUnion(walks[k]) } else { outside.formUnion(walks[k]) }
    }
    return inside.intersection(outside)
  }
}

/// Partial products that a plan has computed, by what they are products of.
struct KnownProducts {
  private var places: [PartialProducts.Key: Access] = [:]
  private var hashes: Set<Int> = []

  func contains(_ products: PartialProducts, subset: Int) -> Bool {
    guard hashes.contains(products.hash(subset: subset)) else { return false }
    let parts = products.factors.indices.filter { subset >> $0 & 1 == 1 }
    return places[products.key(parts, kept: products.kept(parts)).key] != nil
  }

  /// Where Σ Π parts lies over the labels `kept`, if it does.
  func access(_ products: PartialProducts, parts: [Int], kept: Set<Label>) -> Access? {
    guard hashes.contains(products.hash(parts: parts)) else { return nil }
    let (key, labels) = products.key(parts, kept: kept)
    guard let numbered = places[key] else { return nil }
    var result = Access(buffer: numbered.buffer, offset: numbered.offset)
    for (number, label) in labels.enumerated() where kept.contains(label) {
      result.strides[label] = numbered[number]
    }
    return result
  }

  mutating func remember(_ products: PartialProducts, parts: [Int], kept: Set<Label>, at access: Access) {
    let (key, labels) = products.key(parts, kept: kept)
    guard places[key] == nil else { return }
    var numbered = Access(buffer: access.buffer, offset: access.offset)
    for (number, label) in labels.enumerated() where kept.contains(label) {
      numbered.strides[number] = access[label]
    }
    places[key] = numbered
    hashes.insert(products.hash(parts: parts))
  }
}
