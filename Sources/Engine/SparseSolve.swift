import Graph
import LinearAlgebra
import Tensors

/// X with A·X = B for a sparse A: operands are A's values and B (n×m). What depends on the pattern alone is worked out
/// once for all runs of the plan.
final class SparseSolve: ExternalFunction, PlannedFunction, @unchecked Sendable {
  let pattern: SparsePattern

  init(_ pattern: SparsePattern) {
    self.pattern = pattern
    super.init(name: "sparse solve")
  }

  func instruction(reading inputs: [Int], _ shapes: [Shape], into output: Int) throws -> Instruction {
    do {
      let solver = try SparseSolver(pattern)
      return SparseSolveInstruction(solver, inputs[0], inputs[1], output, shape: shapes[1])
    } catch { throw EngineError.matrix("solve: \(error)") }
  }
}

/// What an `ExternalFunction` must know to stand in a plan.
protocol PlannedFunction {
  func instruction(reading inputs: [Int], _ shapes: [Shape], into output: Int) throws -> Instruction
}

private final class SparseSolveInstruction: Instruction {
  private let solver: SparseSolver
  private let values: Int
  private let right: Int
  private let output: Int
  private let rows: Int
  private let columns: Int
  /// Double precision and column-major, where the buffers are not.
  private var work: [Double] = []
  private var doubles: [Double] = []

  init(_ solver: SparseSolver, _ values: Int, _ right: Int, _ output: Int, shape: Shape) {
    self.solver = solver
    (self.values, self.right, self.output) = (values, right, output)
    (rows, columns) = (shape[0], shape[1])
    super.init(reads: [values, right], writes: [output])
  }

  override var canBeCopied: Bool { false }

  override func run(_ memory: Memory) throws {
    do {
      switch memory.precision {
      case .f64: try solveDouble(memory)
      case .f32: try solveSingle(memory)
      }
    } catch let error as LinearAlgebraError { throw EngineError.matrix("solve: \(error)") }
  }

  private func solveDouble(_ memory: Memory) throws {
    let a = UnsafeBufferPointer(start: memory.pointer(values, Double.self), count: solver.pattern.count)
    let b = memory.pointer(right, Double.self)
    let x = memory.pointer(output, Double.self)
    guard columns > 1 else {
      try solver.solve(a, b, x, count: columns)
      return
    }
    try solveColumns(a, { b[$0] }, { x[$0] = $1 })
  }

  private func solveSingle(_ memory: Memory) throws {
    let a = memory.pointer(values, Float.self)
    let b = memory.pointer(right, Float.self)
    let x = memory.pointer(output, Float.self)
    doubles = (0..<solver.pattern.count).map { Double(a[$0]) }
    try doubles.withUnsafeBufferPointer { wide in
      try solveColumns(wide, { Double(b[$0]) }, { x[$0] = Float($1) })
    }
  }

  /// Through a column-major copy.
  private func solveColumns(
    _ a: UnsafeBufferPointer<Double>, _ b: (Int) -> Double, _ store: (Int, Double) -> Void
  ) throws {
    if work.count < rows * columns { work = [Double](repeating: 0, count: rows * columns) }
    for i in 0..<rows { for j in 0..<columns { work[j * rows + i] = b(i * columns + j) } }
    try work.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      try solver.solve(a, base, base, count: columns)
    }
    for i in 0..<rows { for j in 0..<columns { store(i * columns + j, work[j * rows + i]) } }
  }

  override var summary: String { "\(solver.methodName) \(rows)×\(rows) → b\(output)" }
}
