import CKernels
import Testing

@testable import Engine

/// Scalar programs hold places of entries in 32 bits: what reaches beyond them stays a loop.
@Suite struct ScalarReachTests {
  private func copy(from offset: Int, stride: Int) -> LoopInstruction {
    var (input, output) = (hk_access(), hk_output())
    (input.buffer, input.reg, input.offset) = (0, 0, Int64(offset))
    input[stride: 0] = stride
    (output.access.buffer, output.access.reg, output.mode) = (1, 0, Int32(HK_STORE.rawValue))
    output.access[stride: 0] = 1
    return LoopInstruction(sizes: [4], inputs: [input], ops: [], outputs: [output], registers: 1)
  }

  @Test(arguments: [
    (0, 1, true), (0, 700_000_000, true), (Int(Int32.max) - 3, 1, true), (Int(Int32.max) - 2, 1, false),
    (0, 715_827_883, false), (1 << 31, -1, false), (Int(Int32.max), -1, true),
  ]) func places(offset: Int, stride: Int, isScalar: Bool) {
    let result = ScalarFusion.apply([copy(from: offset, stride: stride)], kept: [1])
    #expect(result.count == 1 && (result[0] is ScalarInstruction) == isScalar)
  }
}
