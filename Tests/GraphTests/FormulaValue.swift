import Tensors

@testable import Graph

/// Evaluates printed formulas and graphs over axes of one size, to compare them. Values are matrices: a vector is a
/// column, a scalar 1×1.
struct FormulaValue {
  var rows: Int
  var columns: Int
  var data: [Double]

  init(_ rows: Int, _ columns: Int, _ data: [Double]) {
    self.rows = rows
    self.columns = columns
    self.data = data
  }
  init(_ number: Double) { self.init(1, 1, [number]) }
  init(_ tensor: Tensor) {
    let shape = tensor.shape
    self.init(shape.first ?? 1, shape.count > 1 ? shape[1] : 1, tensor.doubles)
  }

  var isScalar: Bool { data.count == 1 }
  var transposed: FormulaValue {
    FormulaValue(columns, rows, (0..<columns).flatMap { j in (0..<rows).map { data[$0 * columns + j] } })
  }
  func mapped(_ f: (Double) -> Double) -> FormulaValue { FormulaValue(rows, columns, data.map(f)) }
}

/// The meaning of an expression, term by term.
struct FormulaEvaluator {
  static let size = 3
  let graph: TensorGraph
  let values: [String: Tensor]
  var failure: String?

  mutating func value(_ e: MathExpression, _ letters: [String: Int] = [:]) -> FormulaValue {
    switch e {
    case .name(let name):
      return letters[name].map { FormulaValue(Double($0)) } ?? values[name].map { FormulaValue($0) }
        ?? fail("name \(name)")
    case .reference(let id): return FormulaValue(graph.naive(id, values))
    case .symbol(let symbol): return self.symbol(symbol)
    case .number(let number): return FormulaValue(number)
    case .sum(let terms):
      return terms.reduce(FormulaValue(0)) { sum, term in
        let body = value(term.body, letters)
        return pointwise(sum, body.mapped { $0 * term.coefficient }, +)
      }
    case .product(let scale, let factors, let kind):
      let parts = factors.map { value($0, letters) }
      var product = parts.first ?? FormulaValue(1)
      for part in parts.dropFirst() { product = multiply(product, part, kind) }
      return product.mapped { $0 * scale }
    case .quotient(let a, let b, let elementwise):
      let (x, y) = (value(a, letters), value(b, letters))
      if !elementwise && !x.isScalar && !y.isScalar { return fail("quotient of vectors") }
      return pointwise(x, y, /)
    case .power(let base, let n, _): return value(base, letters).mapped { MapFunction.power(n)($0) }
    case .transpose(let inner): return value(inner, letters).transposed
    case .call(let name, let arguments): return call(name, arguments.map { value($0, letters) })
    case .fence(.norm, let inner):
      return FormulaValue(value(inner, letters).data.reduce(0) { $0 + $1 * $1 }.squareRoot())
    case .fence(.absolute, let inner): return value(inner, letters).mapped(\.magnitude)
    case .over("sum", let names, let body): return summed(names[...], body, letters)
    case .indexed(let base, let indices): return indexed(base, indices, letters)
    case .delta(let a, let b): return FormulaValue(place(a, letters) == place(b, letters) ? 1 : 0)
    default: return fail("\(e)")
    }
  }

  private mutating func fail(_ reason: String) -> FormulaValue {
    failure = reason
    return FormulaValue(.nan)
  }

  private mutating func place(_ index: AffineIndex, _ letters: [String: Int]) -> Int {
    index.terms.reduce(index.constant) { $0 + $1.coefficient * Int(value($1.expression, letters).data[0]) }
  }

  private mutating func symbol(_ symbol: MathSymbol) -> FormulaValue {
    let n = Self.size
    switch symbol {
    case .identity: return FormulaValue(n, n, (0..<n * n).map { $0 % (n + 1) == 0 ? 1 : 0 })
    case .ones: return FormulaValue(n, 1, Array(repeating: 1, count: n))
    case .unit(let k): return FormulaValue(n, 1, (0..<n).map { $0 == k ? 1 : 0 })
    case .ellipsis: return fail("cut")
    }
  }

  private mutating func pointwise(
    _ a: FormulaValue, _ b: FormulaValue, _ f: (Double, Double) -> Double
  ) -> FormulaValue {
    if a.isScalar { return b.mapped { f(a.data[0], $0) } }
    if b.isScalar { return a.mapped { f($0, b.data[0]) } }
    guard a.rows == b.rows, a.columns == b.columns else { return fail("shapes \(a) \(b)") }
    return FormulaValue(a.rows, a.columns, zip(a.data, b.data).map(f))
  }

  private mutating func multiply(_ a: FormulaValue, _ b: FormulaValue, _ kind: MathProductKind)
    -> FormulaValue
  {
    switch kind {
    case .scalar where !a.isScalar && !b.isScalar: return fail("product of vectors")
    case .scalar, .pointwise: return pointwise(a, b, *)
    case .matrix:
      guard a.columns == b.rows else { return fail("matrix product \(a) \(b)") }
      var data: [Double] = []
      for i in 0..<a.rows {
        for j in 0..<b.columns {
          data.append(
            (0..<a.columns).reduce(0) { $0 + a.data[i * a.columns + $1] * b.data[$1 * b.columns + j] })
        }
      }
      return FormulaValue(a.rows, b.columns, data)
    }
  }

  private mutating func call(_ name: String, _ x: [FormulaValue]) -> FormulaValue {
    let a = x[0]
    let n = a.rows
    switch name {
    case "sum": return FormulaValue(a.data.reduce(0, +))
    case "trace": return FormulaValue((0..<n).reduce(0) { $0 + a.data[$1 * (n + 1)] })
    case "diag", "diagonal":
      if (name == "diag") != (a.columns == 1) { return fail(name) }
      if a.columns > 1 { return FormulaValue(n, 1, (0..<n).map { a.data[$0 * (n + 1)] }) }
      return FormulaValue(n, n, (0..<n * n).map { $0 % (n + 1) == 0 ? a.data[$0 / n] : 0 })
    case "exp": return a.mapped { MapFunction.exp($0) }
    case "sin": return a.mapped { MapFunction.sin($0) }
    case "tanh": return a.mapped { MapFunction.tanh($0) }
    default: return fail("call \(name)")
    }
  }

  private mutating func summed(
    _ names: ArraySlice<String>, _ body: MathExpression, _ letters: [String: Int]
  ) -> FormulaValue {
    guard let name = names.first else { return value(body, letters) }
    var total = FormulaValue(0)
    for place in 0..<Self.size {
      var inner = letters
      inner[name] = place
      total = pointwise(total, summed(names.dropFirst(), body, inner), +)
    }
    return total
  }

  private mutating func indexed(
    _ base: MathExpression, _ indices: [MathIndex], _ letters: [String: Int]
  ) -> FormulaValue {
    var tensor: Tensor?
    if case .name(let name) = base { tensor = values[name] }
    if case .reference(let id) = base { tensor = graph.naive(id, values) }
    if tensor == nil {
      let whole = value(base, letters)
      tensor = Tensor(whole.data, indices.count == 1 ? [whole.data.count] : [whole.rows, whole.columns])
    }
    guard let tensor, tensor.rank == indices.count else { return fail("indexed \(base)") }
    var places: [Int?] = []
    for index in indices {
      if case .at(let affine) = index { places.append(place(affine, letters)) } else { places.append(nil) }
    }
    let kept = places.indices.filter { places[$0] == nil }
    let shape = kept.map { tensor.shape[$0] }
    let strides = tensor.shape.rowMajorStrides
    var data: [Double] = []
    TensorGraph.visit(shape) { free in
      var flat = 0
      for axis in places.indices {
        flat += strides[axis] * (places[axis] ?? free[kept.firstIndex(of: axis) ?? 0])
      }
      data.append(tensor[flat: flat])
    }
    return FormulaValue(Tensor(data, shape))
  }
}

extension TensorGraph {
  /// Visits every place of a box, row-major.
  static func visit(_ shape: Shape, _ body: ([Int]) -> Void) {
    var place = [Int](repeating: 0, count: shape.count)
    for flat in 0..<shape.elementCount {
      var rest = flat
      for axis in shape.indices.reversed() {
        place[axis] = rest % shape[axis]
        rest /= shape[axis]
      }
      body(place)
    }
  }

  /// The value of a node by the definition of its operation.
  func naive(_ id: NodeID, _ values: [String: Tensor]) -> Tensor {
    let node = self[id]
    switch node.op {
    case .leaf(let index): return values[leaves[index].name] ?? Tensor(repeating: .nan, node.shape)
    case .selector(let s): return dense(s, node.shape)
    default: break
    }
    let operands = node.operands.map { naive($0.node, values) }
    var sizes = node.shape
    for (operand, tensor) in zip(node.operands, operands) {
      for (axis, label) in operand.labels.enumerated() {
        while sizes.count <= label { sizes.append(1) }
        sizes[label] = tensor.shape[axis]
      }
    }
    var result = Tensor(repeating: 0, node.shape)
    let strides = node.shape.rowMajorStrides
    Self.visit(sizes) { place in
      let entries = zip(node.operands, operands).map { operand, tensor -> Double in
        let flat = zip(operand.labels, tensor.shape.rowMajorStrides).reduce(0) { $0 + place[$1.0] * $1.1 }
        return tensor[flat: flat]
      }
      result[flat: zip(place, strides).reduce(0) { $0 + $1.0 * $1.1 }] += combined(node.op, entries)
    }
    return result
  }

  private func combined(_ op: Op, _ entries: [Double]) -> Double {
    switch op {
    case .contract(let scale): return entries.reduce(scale, *)
    case .add(let coefficients): return zip(coefficients, entries).reduce(0) { $0 + $1.0 * $1.1 }
    case .map(let f):
      return f(entries[0], entries.count > 1 ? entries[1] : 0, entries.count > 2 ? entries[2] : 0)
    default: return .nan
    }
  }

  private func dense(_ s: Selector, _ shape: Shape) -> Tensor {
    var result = Tensor(repeating: 0, shape)
    Self.visit(s.extents) { t in
      var flat = 0
      for (axis, stride) in shape.rowMajorStrides.enumerated() {
        flat += stride * (s.starts[axis] + zip(s.steps[axis], t).reduce(0) { $0 + $1.0 * $1.1 })
      }
      result[flat: flat] = 1
    }
    return result
  }
}
