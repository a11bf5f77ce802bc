import Graph
import Tensors

/// Where tiles lie: one place (an index along each tile class) a tile, in orbits of the symmetries.
struct TilePlaces {
  let reduction: TiledReduction
  /// The size of whole tiles, and the number of tiles, along each class.
  let tile: [Int]
  let counts: [Int]
  private let links: [[Int]]
  private let identity: [Int]

  init(_ reduction: TiledReduction, tile: [Int]) {
    self.reduction = reduction
    self.tile = tile
    counts = tile.indices.map { (reduction.tileClasses[$0].size + tile[$0] - 1) / tile[$0] }
    links = reduction.links
    identity = reduction.core.map { Array(reduction.graph.shape($0).indices) } ?? []
  }

  /// Tiles in all, those that symmetry gives included.
  var total: Double { counts.reduce(1) { $0 * Double($1) } }

  /// One tile of each orbit is computed: the first.
  func isFirstOfOrbit(_ place: [Int]) -> Bool {
    for g in reduction.symmetries.dropFirst()
    where reduction.image(place, g).lexicographicallyPrecedes(place) { return false }
    return true
  }

  /// How the tile at a place is computed, and the places of its orbit, its own first.
  func variant(_ place: [Int]) -> (variant: TileVariant, places: [[Int]]) {
    var places = [place]
    var images = [identity]
    for g in reduction.symmetries.dropFirst() {
      let image = reduction.image(place, g)
      if !places.contains(image) {
        places.append(image)
        images.append(g)
      }
    }
    let sizes = place.indices.map { min(tile[$0], reduction.tileClasses[$0].size - place[$0] * tile[$0]) }
    let diagonal = places.map { place in links.map { place[$0[0]] == place[$0[1]] } }
    return (TileVariant(sizes: sizes, images: images, onDiagonal: diagonal), places)
  }

  // MARK: Walking

  /// All places, the last class fastest.
  var all: Walk { Walk(counts.map { Array(0..<$0) }) }

  /// Combinations of indices.
  struct Walk: Sequence, IteratorProtocol {
    private let choices: [[Int]]
    private var position: [Int]?

    init(_ choices: [[Int]]) {
      self.choices = choices
      position = choices.contains { $0.isEmpty } ? nil : choices.map { _ in 0 }
    }

    var isAtEnd: Bool { position == nil }

    mutating func next() -> [Int]? {
      guard let current = position else { return nil }
      var following = current
      var axis = choices.count - 1
      while axis >= 0 {
        following[axis] += 1
        if following[axis] < choices[axis].count { break }
        following[axis] = 0
        axis -= 1
      }
      position = axis < 0 ? nil : following
      return current.indices.map { choices[$0][current[$0]] }
    }
  }

  // MARK: Counting

  /// Places that stand for all: how a tile is computed depends on which of its indices are the last (its sizes) and,
  /// within a group of classes that are cut alike, on the order of the others. `weight` is how many places one
  /// stands for; where groups are wide it is an estimate.
  var samples: [(place: [Int], weight: Double)] {
    let groups = reduction.classGroups
    var depth = min(3, groups.map(\.count).max() ?? 1)
    while depth > 1, counts.reduce(1, { $0 * min($1, depth + 1) }) > Self.sampleLimit { depth -= 1 }
    let choices = counts.map { n in n == 0 ? [] : Array(0..<Swift.min(depth, n - 1)) + [n - 1] }
    var samples = Walk(choices).map { place in
      (place: place, weight: groups.reduce(1) { $0 * weight(place, $1, depth) })
    }
    let sum = samples.reduce(0) { $0 + $1.weight }
    for k in samples.indices { samples[k].weight *= total / sum }
    return samples
  }

  private static let sampleLimit = 512

  /// Places whose indices of one group are ordered like those of `place`, for each such sample.
  private func weight(_ place: [Int], _ group: [Int], _ depth: Int) -> Double {
    let inner = counts[group[0]] - 1
    let distinct = Set(group.map { place[$0] }).subtracting([inner]).count
    return choose(inner, distinct) / choose(Swift.min(depth, inner), distinct)
  }

  private func choose(_ n: Int, _ k: Int) -> Double {
    (0..<k).reduce(1) { $0 * Double(n - $1) / Double($1 + 1) }
  }
}
