import Tensors

/// A place in the arena of a `TensorGraph`.
public struct NodeID: Hashable, Comparable, Sendable {
  public let index: UInt32
  init(_ index: Int) { self.index = UInt32(index) }
  public static func < (a: NodeID, b: NodeID) -> Bool { a.index < b.index }
}

/// A name for an axis, local to one node. In a stored node the labels of the result are `0..<rank`, in the
/// order of its axes; greater labels are summed (or reduced).
public typealias Label = Int

/// A use of a node: one label for each of its axes. Equal labels in one operand walk a diagonal; a label of the
/// result that an operand lacks broadcasts it.
public struct Operand: Hashable, Sendable {
  public var node: NodeID
  public var labels: [Label]
  public init(_ node: NodeID, _ labels: [Label]) {
    self.node = node
    self.labels = labels
  }
}

/// What a node computes from its operands.
public enum Op: Hashable, Sendable {
  /// A value from outside; the index of an entry of `TensorGraph.leaves`.
  case leaf(Int)
  /// A constant tensor; the index of an entry of `TensorGraph.constants`.
  case tensor(Int)
  /// scale · Π operands, summed over the labels that the result lacks. Without operands: a tensor of one number.
  case contract(scale: Double)
  /// Σ coefficient · operand, broadcast. Without operands: the structural zero.
  case add(coefficients: [Double])
  /// A pointwise function.
  case map(MapFunction)
  /// A symbolic 0/1 tensor; no operands.
  case selector(Selector)
  /// δ(i ↔ t[j…]): 1 where the first axis equals the entry of the index tensor t; shape `[n] + t.shape`.
  case table
  /// The maximum over the labels that the result lacks.
  case reduceMax
  /// The operand, constant for derivatives.
  case stop
  /// Positions (as numbers) of the maximum along the last axis, or of the ascending order along it.
  case argmax
  case argsort
  /// Linear algebra on matrices.
  case matrix(MatrixFunction)
  /// The operand, kept with its zeros where it would else be stored sparse.
  case dense
  /// Something that stands in graphs of plans only, put there after all derivatives were taken.
  case external(ExternalFunction)
}

/// A function of whole tensors that a plan calls and the graph knows nothing of.
open class ExternalFunction: Hashable, @unchecked Sendable {
  public let name: String
  public init(name: String) { self.name = name }
  public static func == (a: ExternalFunction, b: ExternalFunction) -> Bool { a === b }
  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

extension ExternalFunction {
  /// d of its operand: a tangent that a derivation leaves open.
  public static let differential = ExternalFunction(name: "d")
}

/// Linear algebra whose derivatives are products of the same functions.
public enum MatrixFunction: String, Hashable, Sendable {
  /// A⁻¹.
  case inverse = "inv"
  /// X with A·X = B, for operands A (n×n) and B (n×m).
  case solve
  /// Lower triangular L with L·Lᵀ = A.
  case cholesky
  /// log |det A|.
  case logdet
  case det
  /// Symmetric eigenproblem, packed (n+1)×n: eigenvalues ascending in row 0, then the eigenvectors as columns.
  case eigh
  /// Singular values, descending.
  case svdvals
  /// Eigenvalues of any square matrix, packed 2×n: real parts, then imaginary ones; ascending by real part, then
  /// by imaginary part. Constant for derivatives.
  case eigvals

  /// Axes of the result for one matrix; axes of a node before them are those of a batch.
  public var resultRank: Int {
    switch self {
    case .logdet, .det: return 0
    case .svdvals: return 1
    case .inverse, .solve, .cholesky, .eigh, .eigvals: return 2
    }
  }
}

/// A node of the graph. Labels of its result are `0..<shape.count`.
public struct Node: Sendable {
  public let op: Op
  public let operands: [Operand]
  public let shape: Shape
  /// Depends on structure and names alone, never on the order of creation or on the process.
  public let structuralHash: UInt64

  /// True when some label of an operand is not in the result.
  public var sumsLabels: Bool {
    for operand in operands { for label in operand.labels where label >= shape.count { return true } }
    return false
  }
}

/// A value from outside the graph: a param, a data leaf, a variable, a formal parameter.
public struct Leaf: Sendable, Hashable {
  public let id: Int
  public let name: String
  public let shape: Shape
  public init(id: Int, name: String, shape: Shape) {
    self.id = id
    self.name = name
    self.shape = shape
  }
}

/// Deterministic mixing (SplitMix64's finaliser), so that canonical orders are the same in every process.
struct StructuralHasher {
  private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

  mutating func combine(_ value: UInt64) {
    var z = state &+ value &* 0xBF58_476D_1CE4_E5B9 &+ 0x94D0_49BB_1331_11EB
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    state = z ^ (z >> 31)
  }
  mutating func combine(_ value: Int) { combine(UInt64(bitPattern: Int64(value))) }
  mutating func combine(_ value: Double) { combine(value.bitPattern) }
  mutating func combine(_ text: String) { for byte in text.utf8 { combine(UInt64(byte)) } }
  func finish() -> UInt64 { state }
}
