import Syntax

/// A word that has a meaning as long as nothing else is bound to it.
enum SpecialName: String, CaseIterable {
  case params, ans, history
  case value, grad, hessian
  case π, e, inf, nan

  /// The number that it is a name of.
  var constant: Double? {
    switch self {
    case .π: .pi
    case .e: 2.718281828459045
    case .inf: .infinity
    case .nan: .nan
    default: nil
    }
  }

  /// It holds a result, which changes with every command.
  var isResult: Bool { self == .ans || self == .history }

  /// Nothing can be bound to it.
  var isReserved: Bool { self == .ans || self == .params }

  /// All words that stand for a value.
  static let words = allCases.map(\.rawValue) + ["true", "false"]
}
