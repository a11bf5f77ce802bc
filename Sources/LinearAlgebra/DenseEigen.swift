import COpenBLAS
import Tensors

/// Eigenvalues and eigenvectors of a dense symmetric matrix: reduced to tridiagonal form (LAPACK's dsytrd), divided and
/// conquered (`TridiagonalEigen`), and brought back by blocks of reflectors, the latter two on all threads.
struct DenseEigen {
  let n: Int
  /// Ascending.
  private(set) var values: [Double]
  /// In the rows.
  private(set) var vectors: Tensor
  /// LAPACK's.
  private(set) var info: Int32 = 0

  /// - Parameter matrix: n×n, finite, in double precision; its lower triangle is read.
  init(_ matrix: Tensor) {
    n = matrix.shape[0]
    values = [Double](repeating: 0, count: n)
    let bytes = MemoryLayout<Double>.stride
    guard let work = Storage(ifAvailable: (3 * n + TridiagonalEigen.workCount(n)) * bytes),
      let columns = Self.zeros(n)
    else {
      vectors = Tensor(uninitialized: [0, n], .f64)
      info = Int32(LA_NO_MEMORY)
      return
    }
    vectors = columns
    var matrix = matrix
    let scale = Self.scale(matrix.largestMagnitude)
    withExtendedLifetime(work) {
      let numbers = work.pointer.assumingMemoryBound(to: Double.self)
      info = matrix.withMutable(Double.self) { reflectors in
        guard let reflectors = reflectors.baseAddress else { return 0 }
        if scale != 1 { for k in 0..<n * n { reflectors[k] *= scale } }
        return solve(reflectors, numbers)
      }
    }
    if scale != 1 { for k in 0..<n { values[k] /= scale } }
  }

  /// Nil when there is not so much memory.
  private static func zeros(_ n: Int) -> Tensor? {
    guard let storage = Storage(ifAvailable: n * n * MemoryLayout<Double>.stride) else { return nil }
    storage.pointer.initializeMemory(as: Double.self, repeating: 0, count: n * n)
    return Tensor(sharing: storage, [n, n], .f64)
  }

  /// A power of two that keeps squares of the entries from overflowing and from vanishing.
  private static func scale(_ magnitude: Double) -> Double {
    magnitude > 0x1p400 ? 0x1p-600 : magnitude > 0 && magnitude < 0x1p-400 ? 0x1p600 : 1
  }

  private mutating func solve(
    _ matrix: UnsafeMutablePointer<Double>, _ work: UnsafeMutablePointer<Double>
  ) -> Int32 {
    let (diagonal, couplings, factors, rest) = (work, work + n, work + 2 * n, work + 3 * n)
    let info = la_dsytrd(Int32(n), matrix, diagonal, couplings, factors)
    guard info == 0 else { return info }
    openblas_set_num_threads(1)
    var order = [Int32](repeating: 0, count: n)
    var integers = [Int32](repeating: 0, count: TridiagonalEigen.integerCount(n))
    let size = normalize(diagonal, couplings)
    return vectors.withMutable(Double.self) { columns in
      guard let columns = columns.baseAddress else { return 0 }
      let solved = order.withUnsafeMutableBufferPointer { order in
        integers.withUnsafeMutableBufferPointer { integers -> Int32 in
          guard let order = order.baseAddress, let integers = integers.baseAddress else { return 0 }
          return TridiagonalEigen(
            size: n, diagonal: diagonal, couplings: couplings, vectors: columns, stride: n, order: order,
            work: rest, integers: integers
          ).solve()
        }
      }
      guard solved == 0 else { return solved }
      Self.sort(&order, by: diagonal)
      for k in 0..<n { values[k] = diagonal[Int(order[k]) - 1] * size }
      Self.permute(n, columns, &order, held: rest)
      Reflectors(n: n, vectors: matrix, factors: factors).multiply(columns, work: rest)
      return 0
    }
  }

  /// Divides the tridiagonal matrix by its largest magnitude, and returns that.
  private func normalize(
    _ diagonal: UnsafeMutablePointer<Double>, _ couplings: UnsafeMutablePointer<Double>
  ) -> Double {
    var most = 0.0
    for k in 0..<n { most = max(most, diagonal[k].magnitude) }
    for k in 0..<n - 1 { most = max(most, couplings[k].magnitude) }
    guard most > 0 else { return 1 }
    for k in 0..<n { diagonal[k] /= most }
    for k in 0..<n - 1 { couplings[k] /= most }
    return most
  }

  /// Eigenvalues that differ in their last digits may have changed places. By insertion, as nearly all is in order.
  private static func sort(_ order: inout [Int32], by values: UnsafePointer<Double>) {
    for end in order.indices.dropFirst() {
      let column = order[end]
      var k = end
      while k > 0, values[Int(order[k - 1]) - 1] > values[Int(column) - 1] {
        order[k] = order[k - 1]
        k -= 1
      }
      order[k] = column
    }
  }

  /// Puts column order[k] − 1 into place k, cycle by cycle.
  private static func permute(
    _ n: Int, _ columns: UnsafeMutablePointer<Double>, _ order: inout [Int32],
    held: UnsafeMutablePointer<Double>
  ) {
    for start in 0..<n where Int(order[start]) != start + 1 {
      held.update(from: columns + start * n, count: n)
      var place = start
      while true {
        let from = Int(order[place]) - 1
        order[place] = Int32(place + 1)
        if from == start { break }
        (columns + place * n).update(from: columns + from * n, count: n)
        place = from
      }
      (columns + place * n).update(from: held, count: n)
    }
  }
}

/// The n − 1 reflectors of la_dsytrd, some at a time as I − V·T·Vᵀ (R. Schreiber and C. Van Loan, SIAM J. Sci. Stat. Comput.
/// 10, 1989).
private struct Reflectors {
  let n: Int
  /// Column k + 1 holds reflector k, of length k + 1.
  let vectors: UnsafeMutablePointer<Double>
  let factors: UnsafePointer<Double>

  private static let width = 48
  /// Columns that a task transforms.
  private static let share = 128

  /// Their product times an n×n matrix, in its place; `work` has room for 2·48·n numbers.
  func multiply(_ target: UnsafeMutablePointer<Double>, work: UnsafeMutablePointer<Double>) {
    let blocks = (n - 1 + Self.width - 1) / Self.width
    let (triangles, rest) = (work, work + blocks * Self.width * Self.width)
    Team.run(blocks) { block in
      let (first, count) = range(block)
      la_dlarft(
        Int32(first + count), Int32(count), column(first), Int32(n), factors + first,
        triangles + block * Self.width * Self.width, Int32(Self.width))
    }
    let parts = (n + Self.share - 1) / Self.share
    Team.run(parts) { part in
      let (start, end) = (n * part / parts, n * (part + 1) / parts)
      for block in 0..<blocks {
        let (first, count) = range(block)
        la_dlarfb(
          Int32(first + count), Int32(end - start), Int32(count), column(first), Int32(n),
          triangles + block * Self.width * Self.width, Int32(Self.width), target + start * n, Int32(n),
          rest + start * Self.width)
      }
    }
  }

  private func range(_ block: Int) -> (first: Int, count: Int) {
    let first = block * Self.width
    return (first, min(Self.width, n - 1 - first))
  }

  private func column(_ reflector: Int) -> UnsafeMutablePointer<Double> { vectors + (reflector + 1) * n }
}
