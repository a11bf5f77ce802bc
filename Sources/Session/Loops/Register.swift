import Graph
import Tensors

/// The value of a name while a loop runs compiled: memory that plans read and write without looking names up. The
/// session sees it when the loop leaves off (`LoopRegisters.flush`).
///
/// A new value is written to `spare` and takes its place by a swap, so that the old one is there until the statement is
/// done. Memory that someone else may hold (`isShared`) is never written again.
final class Register {
  enum Role { case variable, loopVariable, param, data, constant }

  let name: String
  let bindingID: Int
  let role: Role
  /// Bound in the procedure that runs, not at the top.
  let isLocal: Bool
  /// What plans know it as.
  let leaf: Leaf
  let shape: Shape
  let precision: Precision
  /// Entries.
  let count: Int
  let byteCount: Int
  /// The value's memory, and that where the next value is written, once `hasSpare`. In memory of their own they change
  /// places without counting references.
  private let storages: UnsafeMutablePointer<Storage>
  private(set) var pointer: UnsafeMutableRawPointer
  private var hasSpare = false
  private(set) var isShared = true
  /// Another number for each value.
  private(set) var version = 0
  /// The session does not know the present value yet.
  var isDirty = false

  init(
    _ name: String, _ role: Role, isLocal: Bool, _ leaf: Leaf, bindingID: Int, _ value: Tensor,
    _ precision: Precision
  ) {
    self.name = name
    self.bindingID = bindingID
    self.role = role
    self.isLocal = isLocal
    self.leaf = leaf
    shape = value.shape
    self.precision = precision
    count = value.shape.elementCount
    byteCount = count * precision.byteCount
    storages = .allocate(capacity: 2)
    storages.initialize(repeating: value.converted(to: precision).sharedStorage, count: 2)
    pointer = storages[0].pointer
  }

  deinit {
    storages.deinitialize(count: 2)
    storages.deallocate()
  }

  private var storage: Storage {
    get { storages[0] }
    set { storages[0] = newValue }
  }

  /// Takes a value from the session.
  func load(_ value: Tensor) {
    isDirty = false
    let source = value.converted(to: precision).sharedStorage
    if source === storage { return }
    (storage, pointer, isShared) = (source, source.pointer, true)
    version += 1
  }

  /// The value, whose memory is shared from now on.
  var tensor: Tensor {
    isShared = true
    return Tensor(sharing: storage, shape, precision)
  }

  /// The memory of the value, kept alive and unchanged from now on.
  func share() -> Storage {
    isShared = true
    return storage
  }

  /// Where the next value may be written.
  @inline(__always)
  func spareMemory() -> UnsafeMutableRawPointer {
    if !hasSpare {
      storages[1] = Storage(byteCount: byteCount)
      hasSpare = true
    }
    return storages[1].pointer
  }

  /// What stands in `spareMemory` is the value now.
  @inline(__always)
  func commit() {
    guard hasSpare else { return }
    swap(&storages[0], &storages[1])
    pointer = storages[0].pointer
    if isShared {
      storages[1] = storages[0]
      hasSpare = false
    }
    isShared = false
    isDirty = true
    version += 1
  }

  /// Takes over another register's value without copying it.
  func share(from other: Register) {
    storage = other.share()
    pointer = storage.pointer
    isShared = true
    isDirty = true
    version += 1
  }

  /// The memory of the value, for changing entries of it.
  func ownMemory() -> UnsafeMutableRawPointer {
    if isShared {
      spareMemory().copyMemory(from: pointer, byteCount: byteCount)
      commit()
    }
    isDirty = true
    version += 1
    return pointer
  }

  func setNumber(_ value: Double) {
    let target = spareMemory()
    switch precision {
    case .f64: target.storeBytes(of: value, as: Double.self)
    case .f32: target.storeBytes(of: Float(value), as: Float.self)
    }
    commit()
  }

  /// Entry k of memory in this register's precision.
  static func number(_ memory: UnsafeRawPointer, _ k: Int, _ precision: Precision) -> Double {
    switch precision {
    case .f64: return memory.load(fromByteOffset: 8 * k, as: Double.self)
    case .f32: return Double(memory.load(fromByteOffset: 4 * k, as: Float.self))
    }
  }

  var isFinite: Bool { Tensor(sharing: storage, shape, precision).isFinite }

  func copyEntries(to target: UnsafeMutablePointer<Double>) {
    switch precision {
    case .f64: target.update(from: pointer.assumingMemoryBound(to: Double.self), count: count)
    case .f32:
      let source = pointer.assumingMemoryBound(to: Float.self)
      for k in 0..<count { target[k] = Double(source[k]) }
    }
  }
}

/// The registers of one loop.
final class LoopRegisters {
  private(set) var all: [Register] = []
  private var byBinding: [Int: Register] = [:]
  /// The params that points of the path tell, in order of declaration.
  private(set) var pathParams: [Register] = []
  private(set) var pathLayout: Path.Layout?
  /// The same params, without reference counting.
  private var pathRegisters: [Unmanaged<Register>] = []

  subscript(_ binding: Int) -> Register? { byBinding[binding] }

  func add(_ register: Register) {
    all.append(register)
    byBinding[register.leaf.id] = register
  }

  /// Values from the session; false when one no longer fits.
  func load(_ interpreter: Interpreter) -> Bool {
    for register in all {
      guard let value = interpreter.value(of: register), value.shape == register.shape else { return false }
      register.load(value)
    }
    return true
  }

  /// Hands changed values to the session.
  func flush(_ interpreter: Interpreter) {
    var changes = false
    for register in all where register.isDirty {
      interpreter.take(register)
      register.isDirty = false
      changes = changes || !register.isLocal && register.role != .loopVariable
    }
    interpreter.valuesChanged(count: changes)
  }

  func setPath(_ params: [Register], _ layout: Path.Layout?) {
    pathParams = params
    pathRegisters = params.map { .passUnretained($0) }
    pathLayout = layout
  }

  /// Notes the present params on the path.
  func notePoint(_ interpreter: Interpreter) {
    guard let layout = pathLayout else { return }
    interpreter.state.path.append(value: nil, gradientNorm: nil, layout) { target in
      var offset = 0
      for k in pathRegisters.indices {
        pathRegisters[k]._withUnsafeGuaranteedRef { param in
          param.copyEntries(to: target + offset)
          offset += param.count
        }
      }
    }
  }
}

extension Interpreter {
  /// The session's binding behind a register; nil when the name is something else now.
  fileprivate func value(of register: Register) -> Tensor? {
    if register.role == .constant { return try? inputValue(register.leaf) }
    let binding =
      register.isLocal ? state.frames.last?.locals[register.name] : state.globals[register.name]
    switch (binding, register.role) {
    case (.variable(let v)?, .variable), (.variable(let v)?, .loopVariable):
      guard v.id == register.bindingID, case .tensor(let t) = v.value else { return nil }
      return t
    case (.param(let leaf)?, .param), (.data(let leaf)?, .data):
      return leaf.id == register.bindingID ? leaf.value : nil
    default: return nil
    }
  }

  fileprivate func take(_ register: Register) {
    let tensor = register.tensor
    if register.isLocal {
      state.frames[state.frames.count - 1].locals[register.name] = binding(register, tensor)
    } else {
      state.globals[register.name] = binding(register, tensor)
    }
  }

  /// What the register's name is bound to when it has this value.
  func binding(_ register: Register, _ tensor: Tensor) -> Binding? {
    switch register.role {
    case .variable: return .variable(Variable(id: register.bindingID, value: .tensor(tensor)))
    case .loopVariable:
      let value = Value.tensor(tensor.converted(to: .f64))
      return .variable(Variable(id: register.bindingID, value: value, isLoopVariable: true))
    case .param, .data, .constant:
      switch state.globals[register.name] {
      case .param(var leaf)?:
        leaf.value = tensor
        return .param(leaf)
      case .data(var leaf)?:
        leaf.value = tensor
        return .data(leaf)
      case let other: return other
      }
    }
  }

  /// Values of names were changed at once.
  fileprivate func valuesChanged(count: Bool) {
    valueVersion += 1
    if count { changeCount += 1 }
  }
}
