import COpenBLAS

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
    entries.withUnsafeBufferPointer { values in
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
    let (m, k, n) = (Int32(range.count), Int32(other.count), Int32(length))
    entries.withUnsafeBufferPointer { q in
      other.entries.withUnsafeBufferPointer { w in
        result.entries.withUnsafeMutableBufferPointer { c in
          guard let q = q.baseAddress, let w = w.baseAddress, let c = c.baseAddress else { return }
          let first = q + range.lowerBound * length
          if k == 1 {
            cblas_dgemv(CblasRowMajor, CblasNoTrans, m, n, 1, first, n, w, 1, 0, c, 1)
          } else {
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
    let (m, k, n) = (Int32(c.rows), Int32(count), Int32(length))
    entries.withUnsafeMutableBufferPointer { w in
      basis.entries.withUnsafeBufferPointer { q in
        c.entries.withUnsafeBufferPointer { c in
          guard let q = q.baseAddress, let w = w.baseAddress, let c = c.baseAddress else { return }
          let from = q + first * length
          if k == 1 {
            cblas_dgemv(CblasRowMajor, CblasTrans, m, n, -1, from, n, c, 1, 1, w, 1)
          } else {
            cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, k, n, m, -1, c, k, from, n, 1, w, n)
          }
        }
      }
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
          cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, k, n, m, 1, c, k, q, n, 0, w, n)
        }
      }
    }
    return result
  }
}
