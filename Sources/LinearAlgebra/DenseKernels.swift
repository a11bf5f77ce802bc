import COpenBLAS
import Tensors

/// A scalar that BLAS and LAPACK have routines for.
public protocol LAPACKScalar: TensorScalar {
  /// Cholesky factor L (row-major, lower triangle) over the lower triangle of `a`; returns LAPACK's info.
  static func potrf(_ n: Int32, _ a: UnsafeMutablePointer<Self>) -> Int32
  /// Factors of the transposed of row-major `a`, with row exchanges; returns LAPACK's info.
  static func getrf(
    _ n: Int32, _ a: UnsafeMutablePointer<Self>, _ pivots: UnsafeMutablePointer<Int32>
  ) -> Int32
  /// Solves op(triangle of `a`)·x = b over `b`; a n×n and b n×k row-major.
  static func trsm(
    _ triangle: CBLAS_UPLO, _ op: CBLAS_TRANSPOSE, _ diagonal: CBLAS_DIAG, _ n: Int32, _ k: Int32,
    _ a: UnsafePointer<Self>, _ b: UnsafeMutablePointer<Self>)
}

extension Double: LAPACKScalar {
  @inlinable
  public static func potrf(_ n: Int32, _ a: UnsafeMutablePointer<Double>) -> Int32 {
    la_dpotrf(BLASThreads.count(order: Int(n)), n, a)
  }

  @inlinable
  public static func getrf(
    _ n: Int32, _ a: UnsafeMutablePointer<Double>, _ pivots: UnsafeMutablePointer<Int32>
  ) -> Int32 { la_dgetrf(BLASThreads.count(order: Int(n)), n, a, pivots) }

  @inlinable
  public static func trsm(
    _ triangle: CBLAS_UPLO, _ op: CBLAS_TRANSPOSE, _ diagonal: CBLAS_DIAG, _ n: Int32, _ k: Int32,
    _ a: UnsafePointer<Double>, _ b: UnsafeMutablePointer<Double>
  ) {
    BLASThreads.use(order: Int(n))
    if k == 1 {
      cblas_dtrsv(CblasRowMajor, triangle, op, diagonal, n, a, n, b, 1)
    } else {
      cblas_dtrsm(CblasRowMajor, CblasLeft, triangle, op, diagonal, n, k, 1, a, n, b, k)
    }
  }
}

extension Float: LAPACKScalar {
  @inlinable
  public static func potrf(_ n: Int32, _ a: UnsafeMutablePointer<Float>) -> Int32 {
    la_spotrf(BLASThreads.count(order: Int(n)), n, a)
  }

  @inlinable
  public static func getrf(
    _ n: Int32, _ a: UnsafeMutablePointer<Float>, _ pivots: UnsafeMutablePointer<Int32>
  ) -> Int32 { la_sgetrf(BLASThreads.count(order: Int(n)), n, a, pivots) }

  @inlinable
  public static func trsm(
    _ triangle: CBLAS_UPLO, _ op: CBLAS_TRANSPOSE, _ diagonal: CBLAS_DIAG, _ n: Int32, _ k: Int32,
    _ a: UnsafePointer<Float>, _ b: UnsafeMutablePointer<Float>
  ) {
    BLASThreads.use(order: Int(n))
    if k == 1 {
      cblas_strsv(CblasRowMajor, triangle, op, diagonal, n, a, n, b, 1)
    } else {
      cblas_strsm(CblasRowMajor, CblasLeft, triangle, op, diagonal, n, k, 1, a, n, b, k)
    }
  }
}

/// Factorisations and solves in the caller's memory, row-major, without allocation in Swift: for evaluators.
///
/// Sizes must fit 32 bits. Factoring throws `notFinite` before LAPACK sees an infinity or NaN; right-hand sides
/// are not checked, their NaNs propagate.
public enum DenseKernels {
  /// Replaces the lower triangle of the symmetric n×n `a` by its Cholesky factor L; the strict upper triangle is
  /// not read by the factorisation and keeps its entries. Throws `notFinite` and `notPositiveDefinite`.
  @inlinable
  public static func cholesky<T: LAPACKScalar>(
    _ n: Int, _ a: UnsafeMutablePointer<T>
  ) throws(LinearAlgebraError) {
    guard n > 0 else { return }
    try checkFinite(n, a)
    let info = T.potrf(Int32(n), a)
    if info > 0 { throw .notPositiveDefinite(order: Int(info)) }
  }

  /// Solves L·Lᵀ·x = b over the n×k `b`, with L from `cholesky`.
  @inlinable
  public static func choleskySolve<T: LAPACKScalar>(
    _ n: Int, _ k: Int, _ factor: UnsafePointer<T>, _ b: UnsafeMutablePointer<T>
  ) {
    guard n > 0, k > 0 else { return }
    T.trsm(CblasLower, CblasNoTrans, CblasNonUnit, Int32(n), Int32(k), factor, b)
    T.trsm(CblasLower, CblasTrans, CblasNonUnit, Int32(n), Int32(k), factor, b)
  }

  /// Solves L·x = b (or Lᵀ·x = b) over the n×k `b`, with L from `cholesky`.
  @inlinable
  public static func choleskyHalfSolve<T: LAPACKScalar>(
    _ n: Int, _ k: Int, _ factor: UnsafePointer<T>, _ b: UnsafeMutablePointer<T>,
    transposed: Bool = false
  ) {
    guard n > 0, k > 0 else { return }
    T.trsm(
      CblasLower, transposed ? CblasTrans : CblasNoTrans, CblasNonUnit, Int32(n), Int32(k), factor, b)
  }

  /// log det(L·Lᵀ), from `cholesky`.
  @inlinable
  public static func choleskyLogDeterminant<T: LAPACKScalar>(
    _ n: Int, _ factor: UnsafePointer<T>, log: (Double) -> Double
  ) -> Double {
    var sum = 0.0
    for i in 0..<n { sum += log(Double(factor[i * n + i])) }
    return 2 * sum
  }

  /// Replaces the n×n `a` by the factors that `luSolve` reads: with aᵀ = P·L·U, Uᵀ in the lower triangle and Lᵀ
  /// (unit) above it. `pivots` has n entries. Returns the first pivot that is exactly zero, counted from 1, or
  /// nil. Throws `notFinite`.
  @inlinable
  public static func lu<T: LAPACKScalar>(
    _ n: Int, _ a: UnsafeMutablePointer<T>, _ pivots: UnsafeMutablePointer<Int32>
  ) throws(LinearAlgebraError) -> Int? {
    guard n > 0 else { return nil }
    try checkFinite(n, a)
    let info = T.getrf(Int32(n), a, pivots)
    return info > 0 ? Int(info) : nil
  }

  /// Solves a·x = b, or aᵀ·x = b, over the n×k `b`, with factors from `lu`. A zero pivot gives infinities or NaN.
  @inlinable
  public static func luSolve<T: LAPACKScalar>(
    _ n: Int, _ k: Int, _ factor: UnsafePointer<T>, _ pivots: UnsafePointer<Int32>,
    _ b: UnsafeMutablePointer<T>, transposed: Bool = false
  ) {
    guard n > 0, k > 0 else { return }
    if transposed {
      // aᵀ = P·L·U: x = U⁻¹ L⁻¹ P⁻¹ b.
      for i in 0..<n { swapRows(i, Int(pivots[i]) - 1, k, b) }
      T.trsm(CblasUpper, CblasTrans, CblasUnit, Int32(n), Int32(k), factor, b)
      T.trsm(CblasLower, CblasTrans, CblasNonUnit, Int32(n), Int32(k), factor, b)
    } else {
      // a = Uᵀ·Lᵀ·Pᵀ: x = P L⁻ᵀ U⁻ᵀ b.
      T.trsm(CblasLower, CblasNoTrans, CblasNonUnit, Int32(n), Int32(k), factor, b)
      T.trsm(CblasUpper, CblasNoTrans, CblasUnit, Int32(n), Int32(k), factor, b)
      for i in stride(from: n - 1, through: 0, by: -1) { swapRows(i, Int(pivots[i]) - 1, k, b) }
    }
  }

  @inlinable
  static func swapRows<T>(_ i: Int, _ j: Int, _ k: Int, _ b: UnsafeMutablePointer<T>) {
    guard i != j else { return }
    for column in 0..<k {
      let held = b[i * k + column]
      b[i * k + column] = b[j * k + column]
      b[j * k + column] = held
    }
  }

  @inlinable
  static func checkFinite<T: LAPACKScalar>(
    _ n: Int, _ a: UnsafeMutablePointer<T>
  ) throws(LinearAlgebraError) {
    precondition(n <= Int32.max)
    if let bad = firstNonFinite(UnsafeBufferPointer(start: a, count: n * n)) {
      throw .notFinite(row: bad / n, column: bad % n)
    }
  }
}
