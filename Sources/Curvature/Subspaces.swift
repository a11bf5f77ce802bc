import LinearAlgebra
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The principal angles between the spans of two sets of orthonormal vectors, ascending, in radians.
///
/// Small angles come from their sines, large ones from their cosines. Source: Björck and Golub, *Numerical methods for
/// computing angles between linear subspaces* (Math. Comp. 27, 1973).
public func principalAngles(_ a: Rows, _ b: Rows) throws -> [Double] {
  let (first, second) = a.count >= b.count ? (a, b) : (b, a)
  guard second.count > 0 else { return [] }
  let overlap = first.dots(0..<first.count, second)
  let cosines = try singularValues(Tensor(overlap.entries, [overlap.rows, overlap.columns])).doubles.sorted(
    by: >)
  var outside = second
  outside.orthogonalize(against: first)
  let gram = outside.dots(0..<outside.count, outside)
  let squares = try symmetricEigenvalues(Tensor(gram.entries, [gram.rows, gram.columns])).doubles.sorted()
  return zip(cosines, squares).map { cosine, square in
    square < 0.5 ? asin(min(max(square, 0).squareRoot(), 1)) : acos(min(max(cosine, 0), 1))
  }
}
