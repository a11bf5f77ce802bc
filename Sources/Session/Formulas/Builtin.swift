import Calculus
import Graph
import Syntax
import Tensors

/// A function of the language, declared once: what it computes, and what `?name`, Tab and the reference say.
struct Builtin: Sendable {
  enum Group: String, Sendable, CaseIterable {
    case construction, pointwise, reduction, order, shape
    case algebra = "linear algebra"
    case learning, calculus, data
  }

  struct Parameter: Sendable {
    let name: String
    /// What it is when omitted, for the signature; nil when it must be given.
    let defaultText: String?
    /// Takes all remaining positional arguments.
    var isVariadic = false
  }

  let name: String
  var aliases: [String] = []
  let group: Group
  let parameters: [Parameter]
  /// One sentence.
  let summary: String
  /// A line that runs, and what it prints.
  let example: String
  let exampleOutput: String
  let build: @Sendable (BuiltinCall) throws -> Meaning
  /// What runs when the statement does, before the formula around the call is built.
  var run: (@Sendable (EagerCall) throws -> Value)?
}

/// The arguments of one call, bound to the parameters of its builtin.
struct BuiltinCall {
  let builtin: Builtin
  let context: any FormulaContext
  /// By parameter name; variadic parameters have several.
  let arguments: [String: [(value: Meaning, span: Span)]]
  let span: Span

  var graph: TensorGraph { context.graph }

  func has(_ name: String) -> Bool { !(arguments[name] ?? []).isEmpty }

  func placed(_ name: String) throws -> PlacedNode {
    guard let argument = arguments[name]?.first else {
      throw Diagnostic(.type, "\(builtin.name) needs its argument '\(name)'", at: span)
    }
    return try PlacedNode(node: asNode(argument.value, argument.span), span: argument.span)
  }

  /// The node of an argument that must be a tensor.
  func node(_ name: String) throws -> NodeID { try placed(name).node }

  /// Every argument of a variadic parameter.
  func nodes(_ name: String) throws -> [PlacedNode] {
    try (arguments[name] ?? []).map { try PlacedNode(node: asNode($0.value, $0.span), span: $0.span) }
  }

  /// A bundle is one flat vector where a tensor is wanted.
  func asNode(_ value: Meaning, _ span: Span) throws -> NodeID {
    switch value {
    case .node(let node): return node
    case .bundle(let bundle): return graph.concatenated(bundle.nodes)
    case .blockMatrix(let node, _, _): return node
    case .operator(let form): return graph.matrix(form)
    default:
      throw Diagnostic(.type, "\(builtin.name) takes a tensor, not \(value.kindName)", at: span)
    }
  }

  /// An argument that must be known while the formula is built: a shape, an axis, a count.
  func staticTensor(_ name: String) throws -> Tensor {
    let item = try placed(name)
    return try context.staticValue(item.node, item.span, "'\(name)' of \(builtin.name)")
  }

  func integer(_ name: String, default fallback: Int? = nil) throws -> Int {
    if !has(name), let fallback { return fallback }
    let tensor = try staticTensor(name)
    guard tensor.count == 1, let value = Int(exactly: tensor.scalarValue) else {
      throw Diagnostic(
        .domain, "'\(name)' of \(builtin.name) must be a whole number", at: try placed(name).span)
    }
    return value
  }

  func number(_ name: String, default fallback: Double? = nil) throws -> Double {
    if !has(name), let fallback { return fallback }
    let tensor = try staticTensor(name)
    guard tensor.count == 1 else {
      throw Diagnostic(.shape, "'\(name)' of \(builtin.name) must be one number", at: try placed(name).span)
    }
    return tensor.scalarValue
  }

  /// An `axis=` argument: nil when absent; negative ones count from the end; several as a vector.
  func axes(_ name: String, rank: Int) throws -> [Int]? {
    guard has(name) else { return nil }
    let item = try placed(name)
    return try staticTensor(name).doubles.map { value in
      guard let axis = Int(exactly: value), axis >= -rank, axis < rank else {
        throw Diagnostic(
          .shape,
          "there is no axis \(value.formatted) in a tensor with \(rank) \(rank == 1 ? "axis" : "axes")",
          at: item.span,
          hint: rank == 0
            ? "a scalar has no axes"
            : rank == 1 ? "its axis is 0, or -1" : "axes are 0 to \(rank - 1), or -1 for the last")
      }
      return axis < 0 ? axis + rank : axis
    }
  }
}

extension Double {
  /// Without a fraction when whole.
  fileprivate var formatted: String { Int(exactly: self).map(String.init) ?? "\(self)" }
}

/// What builtins need of whoever builds the formula.
protocol FormulaContext {
  var graph: TensorGraph { get }
  /// The value of a node that must not depend on params: shapes, axes, counts. `what` names it in the error.
  func staticValue(_ node: NodeID, _ span: Span, _ what: String) throws -> Tensor
  /// A leaf whose value is drawn when the statement runs.
  func draw(_ distribution: Distribution, _ shape: Shape, _ span: Span) throws -> NodeID
  /// What a matrix is the whole Hessian of, if it is that.
  func hessianSource(of matrix: NodeID) -> HessianSource?
}

/// What random leaves are drawn from.
enum Distribution: Hashable, Sendable {
  case uniform(Double, Double)
  case normal(mean: Double, deviation: Double)
  case rademacher
  /// Whole numbers low..<high.
  case integers(Int, Int)
  case permutation
  /// A fixed published generator, for reproducing other tools' numbers.
  case torch(seed: Int)
  case numpy(seed: Int, normal: Bool)

  /// Another call gives other numbers.
  var drawsAnew: Bool {
    switch self {
    case .torch, .numpy: return false
    default: return true
    }
  }
}
