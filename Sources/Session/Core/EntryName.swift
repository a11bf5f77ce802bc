import Tensors

extension Shape {
  /// `[1, 2]` for an entry, counted row-major; nothing for that of a scalar.
  func subscripts(_ entry: Int, separator: String = ", ") -> String {
    if isEmpty { return "" }
    let places = zip(self, rowMajorStrides).map { size, stride in "\(entry / stride % size)" }
    return "[\(places.joined(separator: separator))]"
  }
}
