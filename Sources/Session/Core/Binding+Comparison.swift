import Tensors

/// Bindings that are compared are both held: memory that one of them has given back could be the other's.
extension Binding {
  /// Nothing was bound or assigned in between.
  func holdsTheSame(as other: Binding) -> Bool {
    switch (self, other) {
    case (.definition(let a), .definition(let b)): return a == b
    case (.function(let a), .function(let b)): return a === b
    case (.param(let a), .param(let b)), (.data(let a), .data(let b)):
      return a.id == b.id && a.value.sharedStorage === b.value.sharedStorage
    case (.random(let a), .random(let b)): return a.id == b.id && sharesTensors(with: other)
    case (.variable(let a), .variable(let b)):
      if case .string(let text) = a.value, case .string(let now) = b.value { return text == now }
      return a.id == b.id && sharesTensors(with: other)
    default: return false
    }
  }

  /// The same, or a param that was assigned or declared with the value that it had, up to the rounding of the coarser
  /// precision.
  func isWhere(_ other: Binding) -> Bool {
    if holdsTheSame(as: other) { return true }
    guard case .param(let a) = self, case .param(let b) = other, a.value.shape == b.value.shape else {
      return false
    }
    let precision = a.value.precision == b.value.precision ? a.value.precision : .f32
    return a.value.converted(to: precision).doubles == b.value.converted(to: precision).doubles
  }

  private func sharesTensors(with other: Binding) -> Bool {
    tensors.map { ObjectIdentifier($0.sharedStorage) }
      == other.tensors.map { ObjectIdentifier($0.sharedStorage) }
  }
}
