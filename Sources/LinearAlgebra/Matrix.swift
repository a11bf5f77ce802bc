import COpenBLAS
import Tensors

/// The entries of a checked matrix as doubles, row-major: the form in which the routines of this module take
/// their operands. LAPACK reads the same memory as the transposed matrix, column-major.
struct Matrix {
  let rows: Int
  let columns: Int
  var values: [Double]

  /// Reads a tensor of rank 2. Throws `shapeMismatch`, `tooLarge`, and `notFinite` for the first entry that is
  /// infinite or NaN (LAPACK may loop or crash on those).
  init(_ a: Tensor) throws(LinearAlgebraError) {
    guard a.rank == 2 else { throw .shapeMismatch(a.shape, []) }
    try self.init(a.doubles, rows: a.shape[0], columns: a.shape[1])
  }

  /// Reads a square matrix; throws `notSquare` otherwise.
  init(square a: Tensor) throws(LinearAlgebraError) {
    guard a.rank == 2, a.shape[0] == a.shape[1] else { throw .notSquare(a.shape) }
    try self.init(a)
  }

  /// Reads the right-hand side of a system of `rows` equations: a vector or a matrix.
  init(rightHandSide b: Tensor, rows: Int) throws(LinearAlgebraError) {
    guard b.rank == 1 || b.rank == 2, b.shape[0] == rows else {
      throw .shapeMismatch([rows, rows], b.shape)
    }
    try self.init(b.doubles, rows: rows, columns: b.rank == 1 ? 1 : b.shape[1])
  }

  private init(_ values: [Double], rows: Int, columns: Int) throws(LinearAlgebraError) {
    guard max(rows, columns) < Int32.max / 8 else { throw .tooLarge([rows, columns]) }
    if let bad = values.withUnsafeBufferPointer(firstNonFinite) {
      throw .notFinite(row: bad / columns, column: bad % columns)
    }
    (self.rows, self.columns, self.values) = (rows, columns, values)
  }

  /// Swaps rows and columns.
  func transposed() -> [Double] {
    [Double](unsafeUninitializedCapacity: values.count) { target, count in
      if let target = target.baseAddress {
        transposeEntries(values, rows: rows, columns: columns, to: target)
      }
      count = values.count
    }
  }

  /// The largest column sum of absolute values.
  var oneNorm: Double {
    var sums = [Double](repeating: 0, count: columns)
    for row in 0..<rows { for column in 0..<columns { sums[column] += abs(values[row * columns + column]) } }
    return sums.max() ?? 0
  }
}

extension Tensor {
  /// The entries of a row-major matrix in column-major order; of the swapped shape when none is given.
  init(
    transposing source: UnsafePointer<Double>, rows: Int, columns: Int, shape: Shape? = nil,
    _ precision: Precision = .f64
  ) {
    self.init(uninitialized: shape ?? [columns, rows], precision)
    func fill<T: TensorScalar>(_ target: UnsafeMutableBufferPointer<T>) {
      guard let target = target.baseAddress else { return }
      transposeEntries(source, rows: rows, columns: columns, to: target)
    }
    switch precision {
    case .f64: withMutable(Double.self, fill)
    case .f32: withMutable(Float.self, fill)
    }
  }

  /// Of a matrix in f64, at a precision.
  public func transposed(_ precision: Precision = .f64) -> Tensor {
    withEntries(Double.self) {
      guard let source = $0.baseAddress else { return Tensor([], [shape[1], shape[0]], precision) }
      return Tensor(transposing: source, rows: shape[0], columns: shape[1], precision)
    }
  }
}

/// Writes the entries of a row-major matrix in column-major order, by square tiles, on all threads where they are many.
func transposeEntries<T: TensorScalar>(
  _ source: UnsafePointer<Double>, rows: Int, columns: Int, to target: UnsafeMutablePointer<T>
) {
  let tile = 32
  func stripe(_ number: Int) {
    let first = number * tile
    let end = min(first + tile, columns)
    for top in stride(from: 0, to: rows, by: tile) {
      for j in first..<end {
        for i in top..<min(top + tile, rows) { target[j * rows + i] = T(source[i * columns + j]) }
      }
    }
  }
  let stripes = (columns + tile - 1) / tile
  if rows * columns < 1 << 16 { (0..<stripes).forEach(stripe) } else { Team.run(stripes, stripe) }
}

/// The index of the first infinite or NaN entry.
@inlinable
public func firstNonFinite<T: TensorScalar>(_ entries: UnsafeBufferPointer<T>) -> Int? {
  // x − x is 0 exactly for finite x; four sums at a time give the usual answer quickly.
  var sums: (T, T, T, T) = (0, 0, 0, 0)
  var i = 0
  while i + 4 <= entries.count {
    sums.0 += entries[i] - entries[i]
    sums.1 += entries[i + 1] - entries[i + 1]
    sums.2 += entries[i + 2] - entries[i + 2]
    sums.3 += entries[i + 3] - entries[i + 3]
    i += 4
  }
  if sums.0 + sums.1 + sums.2 + sums.3 == 0 {
    return entries[i...].firstIndex { !$0.isFinite }
  }
  return entries.firstIndex { !$0.isFinite }
}

/// Turns LAPACK's `info` of an iterative routine into an error.
func checkConverged(_ info: Int32, _ shape: Shape) throws(LinearAlgebraError) {
  if info > 0 { throw .didNotConverge }
  try checkMemory(info, shape)
}

/// Throws `tooLarge` when a wrapper could not get its workspace.
func checkMemory(_ info: Int32, _ shape: Shape) throws(LinearAlgebraError) {
  if Int(info) == LA_NO_MEMORY || Int(info) == LA_TOO_LARGE { throw .tooLarge(shape) }
  precondition(info >= 0, "LAPACK rejects argument \(-info)")
}
