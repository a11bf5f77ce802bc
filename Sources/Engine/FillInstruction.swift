import CKernels
import Tensors

/// Sets a whole buffer to one number.
final class FillInstruction: Instruction {
  let buffer: Int
  let count: Int
  let value: Double
  init(_ buffer: Int, count: Int, value: Double = 0) {
    self.buffer = buffer
    self.count = count
    self.value = value
    super.init(reads: [], writes: [buffer])
  }
  override func run(_ memory: Memory) {
    switch memory.precision {
    case .f64: hk_fill_f64(memory.pointer(buffer, Double.self), Int64(count), value)
    case .f32: hk_fill_f32(memory.pointer(buffer, Float.self), Int64(count), Float(value))
    }
  }
  override var summary: String { "fill b\(buffer)[\(count)] = \(value)" }
}
