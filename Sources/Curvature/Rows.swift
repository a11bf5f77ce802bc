import CKernels
import COpenBLAS
import LinearAlgebra

/// Vectors of one length, one after the other, each contiguous: bases, blocks of directions.
public struct Rows: Sendable {
  public internal(set) var count: Int
  public let length: Int
  /// Entry i of vector k is `entries[k * length + i]`; there may be more than `count` vectors' memory.
  public var entries: [Double]

  public init(count: Int, length: Int) {
    self.count = count
    self.length = length
    entries = [Double](repeating: 0, count: count * length)
  }

  public init(_ entries: [Double], length: Int) {
    precondition(length > 0 ? entries.count % length == 0 : entries.isEmpty)
    count = length > 0 ? entries.count / length : 0
    self.length = length
    self.entries = entries
  }

  public subscript(row: Int) -> ArraySlice<Double> { entries[row * length..<(row + 1) * length] }

  /// Some of the vectors.
  public func rows(_ range: Range<Int>) -> Rows {
    Rows(
      Array(entries[range.lowerBound * length..<range.upperBound * length]), length: length,
      count: range.count)
  }

  private init(_ entries: [Double], length: Int, count: Int) {
    self.entries = entries
    self.length = length
    self.count = count
  }

  /// The entries of the matrix with these vectors as columns, row-major.
  public var columns: [Double] {
    (0..<length).flatMap { i in (0..<count).map { entries[$0 * length + i] } }
  }

  public mutating func append(_ other: Rows) {
    entries.append(contentsOf: other.entries)
    count += other.count
  }

  mutating func negate() { for i in entries.indices { entries[i] = -entries[i] } }

  mutating func scale(row: Int, by factor: Double) {
    for i in row * length..<(row + 1) * length { entries[i] *= factor }
  }

  /// The Euclidean norm of a vector.
  public func norm(_ row: Int) -> Double {
    BLASThreads.useOne()
    return entries.withUnsafeBufferPointer { values in
      values.baseAddress.map { cblas_dnrm2(Int32(length), $0 + row * length, 1) } ?? 0
    }
  }
}

/// A small dense matrix, row-major.
struct SmallMatrix {
  let rows: Int
  let columns: Int
  var entries: [Double]

  init(_ rows: Int, _ columns: Int) {
    self.rows = rows
    self.columns = columns
    entries = [Double](repeating: 0, count: rows * columns)
  }

  subscript(i: Int, j: Int) -> Double {
    get { entries[i * columns + j] }
    set { entries[i * columns + j] = newValue }
  }
}

extension Rows {
  /// The dot products of vectors `range` with those of `other`: range.count×other.count.
  func dots(_ range: Range<Int>, _ other: Rows) -> SmallMatrix {
    var result = SmallMatrix(range.count, other.count)
    guard range.count > 0, other.count > 0, length > 0 else { return result }
    entries.withUnsafeBufferPointer { q in
      other.entries.withUnsafeBufferPointer { w in
        result.entries.withUnsafeMutableBufferPointer { c in
          guard let q = q.baseAddress, let w = w.baseAddress, let c = c.baseAddress else { return }
          let first = q + range.lowerBound * length
          if other.count <= Self.few {
            Self.dots(range.count, other.count, length, first, w, c)
          } else {
            let (m, k, n) = (Int32(range.count), Int32(other.count), Int32(length))
            BLASThreads.useOne()
            cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, k, n, 1, first, n, w, n, 0, c, k)
          }
        }
      }
    }
    return result
  }

  /// Subtracts Σᵢ c[i, k]·basis[first + i] from each vector k.
  mutating func subtract(_ c: SmallMatrix, of basis: Rows, from first: Int = 0) {
    guard c.rows > 0, count > 0, length > 0 else { return }
    let (count, length) = (count, length)
    entries.withUnsafeMutableBufferPointer { w in
      basis.entries.withUnsafeBufferPointer { q in
        c.entries.withUnsafeBufferPointer { x in
          guard let q = q.baseAddress, let w = w.baseAddress, let x = x.baseAddress else { return }
          let from = q + first * length
          if count <= Self.few {
            Self.subtract(c.rows, count, length, x, from, w)
          } else {
            let (m, k, n) = (Int32(c.rows), Int32(count), Int32(length))
            BLASThreads.useOne()
            cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, k, n, m, -1, x, k, from, n, 1, w, n)
          }
        }
      }
    }
  }

  /// With at most so many vectors BLAS would spend more on packing the basis than on the products: the team's threads
  /// take pieces of it, which stay in the cache for all vectors.
  private static let few = 4

  /// Rows of a basis, and entries of them, that make a piece.
  private static let (rowsOfPiece, entriesOfPiece) = (8, 512)

  /// c (m×k) = q·wᵀ for m rows of q and k rows of w, n entries each.
  private static func dots(
    _ m: Int, _ k: Int, _ n: Int, _ q: UnsafePointer<Double>, _ w: UnsafePointer<Double>,
    _ c: UnsafeMutablePointer<Double>
  ) {
    Team.run((m + rowsOfPiece - 1) / rowsOfPiece) { piece in
      let first = piece * rowsOfPiece
      var p = hk_product(
        m: Int64(min(rowsOfPiece, m - first)), n: 1, k: Int64(n), a_row: Int64(n), a_column: 1, b_row: 1,
        b_column: Int64(n), c_row: Int64(k), alpha: 1, adds: 0)
      for j in 0..<k { hk_product_f64(&p, q + first * n, w + j * n, c + first * k + j) }
    }
  }

  /// w (k×n) −= cᵀ·q for c of m×k.
  private static func subtract(
    _ m: Int, _ k: Int, _ n: Int, _ c: UnsafePointer<Double>, _ q: UnsafePointer<Double>,
    _ w: UnsafeMutablePointer<Double>
  ) {
    Team.run((n + entriesOfPiece - 1) / entriesOfPiece) { piece in
      let first = piece * entriesOfPiece
      var p = hk_product(
        m: 1, n: Int64(min(entriesOfPiece, n - first)), k: Int64(m), a_row: 1, a_column: Int64(k),
        b_row: Int64(n), b_column: 1, c_row: Int64(n), alpha: -1, adds: 1)
      for j in 0..<k { hk_product_f64(&p, c + j, q + first, w + j * n + first) }
    }
  }

  /// The combinations Σᵢ c[i, k]·self[i], one a column of c.
  func combined(_ c: SmallMatrix) -> Rows {
    var result = Rows(count: c.columns, length: length)
    guard c.rows > 0, c.columns > 0, length > 0 else { return result }
    let (m, k, n) = (Int32(c.rows), Int32(c.columns), Int32(length))
    result.entries.withUnsafeMutableBufferPointer { w in
      entries.withUnsafeBufferPointer { q in
        c.entries.withUnsafeBufferPointer { c in
          guard let q = q.baseAddress, let w = w.baseAddress, let c = c.baseAddress else { return }
          BLASThreads.useOne()
          cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, k, n, m, 1, c, k, q, n, 0, w, n)
        }
      }
    }
    return result
  }
}
