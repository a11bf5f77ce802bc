/// Sizes of the axes of a tensor, row-major; empty for a scalar.
public typealias Shape = [Int]

extension Array where Element == Int {
  /// Number of entries of a tensor of this shape (1 for a scalar).
  public var elementCount: Int { reduce(1, *) }

  /// Row-major strides, in entries.
  public var rowMajorStrides: [Int] {
    var strides = [Int](repeating: 1, count: count)
    var step = 1
    for axis in indices.reversed() {
      strides[axis] = step
      step *= self[axis]
    }
    return strides
  }

  /// `5×3`, or `scalar`.
  public var shapeDescription: String {
    isEmpty ? "scalar" : map(String.init).joined(separator: "×")
  }
}
