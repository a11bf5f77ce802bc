import CKernels

/// How entries are stored.
public enum Precision: String, Sendable {
  case f64, f32
  public var byteCount: Int { self == .f64 ? 8 : 4 }
}

/// Numbers that a kernel can work on: `Double` or `Float`.
public protocol TensorScalar: BinaryFloatingPoint, Sendable {
  static var precision: Precision { get }
  /// None of the entries is infinite or NaN.
  static func areFinite(_ entries: UnsafeBufferPointer<Self>) -> Bool
}

extension Double: TensorScalar {
  public static var precision: Precision { .f64 }
  public static func areFinite(_ entries: UnsafeBufferPointer<Double>) -> Bool {
    hk_are_finite_f64(entries.baseAddress, entries.count) != 0
  }
}
extension Float: TensorScalar {
  public static var precision: Precision { .f32 }
  public static func areFinite(_ entries: UnsafeBufferPointer<Float>) -> Bool {
    hk_are_finite_f32(entries.baseAddress, entries.count) != 0
  }
}

/// A dense row-major tensor of doubles or floats with value semantics (copy on write).
public struct Tensor: @unchecked Sendable {
  public let shape: Shape
  public let precision: Precision
  private var storage: Storage

  /// A tensor whose entries are not set yet.
  public init(uninitialized shape: Shape, _ precision: Precision = .f64) {
    self.shape = shape
    self.precision = precision
    storage = Storage(byteCount: shape.elementCount * precision.byteCount)
  }

  /// A tensor with the same number everywhere.
  public init(repeating value: Double = 0, _ shape: Shape, _ precision: Precision = .f64) {
    self.init(uninitialized: shape, precision)
    switch precision {
    case .f64: withMutable(Double.self) { $0.update(repeating: value) }
    case .f32: withMutable(Float.self) { $0.update(repeating: Float(value)) }
    }
  }

  /// A tensor with the given entries in row-major order; `values.count` must be the shape's entry count.
  public init(_ values: [Double], _ shape: Shape, _ precision: Precision = .f64) {
    precondition(values.count == shape.elementCount, "entries do not fill the shape")
    self.init(uninitialized: shape, precision)
    switch precision {
    case .f64: withMutable(Double.self) { for i in 0..<values.count { $0[i] = values[i] } }
    case .f32: withMutable(Float.self) { for i in 0..<values.count { $0[i] = Float(values[i]) } }
    }
  }

  public init(scalar: Double, _ precision: Precision = .f64) { self.init([scalar], [], precision) }

  public init(vector: [Double], _ precision: Precision = .f64) {
    self.init(vector, [vector.count], precision)
  }

  public var count: Int { shape.elementCount }
  public var rank: Int { shape.count }

  /// Reads the entries in place. `T` must match `precision`.
  @inline(__always)
  public func withEntries<T: TensorScalar, R>(
    _: T.Type, _ body: (UnsafeBufferPointer<T>) throws -> R
  ) rethrows -> R {
    precondition(T.precision == precision)
    let base = UnsafePointer(storage.pointer.assumingMemoryBound(to: T.self))
    return try withExtendedLifetime(storage) { try body(UnsafeBufferPointer(start: base, count: count)) }
  }

  /// Writes the entries in place, copying first when the memory is shared. `T` must match `precision`.
  @inline(__always)
  public mutating func withMutable<T: TensorScalar, R>(
    _: T.Type, _ body: (UnsafeMutableBufferPointer<T>) throws -> R
  ) rethrows -> R {
    precondition(T.precision == precision)
    makeUnique()
    let base = storage.pointer.assumingMemoryBound(to: T.self)
    return try withExtendedLifetime(storage) {
      try body(UnsafeMutableBufferPointer(start: base, count: count))
    }
  }

  /// The address of the entries, for kernels that write in place; unique after this call and valid while the
  /// tensor lives unshared.
  public mutating func uniquePointer() -> UnsafeMutableRawPointer {
    makeUnique()
    return storage.pointer
  }

  /// The memory, for evaluators that keep it alive while they read.
  public var sharedStorage: Storage { storage }

  /// Entries in memory that someone else owns and that must not change while this tensor, or a copy, lives.
  public init(viewing pointer: UnsafeMutableRawPointer, _ shape: Shape, _ precision: Precision) {
    self.init(
      storage: Storage(viewing: pointer, byteCount: shape.elementCount * precision.byteCount), shape: shape,
      precision: precision)
  }

  /// A tensor whose entries lie in `storage`, from its beginning.
  public init(sharing storage: Storage, _ shape: Shape, _ precision: Precision) {
    precondition(storage.byteCount >= shape.elementCount * precision.byteCount)
    self.init(storage: storage, shape: shape, precision: precision)
  }

  private mutating func makeUnique() {
    guard !isKnownUniquelyReferenced(&storage) else { return }
    let fresh = Storage(byteCount: storage.byteCount)
    fresh.pointer.copyMemory(from: storage.pointer, byteCount: storage.byteCount)
    storage = fresh
  }

  /// Entries as doubles in row-major order.
  public var doubles: [Double] {
    switch precision {
    case .f64: return withEntries(Double.self) { Array($0) }
    case .f32: return withEntries(Float.self) { $0.map(Double.init) }
    }
  }

  /// Entry `index` in row-major order, as a double.
  public subscript(flat index: Int) -> Double {
    get {
      precondition(index >= 0 && index < count)
      switch precision {
      case .f64: return withEntries(Double.self) { $0[index] }
      case .f32: return withEntries(Float.self) { Double($0[index]) }
      }
    }
    set {
      precondition(index >= 0 && index < count)
      switch precision {
      case .f64: withMutable(Double.self) { $0[index] = newValue }
      case .f32: withMutable(Float.self) { $0[index] = Float(newValue) }
      }
    }
  }

  /// No entry is infinite or NaN.
  public var isFinite: Bool {
    switch precision {
    case .f64: return withEntries(Double.self, Double.areFinite)
    case .f32: return withEntries(Float.self, Float.areFinite)
    }
  }

  /// The number in a tensor of one entry.
  public var scalarValue: Double { self[flat: 0] }

  /// The same entries in another precision (rounded to nearest).
  public func converted(to target: Precision) -> Tensor {
    target == precision ? self : Tensor(doubles, shape, target)
  }

  /// The same entries under another shape with as many entries.
  public func reshaped(_ shape: Shape) -> Tensor {
    precondition(shape.elementCount == count)
    return Tensor(storage: storage, shape: shape, precision: precision)
  }

  private init(storage: Storage, shape: Shape, precision: Precision) {
    self.storage = storage
    self.shape = shape
    self.precision = precision
  }
}
