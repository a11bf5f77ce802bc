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
    let room = 3 * n + max(TridiagonalEigen.workCount(n), Reflectors.workCount(n))
    guard let work = Storage(ifAvailable: room * MemoryLayout<Double>.stride),
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
    let info = la_dsytrd(
      BLASThreads.count(order: n), Int32(n), matrix, diagonal, couplings, factors)
    guard info == 0 else { return info }
    return withUnsafeTemporaryAllocation(
      of: Int32.self, capacity: n + TridiagonalEigen.integerCount(n)
    ) { integers in
      guard let order = integers.baseAddress else { return 0 }
      return vectors.withMutable(Double.self) { columns in
        guard let columns = columns.baseAddress else { return 0 }
        for piece in Self.pieces(n, diagonal, couplings) {
          let start = piece.lowerBound
          let solved = Self.solve(
            TridiagonalEigen(
              size: piece.count, diagonal: diagonal + start, couplings: couplings + start,
              vectors: columns + start * (n + 1), stride: n, order: order + start, work: rest,
              integers: order + n))
          guard solved == 0 else { return solved }
          for k in piece { order[k] += Int32(start) }
        }
        // Within a piece, eigenvalues that differ in their last digits may have changed places.
        var places = UnsafeMutableBufferPointer(start: order, count: n)
        places.sort { diagonal[Int($0) - 1] < diagonal[Int($1) - 1] }
        for k in 0..<n { values[k] = diagonal[Int(order[k]) - 1] }
        Self.permute(n, columns, order, held: rest)
        Reflectors(n: n, vectors: matrix, factors: factors).multiply(columns, work: rest)
        return 0
      }
    }
  }

  /// Where a coupling does not count beside its neighbours on the diagonal, the matrix falls apart (as in LAPACK's
  /// dstedc): each piece has eigenvalues that are accurate beside its own size.
  private static func pieces(
    _ n: Int, _ diagonal: UnsafePointer<Double>, _ couplings: UnsafePointer<Double>
  ) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var start = 0
    for k in 0..<n {
      let isLast =
        k == n - 1
        || couplings[k].magnitude <= Double.ulpOfOne / 2 * diagonal[k].magnitude.squareRoot()
          * diagonal[k + 1].magnitude.squareRoot()
      guard isLast else { continue }
      result.append(start..<k + 1)
      start = k + 1
    }
    return result
  }

  /// Scaled by a power of two, which rounds nothing.
  private static func solve(_ piece: TridiagonalEigen) -> Int32 {
    let n = piece.size
    if n == 1 {
      (piece.vectors[0], piece.order[0]) = (1, 1)
      return 0
    }
    let scale = unitScale(
      [
        UnsafeBufferPointer(start: piece.diagonal, count: n),
        UnsafeBufferPointer(start: piece.couplings, count: n - 1),
      ].joined())
    for k in 0..<n { piece.diagonal[k] *= scale }
    for k in 0..<n - 1 { piece.couplings[k] *= scale }
    let info = piece.solve()
    for k in 0..<n { piece.diagonal[k] /= scale }
    return info
  }

  /// Puts column order[k] − 1 into place k, cycle by cycle.
  private static func permute(
    _ n: Int, _ columns: UnsafeMutablePointer<Double>, _ order: UnsafeMutablePointer<Int32>,
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

  /// Numbers that `work` must have room for.
  static func workCount(_ n: Int) -> Int { (n / width + 1) * width * width + n * width }

  /// Their product times an n×n matrix, in its place.
  func multiply(_ target: UnsafeMutablePointer<Double>, work: UnsafeMutablePointer<Double>) {
    let blocks = (n - 1 + Self.width - 1) / Self.width
    let (triangles, rest) = (work, work + blocks * Self.width * Self.width)
    BLASThreads.useOne()
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
