import Tensors

/// What an expression evaluates to.
enum Value: Sendable {
  case tensor(Tensor)
  case string(String)
  /// One tensor a param.
  case bundle(names: [String], tensors: [Tensor])
  case record([(name: String, value: Value)])
  case tuple([Value])
  /// A matrix over several params, with the names and sizes of its blocks.
  case blockMatrix(Tensor, names: [String], sizes: [Int])
  /// A matrix of which only some entries are stored; with blocks when it is over several params.
  case sparse(SparseMatrix, names: [String], sizes: [Int])
  /// The result of a command or procedure that gives none.
  case nothing

  static func number(_ x: Double) -> Value { .tensor(Tensor(scalar: x)) }

  /// The tensor; of a sparse matrix the whole, when that is small.
  var tensor: Tensor? {
    switch self {
    case .sparse(let matrix, _, _):
      return matrix.shape.elementCount <= Self.filledLimit ? matrix.dense() : nil
    case .tensor(let t), .blockMatrix(let t, _, _): return t
    default: return nil
    }
  }

  /// Entries of a sparse matrix that is filled in without being asked to.
  private static var filledLimit: Int { 1 << 24 }

  /// What a leaf that stands for this value holds: of a sparse matrix its stored values.
  var stored: Tensor? {
    if case .sparse(let matrix, _, _) = self { return matrix.values }
    return tensor
  }

  /// What several names are bound to: the values of a tuple, the tensors of a bundle.
  var parts: [Value]? {
    switch self {
    case .tuple(let items): return items
    case .bundle(_, let tensors): return tensors.map { .tensor($0) }
    default: return nil
    }
  }

  /// The word for it in messages.
  var kindName: String {
    switch self {
    case .sparse(let matrix, _, _): return "a sparse matrix of shape \(matrix.shape.shapeDescription)"
    case .tensor(let t), .blockMatrix(let t, _, _): return t.shape.kindName
    case .string: return "a string"
    case .bundle: return "a bundle"
    case .record: return "a record"
    case .tuple(let items): return "a tuple of \(items.count)"
    case .nothing: return "nothing"
    }
  }

  /// A field of a record or bundle, or a place of a tuple.
  subscript(field name: String) -> Value? {
    switch self {
    case .record(let fields): return fields.first { $0.name == name }?.value
    case .bundle(let names, let tensors): return names.firstIndex(of: name).map { .tensor(tensors[$0]) }
    case .tuple(let items): return Int(name).flatMap { items.indices.contains($0) ? items[$0] : nil }
    default: return nil
    }
  }

  /// Fields that `subscript(field:)` knows.
  var fieldNames: [String] {
    switch self {
    case .record(let fields): return fields.map(\.name)
    case .bundle(let names, _): return names
    default: return []
    }
  }
}

extension Shape {
  /// How messages call a tensor of this shape.
  var kindName: String { isEmpty ? "a number" : "a tensor of shape \(shapeDescription)" }
}
