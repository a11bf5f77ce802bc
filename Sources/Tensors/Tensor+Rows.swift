extension Tensor {
  /// The entries of the first axis at `places`, in this order, as a new tensor; a place may come more than once.
  ///
  /// - Precondition: the tensor has an axis, and every place is on it.
  public func rows(_ places: some Collection<Int>) -> Tensor {
    precondition(rank > 0, "a scalar has no rows")
    let inner = Array(shape.dropFirst())
    var result = Tensor(uninitialized: [places.count] + inner, precision)
    let length = inner.elementCount * precision.byteCount
    let (source, target) = (sharedStorage.pointer, result.uniquePointer())
    withExtendedLifetime((self, result)) {
      var end = 0
      for place in places {
        precondition(place >= 0 && place < shape[0])
        (target + end).copyMemory(from: source + place * length, byteCount: length)
        end += length
      }
    }
    return result
  }

  /// Bytes as numbers, each multiplied by `scale`.
  public init(bytes: UnsafeRawBufferPointer, scaledBy scale: Double, _ shape: Shape, _ precision: Precision) {
    precondition(bytes.count == shape.elementCount, "entries do not fill the shape")
    self.init(uninitialized: shape, precision)
    // A byte has 256 values: a table rounds each of them once.
    switch precision {
    case .f64:
      let table = (0..<256).map { Double($0) * scale }
      withMutable(Double.self) { entries in for k in bytes.indices { entries[k] = table[Int(bytes[k])] } }
    case .f32:
      let table = (0..<256).map { Float(Double($0) * scale) }
      withMutable(Float.self) { entries in for k in bytes.indices { entries[k] = table[Int(bytes[k])] } }
    }
  }

  /// A flat vector as tensors of these shapes, one after the other.
  ///
  /// - Precondition: the vector has an entry for each of theirs.
  public static func pieces(of flat: [Double], _ shapes: [Shape], _ precision: Precision) -> [Tensor] {
    var start = 0
    return shapes.map { shape in
      defer { start += shape.elementCount }
      return Tensor(Array(flat[start..<start + shape.elementCount]), shape, precision)
    }
  }
}
