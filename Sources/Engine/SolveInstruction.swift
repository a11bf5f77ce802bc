import CKernels
import LinearAlgebra
import Tensors

/// X with A·X = B in memory that the plan keeps, computed in double precision: by Cholesky where A is symmetric and
/// positive definite, else by LU with exchanges.
final class SolveInstruction: Instruction {
  private let n: Int
  private let columns: Int
  private let right: UnsafeMutablePointer<Double>
  private let matrix: UnsafeMutablePointer<Double>
  private let pivots: UnsafeMutablePointer<Int32>
  /// Below, plain elimination takes less time than LAPACK's calls.
  private static let smallOrder = 12

  init(order: Int, columns: Int, _ a: Int, _ b: Int, into x: Int) {
    n = order
    self.columns = columns
    matrix = .allocate(capacity: max(order * order, 1))
    right = .allocate(capacity: max(order * columns, 1))
    pivots = .allocate(capacity: max(order, 1))
    super.init(reads: [a, b], writes: [x])
  }

  deinit {
    matrix.deallocate()
    right.deallocate()
    pivots.deallocate()
  }

  override var multiplications: Double { Double(n) * Double(n) * (Double(n) / 6 + Double(columns)) }

  override func copied() -> Instruction {
    SolveInstruction(order: n, columns: columns, reads[0], reads[1], into: writes[0])
  }

  override func run(_ memory: Memory) throws {
    do {
      switch memory.precision {
      case .f64: try run(memory, Double.self)
      case .f32: try run(memory, Float.self)
      }
    } catch {
      throw EngineError.matrix("solve: \(error)")
    }
  }

  private func run<T: LAPACKScalar>(_ memory: Memory, _: T.Type) throws(LinearAlgebraError) {
    guard n > 0, columns > 0 else { return }
    let a = UnsafePointer(memory.pointer(reads[0], T.self))
    let b = memory.pointer(reads[1], T.self)
    try check(UnsafeBufferPointer(start: a, count: n * n), n)
    try check(UnsafeBufferPointer(start: b, count: n * columns), columns)
    for i in 0..<n * n { matrix[i] = Double(a[i]) }
    for i in 0..<n * columns { right[i] = Double(b[i]) }
    try solve(a)
    let x = memory.pointer(writes[0], T.self)
    for i in 0..<n * columns { x[i] = T(right[i]) }
  }

  private func check<T: LAPACKScalar>(_ entries: UnsafeBufferPointer<T>, _ columns: Int)
    throws(LinearAlgebraError)
  {
    if let bad = firstNonFinite(entries) { throw .notFinite(row: bad / columns, column: bad % columns) }
  }

  private func solve<T: LAPACKScalar>(_ a: UnsafePointer<T>) throws(LinearAlgebraError) {
    if n <= Self.smallOrder {
      let pivot = hk_solve(Int64(n), Int64(columns), matrix, right)
      if pivot > 0 { throw .singular(pivot: Int(pivot)) }
      return
    }
    if isSymmetric(a) {
      if (try? DenseKernels.cholesky(n, matrix)) != nil {
        return DenseKernels.choleskySolve(n, columns, matrix, right)
      }
      for i in 0..<n * n { matrix[i] = Double(a[i]) }
    }
    if let pivot = try DenseKernels.lu(n, matrix, pivots) { throw .singular(pivot: pivot) }
    DenseKernels.luSolve(n, columns, matrix, pivots, right)
  }

  /// Exactly symmetric with a positive diagonal, as Hessians at minima are.
  private func isSymmetric<T: LAPACKScalar>(_ a: UnsafePointer<T>) -> Bool {
    for i in 0..<n {
      guard a[i * n + i] > 0 else { return false }
      for j in 0..<i where a[i * n + j] != a[j * n + i] { return false }
    }
    return true
  }

  override var summary: String { "solve \(n)×\(n), \(columns) right-hand sides → b\(writes[0])" }
}
