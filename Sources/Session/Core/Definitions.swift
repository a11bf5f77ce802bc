import Graph
import Syntax
import Tensors

/// What `name := e` recorded.
final class Definition {
  let name: String
  let expr: Expr
  /// Values of loop variables, and the previous formula of a name in its own redefinition.
  let captured: [String: Captured]
  /// The procedure it was defined in; nil for a global one.
  let frameTag: Int?

  enum Captured {
    case value(Value)
    case definition(Int)
  }

  init(name: String, expr: Expr, captured: [String: Captured], frameTag: Int?) {
    self.name = name
    self.expr = expr
    self.captured = captured
    self.frameTag = frameTag
  }

  /// Its formula in the current graph, with what it was built from.
  var cache: Elaborated?
}

/// A formula and everything that its shape and structure depend on.
struct Elaborated {
  let meaning: Meaning
  let dependencies: Dependencies
}

/// Names that a formula was built from, each with what it was then. Chains of redefinitions pass their names on,
/// so that a check costs one look-up a name, however long the chain.
struct Dependencies {
  var stamps: [DependencyKey: Stamp] = [:]

  mutating func merge(_ other: Dependencies) {
    if stamps.isEmpty {
      stamps = other.stamps
    } else {
      for (key, stamp) in other.stamps { record(key, stamp) }
    }
  }

  /// A value that counts outweighs a mere look-up of the name. Writes only what is new, so that definitions built
  /// from each other share one table.
  mutating func record(_ key: DependencyKey, _ stamp: Stamp) {
    let known = stamps[key]
    if known == stamp { return }
    if case .leaf = stamp {
      if case .fixed? = known { return }
      if case .contents? = known { return }
    }
    stamps[key] = stamp
  }

  var hasFixedValues: Bool {
    stamps.values.contains { stamp in
      switch stamp {
      case .fixed, .contents: return true
      default: return false
      }
    }
  }

  /// True when a name that was looked up was a random leaf.
  var mentionsRandomLeaf: Bool {
    stamps.values.contains { stamp in
      if case .leaf(_, .random, _, _, _) = stamp { return true }
      return false
    }
  }

  /// True when a name that was looked up was a param.
  var mentionsParam: Bool {
    stamps.values.contains { stamp in
      if case .leaf(_, let kind, _, _, _) = stamp { return kind == .param || kind == .boundedParam }
      return false
    }
  }
}

/// A name and the scope it was looked up in.
struct DependencyKey: Hashable {
  let name: String
  let frameTag: Int?

  /// Which formula is the objective; no name has a space.
  static let objective = DependencyKey(name: "the objective", frameTag: nil)
  static let params = DependencyKey(name: "the params", frameTag: nil)
}

/// What a name was when a formula was built; it stays valid while this is equal.
enum Stamp: Equatable {
  /// Texts count, because formulas hold them as they are.
  case leaf(id: Int, kind: Kind, shapes: [Shape], texts: [String] = [], patterns: [SparsePattern] = [])
  /// A number that was used for a shape, an axis or an exponent: the value counts as well.
  case fixed(id: Int, value: [Double])
  /// An index tensor that decided where the entries of a sparse matrix stand.
  case contents(id: Int, FixedContents)
  case definition(Int)
  case function(Int)
  /// What a procedure returned, by the shapes and texts in it.
  case result(shapes: [Shape], texts: [String])
  case absent
  /// The objective was this formula.
  case objective(String?)
  /// These were all params.
  case params([String])

  enum Kind { case variable, param, boundedParam, data, random }
}

/// A tensor by its entries. As long as it is held its memory is not written, so the same memory is the same entries.
struct FixedContents: Equatable {
  let tensor: Tensor
  static func == (a: FixedContents, b: FixedContents) -> Bool {
    if a.tensor.sharedStorage === b.tensor.sharedStorage { return a.tensor.shape == b.tensor.shape }
    return a.tensor.shape == b.tensor.shape && a.tensor.doubles == b.tensor.doubles
  }
}
