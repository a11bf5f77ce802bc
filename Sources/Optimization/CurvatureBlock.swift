import LinearAlgebra
import Tensors

/// One block of a block-diagonal curvature matrix over flat params.
public struct CurvatureBlock: Sendable {
  public enum Form: Sendable {
    /// A ⊗ S: factors of a dense layer's inputs and outputs, symmetric and positive semidefinite.
    case factors(input: Tensor, output: Tensor)
    /// All entries.
    case full(Tensor)
  }

  public var form: Form
  /// The flat params that its rows speak of: of A ⊗ S the outputs of each input, inputs in order.
  public let places: [Int]
  /// ρ: the block is A ⊗ S + ρ·I.
  public var ridge: Double

  public init(_ form: Form, places: [Int], ridge: Double = 0) {
    self.form = form
    self.places = places
    self.ridge = ridge
  }

  /// The mean of the diagonal.
  var meanDiagonal: Double {
    switch form {
    case .factors(let a, let s): return a.trace / Double(a.shape[0]) * (s.trace / Double(s.shape[0])) + ridge
    case .full(let matrix): return matrix.trace / Double(matrix.shape[0]) + ridge
    }
  }

  /// Adds the entries to a P×P matrix.
  func add(to matrix: inout [Double], order n: Int) {
    switch form {
    case .full(let block):
      let (entries, m) = (block.doubles, places.count)
      for i in 0..<m { for j in 0..<m { matrix[places[i] * n + places[j]] += entries[i * m + j] } }
    case .factors(let a, let s):
      let (inputs, outputs) = (a.doubles, s.doubles)
      let (rows, columns) = (a.shape[0], s.shape[0])
      for i in places.indices {
        for j in places.indices {
          let product =
            inputs[i / columns * rows + j / columns] * outputs[i % columns * columns + j % columns]
          matrix[places[i] * n + places[j]] += product
        }
      }
    }
    for place in places { matrix[place * n + place] += ridge }
  }

  public var isFinite: Bool {
    guard ridge.isFinite else { return false }
    switch form {
    case .factors(let a, let s): return a.isFinite && s.isFinite
    case .full(let matrix): return matrix.isFinite
    }
  }
}

extension Tensor {
  /// The P×P matrix of a block-diagonal one.
  public init(blocks: [CurvatureBlock], order n: Int) {
    var entries = [Double](repeating: 0, count: n * n)
    for block in blocks { block.add(to: &entries, order: n) }
    self.init(entries, [n, n])
  }
}

/// Damped factors (A + πγI) ⊗ (S + γ/π·I) with γ = √λ and π² = (tr A/dim A) / (tr S/dim S), which of all such products
/// is nearest to A ⊗ S + λI by a trace norm bound (Martens and Grosse 2015, section 6.3).
public struct DampedFactors: Sendable {
  public let input: Tensor
  public let output: Tensor
  public let balance: Double

  public init(input a: Tensor, output s: Tensor, damping: Double) {
    let ratio = (a.trace / Double(a.shape[0])) / (s.trace / Double(s.shape[0]))
    // A factor that is zero leaves the damping to both in equal parts.
    let isUsable = ratio > 0 && ratio.isFinite
    balance = isUsable ? ratio.squareRoot() : 1
    let root = damping.squareRoot()
    input = a.shifted(by: balance * root)
    output = s.shifted(by: root / balance)
  }
}

extension Tensor {
  /// Of a square matrix.
  fileprivate var trace: Double {
    let (n, entries) = (shape[0], doubles)
    return (0..<n).reduce(0) { $0 + entries[$1 * n + $1] }
  }

  /// A square matrix plus a multiple of the identity, in f64.
  fileprivate func shifted(by shift: Double) -> Tensor {
    let n = shape[0]
    var entries = doubles
    for i in 0..<n { entries[i * n + i] += shift }
    return Tensor(entries, shape)
  }
}

/// The inverse of a block-diagonal curvature matrix plus λ·I, each block factored once.
struct BlockInverse {
  private enum Factor {
    case factors(input: Cholesky, output: Cholesky)
    case full(Cholesky)
  }
  private let blocks: [(factor: Factor, places: [Int])]

  /// Nil where some block is not positive definite to rounding.
  init?(_ blocks: [CurvatureBlock], damping: Double) {
    var found: [(factor: Factor, places: [Int])] = []
    for block in blocks where !block.places.isEmpty {
      guard let factor = Self.factor(block, block.ridge + damping) else { return nil }
      found.append((factor, block.places))
    }
    self.blocks = found
  }

  private static func factor(_ block: CurvatureBlock, _ shift: Double) -> Factor? {
    switch block.form {
    case .factors(let a, let s):
      let damped = DampedFactors(input: a, output: s, damping: max(shift, 0))
      guard let input = try? Cholesky(damped.input), let output = try? Cholesky(damped.output) else {
        return nil
      }
      return .factors(input: input, output: output)
    case .full(let matrix): return (try? Cholesky(matrix.shifted(by: shift))).map { .full($0) }
    }
  }

  /// The product with a vector.
  func callAsFunction(_ v: [Double]) throws -> [Double] {
    var result = [Double](repeating: 0, count: v.count)
    for (factor, places) in blocks {
      let part = places.map { v[$0] }
      let solved: [Double]
      switch factor {
      case .full(let factor): solved = try factor.solve(Tensor(vector: part)).doubles
      case .factors(let input, let output):
        // A⁻¹·V·S⁻¹ with a row of V for each input.
        let rows = try input.solve(Tensor(part, [input.order, output.order]))
        solved = try output.solve(rows.transposed()).transposed().doubles
      }
      for (place, entry) in zip(places, solved) { result[place] = entry }
    }
    return result
  }
}
