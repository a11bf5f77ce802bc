import Graph
import LinearAlgebra
import Tensors

/// Linear algebra over batches: which matrix of each operand every entry of the result is computed from.
struct MatrixBatch {
  private let function: MatrixFunction
  private let batch: Shape
  private let result: Shape
  /// Strides of the batch axes in each operand, counted in matrices.
  private let strides: [[Int]]

  init(_ f: MatrixFunction, _ node: Node) {
    function = f
    result = node.shape
    let sizes = Array(node.shape.dropLast(f.resultRank))
    batch = sizes
    strides = node.operands.map { operand in
      var strides = [Int](repeating: 0, count: sizes.count)
      var stride = 1
      for label in operand.labels.dropLast(2).reversed() {
        strides[label] += stride
        stride *= sizes[label]
      }
      return strides
    }
  }

  /// The function for every entry, in double precision. Entries that share their first operand follow one another,
  /// so that it is factored once.
  func evaluate(_ arguments: [Tensor]) throws -> Tensor {
    let precision = arguments[0].precision
    let inputs = arguments.map { $0.converted(to: .f64) }
    do {
      return try (function == .solve ? solve(inputs) : each(inputs[0])).converted(to: precision)
    } catch let error as LinearAlgebraError {
      throw EngineError.matrix("\(function.rawValue): \(error)")
    }
  }

  private func each(_ a: Tensor) throws -> Tensor {
    if batch.isEmpty { return try TensorKernels.matrix(function, a) }
    let matrices = Matrices(a)
    var values: [Double] = []
    values.reserveCapacity(result.elementCount)
    for entry in 0..<batch.elementCount {
      try Interruption.check()
      values += try TensorKernels.matrix(function, matrices[place(entry, strides[0])]).doubles
    }
    return Tensor(values, result)
  }

  private func solve(_ inputs: [Tensor]) throws -> Tensor {
    if batch.isEmpty { return try LU(inputs[0]).solve(inputs[1]) }
    let (a, b) = (Matrices(inputs[0]), Matrices(inputs[1]))
    let size = result.suffix(2).reduce(1, *)
    var values = [Double](repeating: 0, count: result.elementCount)
    let entries = (0..<batch.elementCount).map { (entry: $0, a: place($0, strides[0])) }
    var factor: (a: Int, lu: LU)?
    for (entry, place) in entries.sorted(by: { ($0.a, $0.entry) < ($1.a, $1.entry) }) {
      try Interruption.check()
      let lu: LU
      if let known = factor, known.a == place { lu = known.lu } else { lu = try LU(a[place]) }
      factor = (place, lu)
      let x = try lu.solve(b[self.place(entry, strides[1])])
      values.replaceSubrange((entry * size)..<((entry + 1) * size), with: x.doubles)
    }
    return Tensor(values, result)
  }

  /// The matrix of an operand that belongs to an entry of the batch (row-major).
  private func place(_ entry: Int, _ strides: [Int]) -> Int {
    var rest = entry
    var place = 0
    for axis in batch.indices.reversed() {
      place += rest % batch[axis] * strides[axis]
      rest /= batch[axis]
    }
    return place
  }

  /// The last two axes of a tensor, one matrix at a time.
  private struct Matrices {
    private let values: [Double]
    private let shape: Shape
    private let size: Int
    init(_ tensor: Tensor) {
      values = tensor.doubles
      shape = Array(tensor.shape.suffix(2))
      size = shape.elementCount
    }
    subscript(_ place: Int) -> Tensor { Tensor(Array(values[(place * size)..<((place + 1) * size)]), shape) }
  }
}
