import CKernels
import Tensors

extension Tensor {
  /// The largest absolute value of an entry; 0 when there is none. NaNs do not count.
  public var largestMagnitude: Double {
    switch precision {
    case .f64: withEntries(Double.self) { hk_largest_magnitude_f64($0.baseAddress, $0.count) }
    case .f32: Double(withEntries(Float.self) { hk_largest_magnitude_f32($0.baseAddress, $0.count) })
    }
  }

  /// The first place below the diagonal of a square matrix whose entry differs from its mirror image by more than
  /// `bound`; rows first.
  public func firstAsymmetry(beyond bound: Double) -> (row: Int, column: Int)? {
    switch precision {
    case .f64: withEntries(Double.self) { asymmetry($0, shape[0], bound) }
    case .f32: withEntries(Float.self) { asymmetry($0, shape[0], Float(bound)) }
    }
  }
}

/// Some rows at a time, and as many columns, so that the columns stay in the cache.
private func asymmetry<T: TensorScalar>(
  _ a: UnsafeBufferPointer<T>, _ n: Int, _ bound: T
) -> (row: Int, column: Int)? {
  let tile = 32
  for top in stride(from: 0, to: n, by: tile) {
    let end = min(top + tile, n)
    var isSymmetric = true
    for left in stride(from: 0, to: end, by: tile) {
      for i in top..<end {
        for j in left..<min(left + tile, i) where (a[i * n + j] - a[j * n + i]).magnitude > bound {
          isSymmetric = false
        }
      }
    }
    if isSymmetric { continue }
    for i in top..<end {
      for j in 0..<i where (a[i * n + j] - a[j * n + i]).magnitude > bound { return (i, j) }
    }
  }
  return nil
}
