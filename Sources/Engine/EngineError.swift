import Tensors

/// What can go wrong while a plan runs. The session adds place and hint.
public enum EngineError: Error, Equatable, Sendable {
  case interrupted
  /// An index outside 0..<size (after counting negative ones from the end), or not a whole number.
  case index(Double, size: Int)
  /// A plan that would need more memory than allowed, in bytes.
  case memory(needed: Int, limit: Int)
  /// An index that numbers of 32 bits do not hold.
  case indexPrecision(Double)
  case matrix(String)
  /// More labels, inputs or dimensions than the kernels take.
  case tooComplex(String)
}
