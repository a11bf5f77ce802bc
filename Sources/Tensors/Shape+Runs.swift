extension Shape {
  /// Calls `body` with the start and length of each contiguous piece of a box in a row-major tensor of this shape, in order.
  public func forEachRun(of box: [Range<Int>], _ body: (_ start: Int, _ length: Int) -> Void) {
    guard !box.contains(where: \.isEmpty) else { return }
    // Trailing axes that are whole, and the one before them, lie together.
    var first = count
    var run = 1
    while first > 0 {
      first -= 1
      run *= box[first].count
      if box[first].count < self[first] { break }
    }
    let strides = rowMajorStrides
    var index = box.prefix(first).map(\.lowerBound)
    let base = (first..<count).reduce(0) { $0 + box[$1].lowerBound * strides[$1] }
    while true {
      body(index.indices.reduce(base) { $0 + index[$1] * strides[$1] }, run)
      var axis = first - 1
      while axis >= 0 {
        index[axis] += 1
        if index[axis] < box[axis].upperBound { break }
        index[axis] = box[axis].lowerBound
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}
