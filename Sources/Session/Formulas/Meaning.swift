import Graph
import Syntax
import Tensors

/// What an expression stands for while formulas are built: nodes of the graph, and the groups and words that
/// only exist before evaluation.
indirect enum Meaning {
  /// A named result of a record. No tuple: in some orders of files Swift 6.3 finds the layout circular then.
  struct Field {
    var name: String
    var value: Meaning
  }

  case node(NodeID)
  /// One tensor a param: gradients, directions, `params`.
  case bundle(Bundle)
  case tuple([Meaning])
  case string(String)
  /// Named results: `eig(A).values`.
  case fields([Field])
  /// A Hessian over several params: `H.W1.b1` is a block.
  case blockMatrix(NodeID, names: [String], sizes: [Int])
  /// A matrix that is known by its products.
  case `operator`(OperatorForm)
  /// `a..b`, ends not evaluated yet; half-open over integers in loops and indexing.
  case range(NodeID?, NodeID?)

  static func record(_ fields: [(name: String, value: Meaning)]) -> Meaning {
    .fields(fields.map { Field(name: $0.name, value: $0.value) })
  }

  /// Every node inside.
  var nodes: [NodeID] {
    switch self {
    case .node(let n), .blockMatrix(let n, _, _): return [n]
    case .bundle(let b): return b.nodes
    case .tuple(let items): return items.flatMap(\.nodes)
    case .fields(let fields): return fields.flatMap(\.value.nodes)
    case .range(let a, let b): return [a, b].compactMap { $0 }
    case .operator(let form): return [form.product]
    case .string: return []
    }
  }

  /// The names in a record.
  var fieldNames: [String] {
    if case .fields(let fields) = self { return fields.map(\.name) }
    return []
  }

  /// The word for it in messages.
  var kindName: String {
    switch self {
    case .node: return "a tensor"
    case .bundle: return "a bundle"
    case .tuple(let items): return "a tuple of \(items.count)"
    case .string: return "a string"
    case .fields: return "a record"
    case .blockMatrix: return "a matrix"
    case .range: return "a range"
    case .operator: return "an operator"
    }
  }
}

/// A tensor for each of several params.
struct Bundle {
  var names: [String]
  var nodes: [NodeID]
}
