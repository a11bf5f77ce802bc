import Tensors

/// What update rules compute with: vectors of the params, or formulas that stand for them. A rule is written once and
/// runs on arrays as well as inside the plan that computes the gradient.
public protocol UpdateArithmetic {
  associatedtype Vector
  associatedtype Scalar
  /// Σ scale·vector; a scale that is missing is 1.
  func combination(_ terms: [(scale: Scalar?, vector: Vector)]) -> Vector
  /// a·b, entry by entry.
  func product(_ a: Vector, _ b: Vector) -> Vector
  /// x + s·a/(√(t·b) + ε), entry by entry, with t = 1 where it is missing.
  func sum(
    _ x: Vector, _ s: Scalar, _ a: Vector, overRootOf b: Vector, times t: Scalar?, plus epsilon: Scalar
  )
    -> Vector
}

/// A method that adds to the params what a formula of the gradient and of its memory says, entry by entry.
public protocol UpdateRule: Method {
  /// The vectors that it remembers, by name; zero before the first step.
  static var remembered: [String] { get }
  var state: RuleState { get set }
  /// lr, where the step is −lr·∇f.
  var gradientRate: Double? { get }
  /// The numbers of its formula in the k-th step, k from 1.
  func coefficients(step k: Int) -> [Double]
  /// The params and the memory after a step. The formula is the same whatever the coefficients are: a plan made of it
  /// serves other options too.
  func update<A: UpdateArithmetic>(
    _ x: A.Vector, _ gradient: A.Vector, _ memory: [A.Vector], _ c: [A.Scalar], _ a: A
  ) -> (x: A.Vector, memory: [A.Vector])
}

/// What a rule has seen.
public struct RuleState: Sendable {
  /// Steps taken.
  public var count = 0
  /// Each remembered vector, in one piece or in one for each param.
  public var vectors: [[Tensor]] = []
  public init() {}

  public init(count: Int, vectors: [[Tensor]]) {
    self.count = count
    self.vectors = vectors
  }

  public var byteCount: Int {
    vectors.joined().reduce(0) { $0 + $1.count * $1.precision.byteCount }
  }

  /// The remembered vectors as pieces of these shapes; zeros where nothing is remembered of such params.
  public func pieces(_ names: Int, _ shapes: [Shape], _ precision: Precision) -> [[Tensor]] {
    guard count > 0 else { return zeros(names, shapes, precision) }
    return vectors.map { pieces in
      if pieces.map(\.shape) == shapes, pieces.allSatisfy({ $0.precision == precision }) { return pieces }
      return Tensor.pieces(of: pieces.flatMap(\.doubles), shapes, precision)
    }
  }

  private func zeros(_ names: Int, _ shapes: [Shape], _ precision: Precision) -> [[Tensor]] {
    (0..<names).map { _ in shapes.map { Tensor(repeating: 0, $0, precision) } }
  }

  /// Without what is of another number of params.
  public func fitting(_ entries: Int) -> RuleState {
    let fits = vectors.allSatisfy { $0.reduce(0) { $0 + $1.count } == entries }
    return fits ? self : RuleState()
  }
}

extension UpdateRule {
  public var order: DerivativeOrder { .gradient }
  public var isPlainRule: Bool { true }
  public var gradientRate: Double? { nil }

  public var memory: MethodMemory {
    get {
      guard state.count > 0, !Self.remembered.isEmpty else { return [:] }
      var memory: MethodMemory = ["count": [Double(state.count)]]
      for (name, pieces) in zip(Self.remembered, state.vectors) { memory[name] = pieces.flatMap(\.doubles) }
      return memory
    }
    set {
      let vectors = Self.remembered.map { newValue[vector: $0] }
      let count = Int(newValue[number: "count"] ?? 0)
      let fits = count > 0 && vectors.allSatisfy { !$0.isEmpty && $0.count == vectors[0].count }
      state = fits ? RuleState(count: count, vectors: vectors.map { [Tensor(vector: $0)] }) : RuleState()
    }
  }

  public mutating func step(_ at: Evaluation, _ f: any Oracle) throws -> Move {
    let now = state.fitting(at.x.count)
    let memory = now.pieces(Self.remembered.count, [[at.x.count]], .f64).map { $0[0].doubles }
    let next = update(at.x, at.gradient, memory, coefficients(step: now.count + 1), Arrays())
    state = RuleState(count: now.count + 1, vectors: next.memory.map { [Tensor(vector: $0)] })
    return Move(x: next.x, rate: gradientRate)
  }
}

/// Arrays as the vectors of a rule.
private struct Arrays: UpdateArithmetic {
  func combination(_ terms: [(scale: Double?, vector: [Double])]) -> [Double] {
    var result = terms[0].scale.map { scaled($0, terms[0].vector) } ?? terms[0].vector
    for (scale, vector) in terms.dropFirst() { result = Optimization.sum(result, scale ?? 1, vector) }
    return result
  }

  func product(_ a: [Double], _ b: [Double]) -> [Double] { a.indices.map { a[$0] * b[$0] } }

  func sum(
    _ x: [Double], _ s: Double, _ a: [Double], overRootOf b: [Double], times t: Double?, plus epsilon: Double
  ) -> [Double] {
    let t = t ?? 1
    return x.indices.map { x[$0] + s * a[$0] / ((t * b[$0]).squareRoot() + epsilon) }
  }
}
