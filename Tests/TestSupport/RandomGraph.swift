import Graph
import Tensors

/// Grows a graph from a seed: leaves with values and nodes made by the smart constructors in all their forms
/// (diagonals, broadcasts, transposes, outer products, selectors, index tables). The same seed grows the same graph.
public struct RandomGraph {
  public let graph = TensorGraph()
  /// Values of the leaves, by identity.
  public var values: [Int: Tensor] = [:]
  /// The nodes made so far.
  public var pool: [NodeID] = []
  public var random: SmallRandom
  let options: Options

  public struct Options: Sendable {
    public var sizes = [1, 2, 2, 3, 3, 4, 5]
    public var maxRank = 4
    /// The most combinations of labels in one node.
    public var volume = 400
    /// Only functions with derivatives of every order.
    public var smooth = false
    public init() {}
  }

  public init(seed: UInt64, _ options: Options = Options()) {
    random = SmallRandom(seed: seed)
    self.options = options
  }

  // MARK: Leaves

  public mutating func shape() -> Shape {
    var shape: Shape = []
    for _ in 0..<random.below(options.maxRank + 1)
    where shape.elementCount * 5 <= options.volume || shape.contains(0) {
      shape.append(random.pick(options.sizes))
    }
    return shape
  }

  @discardableResult
  public mutating func leaf(_ shape: Shape) -> NodeID {
    let id = values.count
    values[id] = Tensor((0..<shape.elementCount).map { _ in random.signed() }, shape)
    let node = graph.leaf(Leaf(id: id, name: "x\(id)", shape: shape))
    pool.append(node)
    return node
  }

  // MARK: Nodes

  /// One more node on those there are.
  @discardableResult
  public mutating func grow() -> NodeID {
    let node: NodeID
    switch random.below(10) {
    case 0, 1: node = mapped()
    case 2, 3: node = sum()
    case 4: node = options.smooth ? product() : special()
    default: node = product()
    }
    pool.append(node)
    return node
  }

  mutating func existing() -> NodeID {
    // Recent nodes are more likely, so that graphs are deep too.
    let recent = pool.suffix(4)
    return random.chance(0.6) ? recent[recent.startIndex + random.below(recent.count)] : random.pick(pool)
  }

  mutating func mapped() -> NodeID {
    let x = existing()
    var labels = LabelPicker(limit: options.volume)
    let operand = labels.use(x, graph.shape(x), &random, reuse: 0.2)
    let smooth: [MapFunction] = [.tanh, .sin, .power(2), .power(3), .sigmoid, .sech2, .atan, .softplus, .cos]
    let rough: [MapFunction] = [.abs, .relu, .step, .floor, .not, .isFinite, .sign]
    if random.chance(0.35) {
      let y = existing()
      let second = labels.use(y, graph.shape(y), &random, reuse: 0.9)
      if labels.volume <= options.volume && !options.smooth {
        return graph.map(random.pick([.max, .min]), [operand, second], shape: labels.sizes)
      }
      if labels.volume <= options.volume,
        case let product = graph.add([Summand(1, operand), Summand(0.5, second)], shape: labels.sizes)
      {
        return graph.map(.tanh, product)
      }
      return x
    }
    guard labels.volume <= options.volume else { return x }
    // An axis that no operand has.
    let extra = random.chance(0.1) ? labels.fresh(random.pick(options.sizes)) : nil
    _ = extra
    guard labels.volume <= options.volume else { return x }
    let onLeaf = graph.leaf(of: x) != nil
    return graph.map(
      random.pick(options.smooth || !onLeaf ? smooth : smooth + rough), [operand], shape: labels.sizes)
  }

  mutating func sum() -> NodeID {
    var labels = LabelPicker(limit: options.volume)
    var summands: [Summand] = []
    for _ in 0..<(1 + random.below(4)) {
      let x = existing()
      var trial = labels
      let operand = trial.use(x, graph.shape(x), &random, reuse: 0.9)
      guard trial.volume <= options.volume else { continue }
      labels = trial
      summands.append(Summand(random.pick([1, 1, -1, 0.5, -2, 0.75]), operand))
    }
    if random.chance(0.2) { summands.append(Summand(random.signed(), Operand(graph.fill(1), []))) }
    let node = graph.add(summands, shape: labels.sizes)
    return random.chance(0.3) ? graph.map(.tanh, node) : node
  }

  mutating func product() -> NodeID {
    var labels = LabelPicker(limit: options.volume)
    var operands: [Operand] = []
    for _ in 0..<(1 + random.below(4)) {
      var trial = labels
      let operand: Operand
      if random.chance(0.35) {
        guard let symbolic = symbolic(&trial) else { continue }
        operand = symbolic
      } else {
        let x = existing()
        operand = trial.use(x, graph.shape(x), &random, reuse: 0.65)
      }
      guard trial.volume <= options.volume else { continue }
      labels = trial
      operands.append(operand)
    }
    if random.chance(0.1) { _ = labels.fresh(random.pick(options.sizes)) }
    var result = labels.sizes.indices.filter { label in
      random.chance(operands.contains { $0.labels.contains(label) } ? 0.6 : 1)
    }
    random.shuffle(&result)
    var sizes: [Label: Int] = [:]
    for label in result { sizes[label] = labels.sizes[label] }
    let bound = Double(labels.volume).squareRoot()
    let scale = random.pick([1, 1, 1, -1, 0.5]) / max(1, random.chance(0.5) ? bound : 1)
    return graph.contract(scale, operands, to: result, sizes: sizes)
  }

  /// A selector or an index table on some labels.
  mutating func symbolic(_ labels: inout LabelPicker) -> Operand? {
    let n = random.pick(options.sizes)
    switch random.below(7) {
    case 0: return labels.use(graph.delta(n), [n, n], &random, reuse: 0.7)
    case 1:
      guard n > 0 else { return nil }
      let node = graph.selector(.oneHot(random.below(n)), [n])
      return labels.use(node, [n], &random, reuse: 0.8)
    case 2, 3:
      let m = n + random.below(4)
      let step = random.pick([1, 1, -1, 2, -2])
      let count = n == 0 ? 0 : (n - 1) / abs(step) + 1
      guard m > 0 else { return nil }
      let reach = (count - 1) * abs(step)
      let low = count == 0 ? 0 : random.below(m - reach)
      let start = step > 0 ? low : low + max(reach, 0)
      let node = graph.selector(.slice(start: start, step: step, count: count), [m, count])
      return labels.use(node, [m, count], &random, reuse: 0.75)
    case 4:
      let parts = [random.pick(options.sizes), random.pick(options.sizes)]
      let offset = random.below(3)
      let total = offset + parts.elementCount + random.below(3)
      return labels.use(
        graph.selector(.flatten(offset: offset, parts), [total] + parts), [total] + parts, &random,
        reuse: 0.75)
    default:
      guard n > 0 else { return nil }
      let shape =
        random.chance(0.3)
        ? [random.pick(options.sizes), random.pick(options.sizes)] : [random.pick(options.sizes)]
      let indices = graph.constant(
        Tensor((0..<shape.elementCount).map { _ in Double(random.below(n)) }, shape))
      return labels.use(graph.table(n, indices), [n] + shape, &random, reuse: 0.7)
    }
  }

  mutating func special() -> NodeID {
    let x = existing()
    let shape = graph.shape(x)
    switch random.below(5) {
    case 0: return graph.stop(x)
    case 1, 2:
      let axes = shape.indices.filter { shape[$0] > 0 && random.chance(0.5) }
      return graph.reduceMax(x, axes: axes)
    case 3:
      guard let leaf = graph.leaf(of: x), (leaf.shape.last ?? 0) > 0 else { return x }
      return random.chance(0.5) ? graph.argmax(x) : graph.argsort(x)
    default:
      guard graph.leaf(of: x) != nil else { return x }
      let axes = Array(shape.indices)
      let condition = graph.map(.less, [Operand(x, axes), Operand(graph.fill(0), [])], shape: shape)
      return graph.select(
        Operand(condition, axes), Operand(x, axes), Operand(graph.map(.power(2), x), axes), shape: shape)
    }
  }
}

/// Chooses labels for operands, so that some axes of equal size meet.
public struct LabelPicker {
  public private(set) var sizes: [Int] = []
  let limit: Int

  init(limit: Int) { self.limit = limit }

  var volume: Int { sizes.reduce(1) { min($0 * max($1, 1), 1 << 40) } }

  mutating func fresh(_ n: Int) -> Label {
    sizes.append(n)
    return sizes.count - 1
  }

  mutating func use(_ node: NodeID, _ shape: Shape, _ random: inout SmallRandom, reuse: Double) -> Operand {
    let labels = shape.map { n -> Label in
      let candidates = sizes.indices.filter { sizes[$0] == n }
      return !candidates.isEmpty && random.chance(reuse) ? random.pick(candidates) : fresh(n)
    }
    return Operand(node, labels)
  }
}

/// SplitMix64.
public struct SmallRandom {
  private var state: UInt64
  public init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678_9ABC_DEF1 }

  public mutating func next() -> UInt64 {
    state = state &+ 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  public mutating func below(_ n: Int) -> Int { Int(next() >> 1) % max(n, 1) }
  public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
  public mutating func signed() -> Double { 2 * unit() - 1 }
  public mutating func chance(_ p: Double) -> Bool { unit() < p }
  public mutating func pick<T>(_ items: [T]) -> T { items[below(items.count)] }
  public mutating func shuffle<T>(_ items: inout [T]) {
    for k in items.indices.reversed() where k > 0 { items.swapAt(k, below(k + 1)) }
  }
}
