import CKernels
import Graph
import Tensors

extension PlanBuilder {
  /// Gram matrices below this many multiplications, or with fewer rows a part, go the way of other products.
  private static var gramWork: Int { 300_000 }
  private static var gramRows: Int { 512 }
  /// Parts in which the rows are summed, at most.
  private static var gramParts: Int { 16 }

  /// alpha · Σₖ wₖ xₖᵢ xₖⱼ for one array x of contiguous rows and weights that only k moves: half of it is multiplied
  /// out, and no weighted copy of x is made. False for other products.
  func gramProduct(_ alpha: Double, _ task: Contraction) throws -> Bool {
    guard let gram = gram(task) else { return false }
    let (m, k) = (task.sizes[gram.i] ?? 1, task.sizes[gram.k] ?? 1)
    // Partial results take less memory than half of x.
    let parts = min(Self.gramParts, k / Self.gramRows, k / (2 * m))
    guard m >= 16, parts >= 2, m * m * k >= Self.gramWork else { return false }
    let weights = try weights(gram.weights, gram.k, k)
    emit(
      GramInstruction(
        x: gram.x, row: gram.x[gram.k],
        weights: weights.map { (buffer: $0.buffer, offset: $0.offset, step: $0[gram.k]) },
        partial: newBuffer(parts * m * m), out: task.out, rowStride: task.out[gram.i],
        columnStride: task.out[gram.j],
        m: m, k: k, parts: parts, alpha: alpha, adds: task.accumulate))
    return true
  }

  private struct Gram {
    var x: Access
    var i, j, k: Label
    var weights: [Access]
  }

  private func gram(_ task: Contraction) -> Gram? {
    func live(_ labels: some Sequence<Label>) -> Set<Label> { Set(labels.filter { task.sizes[$0] ?? 1 > 1 }) }
    let result = live(task.result)
    let sides = task.factors.filter { !live($0.strides.keys).isDisjoint(with: result) }
    guard result.count == 2, sides.count == 2, sides[0].buffer == sides[1].buffer,
      sides[0].offset == sides[1].offset
    else { return nil }
    let labels = sides.map { live($0.strides.keys) }
    guard labels[0].count == 2, labels[1].count == 2, let k = labels[0].intersection(labels[1]).first,
      let i = labels[0].subtracting([k]).first, let j = labels[1].subtracting([k]).first,
      result == [i, j], task.sizes[i] == task.sizes[j], sides[0][i] == 1, sides[1][j] == 1,
      sides[0][k] == sides[1][k], sides[0][k] >= task.sizes[i] ?? 1
    else { return nil }
    let weights = task.factors.filter { live($0.strides.keys).isDisjoint(with: result) }
    guard weights.allSatisfy({ live($0.strides.keys) == [k] }) else { return nil }
    return Gram(x: sides[0], i: i, j: j, k: k, weights: weights)
  }

  /// Several weights as one array.
  private func weights(_ factors: [Access], _ k: Label, _ size: Int) throws -> Access? {
    guard factors.count > 1 else { return factors.first }
    var program = LoopProgram(sizes: [k: size])
    var value = program.load(factors[0])
    for factor in factors.dropFirst() { value = program.apply(HK_MUL, value, program.load(factor)) }
    let out = Access(buffer: newBuffer(size), shape: [size], labels: [k])
    try emit(program, [(out, value, HK_STORE)])
    return out
  }
}

/// C (+)= alpha · Xᵀ·diag(w)·X, of which one half is multiplied out (`hk_gram`).
final class GramInstruction: Instruction {
  private let x: Access
  private let weights: (buffer: Int, offset: Int, step: Int)?
  private let partial: Int
  private let out: (buffer: Int, offset: Int)
  private var gram: hk_gram

  init(
    x: Access, row: Int, weights: (buffer: Int, offset: Int, step: Int)?, partial: Int, out: Access,
    rowStride: Int, columnStride: Int, m: Int, k: Int, parts: Int, alpha: Double, adds: Bool
  ) {
    self.x = x
    self.weights = weights
    self.partial = partial
    self.out = (out.buffer, out.offset)
    gram = hk_gram(
      m: Int64(m), k: Int64(k), a_row: Int64(row), w_step: Int64(weights?.step ?? 0), c_row: Int64(rowStride),
      c_column: Int64(columnStride), parts: Int64(parts), alpha: alpha, adds: adds ? 1 : 0)
    super.init(
      reads: [x.buffer] + (weights.map { [$0.buffer] } ?? []) + (adds ? [out.buffer] : []),
      writes: [partial, out.buffer])
  }

  override func run(_ memory: Memory) {
    switch memory.precision {
    case .f64:
      hk_gram_f64(
        &gram, memory.pointer(x.buffer, Double.self) + x.offset,
        weights.map { UnsafePointer(memory.pointer($0.buffer, Double.self) + $0.offset) },
        memory.pointer(partial, Double.self), memory.pointer(out.buffer, Double.self) + out.offset)
    case .f32:
      hk_gram_f32(
        &gram, memory.pointer(x.buffer, Float.self) + x.offset,
        weights.map { UnsafePointer(memory.pointer($0.buffer, Float.self) + $0.offset) },
        memory.pointer(partial, Float.self), memory.pointer(out.buffer, Float.self) + out.offset)
    }
  }

  override var multiplications: Double { Double(gram.k) * Double(gram.m) * Double(gram.m + 1) / 2 }

  override var summary: String { "gram \(gram.m)×\(gram.k)·\(gram.k)×\(gram.m) → b\(out.buffer)" }
}
