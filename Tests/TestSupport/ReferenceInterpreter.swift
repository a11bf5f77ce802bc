import Foundation
import Graph
import Tensors

/// Evaluates graphs by their definition, one dense loop over the labels a node: slow, small and independent of the
/// engine. Zeros of selectors and tables are structural: 0 times anything is 0 there.
public struct ReferenceInterpreter {
  let graph: TensorGraph
  /// By leaf identity.
  public var leaves: [Int: Tensor] = [:]

  struct Missing: Error { let leaf: String }

  public init(graph: TensorGraph, leaves: [Int: Tensor] = [:]) {
    self.graph = graph
    self.leaves = leaves
  }

  public func evaluate(_ root: NodeID) throws -> Tensor { try evaluate([root])[0] }

  public func evaluate(_ roots: [NodeID]) throws -> [Tensor] {
    var values: [NodeID: [Double]] = [:]
    for id in graph.reachable(from: roots) {
      let node = graph[id]
      values[id] = try value(node, node.operands.map { values[$0.node] ?? [] })
    }
    return roots.map { Tensor(values[$0] ?? [], graph.shape($0)) }
  }

  private func value(_ node: Node, _ inputs: [[Double]]) throws -> [Double] {
    switch node.op {
    case .leaf(let index):
      let leaf = graph.leaves[index]
      guard let tensor = leaves[leaf.id] else { throw Missing(leaf: leaf.name) }
      return tensor.doubles
    case .tensor(let index): return graph.constants[index].doubles
    case .contract(let scale): return contract(scale, node, inputs)
    case .add(let coefficients):
      return loop(node, inputs, start: 0) { total, x in
        total + zip(coefficients, x).reduce(0) { $0 + $1.0 * $1.1 }
      }
    case .map(let f):
      return loop(node, inputs, start: 0) { _, x in f(x[0], x.count > 1 ? x[1] : 0, x.count > 2 ? x[2] : 0) }
    case .selector(let s): return selector(s, node.shape)
    case .table: return table(node, inputs[0])
    case .reduceMax:
      return loop(node, inputs, start: -.infinity) { $0.isNaN || $1[0].isNaN ? .nan : max($0, $1[0]) }
    case .stop, .dense: return inputs[0]
    case .external(let f): throw Missing(leaf: f.name)
    case .argmax: return rows(node, inputs[0]) { [Double(best(order($0).reversed(), $0))] }
    case .argsort: return rows(node, inputs[0]) { order($0).map(Double.init) }
    case .matrix(let f): return batch(f, node, inputs)
    }
  }

  // MARK: Loops over labels

  private func contract(_ scale: Double, _ node: Node, _ inputs: [[Double]]) -> [Double] {
    let structural = node.operands.map { operand -> Bool in
      switch graph[operand.node].op {
      case .selector, .table: return true
      default: return false
      }
    }
    let sums = loop(node, inputs, start: 0) { total, x in
      for k in x.indices where structural[k] && x[k] == 0 { return total }
      return total + x.reduce(1, *)
    }
    return sums.map { scale * $0 }
  }

  /// Folds `body` over all values of the labels; the result's labels are the first ones.
  private func loop(
    _ node: Node, _ inputs: [[Double]], start: Double, _ body: (Double, [Double]) -> Double
  ) -> [Double] {
    var sizes = node.shape
    for operand in node.operands {
      for (axis, label) in operand.labels.enumerated() {
        while sizes.count <= label { sizes.append(1) }
        sizes[label] = graph.shape(operand.node)[axis]
      }
    }
    let strides = node.operands.map { operand -> [Int] in
      var strides = [Int](repeating: 0, count: sizes.count)
      for (axis, stride) in graph.shape(operand.node).rowMajorStrides.enumerated() {
        strides[operand.labels[axis]] += stride
      }
      return strides
    }
    let inner = sizes.dropFirst(node.shape.count).reduce(1, *)
    var result = [Double](repeating: start, count: node.shape.elementCount)
    var places = [Int](repeating: 0, count: sizes.count)
    for flat in 0..<(result.count * inner) {
      let entries = strides.indices.map { k in
        inputs[k][zip(strides[k], places).reduce(0) { $0 + $1.0 * $1.1 }]
      }
      result[flat / inner] = body(result[flat / inner], entries)
      var axis = sizes.count - 1
      while axis >= 0 {
        places[axis] += 1
        if places[axis] < sizes[axis] { break }
        places[axis] = 0
        axis -= 1
      }
    }
    return result
  }

  private func selector(_ s: Selector, _ shape: Shape) -> [Double] {
    var result = [Double](repeating: 0, count: shape.elementCount)
    let strides = shape.rowMajorStrides
    let boxStrides = s.extents.rowMajorStrides
    for flat in 0..<s.extents.elementCount {
      let t = s.extents.indices.map { flat / boxStrides[$0] % s.extents[$0] }
      let place = s.starts.indices.map { k in s.starts[k] + zip(s.steps[k], t).reduce(0) { $0 + $1.0 * $1.1 }
      }
      result[zip(strides, place).reduce(0) { $0 + $1.0 * $1.1 }] = 1
    }
    return result
  }

  private func table(_ node: Node, _ indices: [Double]) -> [Double] {
    var result = [Double](repeating: 0, count: node.shape.elementCount)
    for (j, value) in indices.enumerated() where value >= 0 && Int(value) < node.shape[0] {
      result[Int(value) * indices.count + j] = 1
    }
    return result
  }

  // MARK: Order

  private func rows(_ node: Node, _ input: [Double], _ body: ([Double]) -> [Double]) -> [Double] {
    let n = graph.shape(node.operands[0].node).last ?? 1
    return stride(from: 0, to: input.count, by: n).flatMap { body(Array(input[$0..<($0 + n)])) }
  }

  private func order(_ row: [Double]) -> [Int] { row.indices.sorted { (row[$0], $0) < (row[$1], $1) } }

  /// The first of the equal greatest.
  private func best(_ descending: [Int], _ row: [Double]) -> Int {
    row.firstIndex(of: row[descending[0]]) ?? 0
  }

  // MARK: Matrices

  /// One matrix function for each entry of the batch, whose labels come first in the operands.
  private func batch(_ f: MatrixFunction, _ node: Node, _ inputs: [[Double]]) -> [Double] {
    let batch = Array(node.shape.dropLast(f.resultRank))
    let shapes = node.operands.map { Array(graph.shape($0.node).suffix(2)) }
    return (0..<batch.elementCount).flatMap { flat -> [Double] in
      let places = zip(batch, batch.rowMajorStrides).map { flat / $1 % $0 }
      let parts = node.operands.indices.map { k -> [Double] in
        let entry = node.operands[k].labels.dropLast(2).reduce(0) { $0 * batch[$1] + places[$1] }
        let size = shapes[k].elementCount
        return Array(inputs[k][(entry * size)..<((entry + 1) * size)])
      }
      return matrix(f, shapes, parts)
    }
  }

  private func matrix(_ f: MatrixFunction, _ shapes: [Shape], _ inputs: [[Double]]) -> [Double] {
    let a = DenseMatrix(inputs[0], shapes[0][0], shapes[0][1])
    switch f {
    case .inverse: return a.solved(DenseMatrix.identity(a.rows)).values.entries
    case .solve: return a.solved(DenseMatrix(inputs[1], shapes[1][0], shapes[1][1])).values.entries
    case .det: return [a.solved(DenseMatrix.identity(a.rows)).determinant]
    case .logdet: return [log(abs(a.solved(DenseMatrix.identity(a.rows)).determinant))]
    case .cholesky: return a.cholesky().entries
    case .eigh: return a.symmetricEigen()
    case .svdvals:
      return Array(
        a.embedded().symmetricEigen().prefix(a.rows + a.columns).reversed().prefix(min(a.rows, a.columns)))
    case .eigvals:
      let roots = a.eigenvalues().sorted { $0 < $1 }
      return roots.map(\.0) + roots.map(\.1)
    }
  }
}

/// Textbook linear algebra.
struct DenseMatrix {
  var entries: [Double]
  let rows: Int
  let columns: Int

  init(_ entries: [Double], _ rows: Int, _ columns: Int) {
    (self.entries, self.rows, self.columns) = (entries, rows, columns)
  }

  static func identity(_ n: Int) -> DenseMatrix {
    DenseMatrix((0..<(n * n)).map { $0 / n == $0 % n ? 1 : 0 }, n, n)
  }

  subscript(_ i: Int, _ j: Int) -> Double {
    get { entries[i * columns + j] }
    set { entries[i * columns + j] = newValue }
  }

  /// Gauss–Jordan elimination with partial pivoting.
  func solved(_ right: DenseMatrix) -> (values: DenseMatrix, determinant: Double) {
    var (a, b, determinant) = (self, right, 1.0)
    for k in 0..<rows {
      let pivot = (k..<rows).max { abs(a[$0, k]) < abs(a[$1, k]) } ?? k
      if pivot != k {
        for j in 0..<columns { (a[k, j], a[pivot, j]) = (a[pivot, j], a[k, j]) }
        for j in 0..<b.columns { (b[k, j], b[pivot, j]) = (b[pivot, j], b[k, j]) }
        determinant = -determinant
      }
      determinant *= a[k, k]
      for i in 0..<rows where i != k {
        let factor = a[i, k] / a[k, k]
        for j in 0..<columns { a[i, j] -= factor * a[k, j] }
        for j in 0..<b.columns { b[i, j] -= factor * b[k, j] }
      }
    }
    for i in 0..<rows { for j in 0..<b.columns { b[i, j] /= a[i, i] } }
    return (b, determinant)
  }

  func cholesky() -> DenseMatrix {
    var l = DenseMatrix([Double](repeating: 0, count: rows * rows), rows, rows)
    for i in 0..<rows {
      for j in 0...i {
        let sum = (0..<j).reduce(0.5 * (self[i, j] + self[j, i])) { $0 - l[i, $1] * l[j, $1] }
        l[i, j] = i == j ? sum.squareRoot() : sum / l[j, j]
      }
    }
    return l
  }

  /// [0, A; Aᵀ, 0]
  func embedded() -> DenseMatrix {
    let n = rows + columns
    var result = DenseMatrix([Double](repeating: 0, count: n * n), n, n)
    for i in 0..<rows {
      for j in 0..<columns { (result[i, rows + j], result[rows + j, i]) = (self[i, j], self[i, j]) }
    }
    return result
  }

  /// Jacobi rotations; packed as the graph's eigh. The entry of greatest size of a vector is positive.
  func symmetricEigen() -> [Double] {
    var a = self
    for i in 0..<rows { for j in 0..<rows { a[i, j] = 0.5 * (self[i, j] + self[j, i]) } }
    var v = DenseMatrix.identity(rows)
    for _ in 0..<60 {
      for p in 0..<rows {
        for q in 0..<p where a[p, q] != 0 { a.rotate(p, q, &v) }
      }
    }
    let order = (0..<rows).sorted { a[$0, $0] < a[$1, $1] }
    let signs = order.map { k -> Double in
      let largest = (0..<rows).max { abs(v[$0, k]) < abs(v[$1, k]) } ?? 0
      return v[largest, k] < 0 ? -1 : 1
    }
    let vectors = (0..<rows).flatMap { i in zip(order, signs).map { v[i, $0] * $1 } }
    return order.map { a[$0, $0] } + vectors
  }

  private mutating func rotate(_ p: Int, _ q: Int, _ v: inout DenseMatrix) {
    let angle = 0.5 * atan2(2 * self[p, q], self[q, q] - self[p, p])
    let (c, s) = (cos(angle), sin(angle))
    for k in 0..<rows {
      let (x, y) = (self[k, p], self[k, q])
      (self[k, p], self[k, q]) = (c * x - s * y, s * x + c * y)
      let (u, w) = (v[k, p], v[k, q])
      (v[k, p], v[k, q]) = (c * u - s * w, s * u + c * w)
    }
    for k in 0..<rows {
      let (x, y) = (self[p, k], self[q, k])
      (self[p, k], self[q, k]) = (c * x - s * y, s * x + c * y)
    }
  }

  /// Roots of the characteristic polynomial (Faddeev–LeVerrier) by Durand and Kerner's iteration.
  func eigenvalues() -> [(Double, Double)] {
    var coefficients = [1.0]
    var m = DenseMatrix.identity(rows)
    for k in 1...rows {
      let product = times(m)
      let c = -(0..<rows).reduce(0) { $0 + product[$1, $1] } / Double(k)
      coefficients.append(c)
      m = product
      for i in 0..<rows { m[i, i] += c }
    }
    var roots = (0..<rows).map { k in (cos(0.4 + 2.1 * Double(k)), sin(0.4 + 2.1 * Double(k))) }
    for _ in 0..<500 {
      for i in roots.indices {
        let (x, y) = roots[i]
        let top = coefficients.reduce((0.0, 0.0)) { ($0.0 * x - $0.1 * y + $1, $0.0 * y + $0.1 * x) }
        let bottom = roots.indices.filter { $0 != i }.reduce((1.0, 0.0)) { z, j in
          let (u, w) = (x - roots[j].0, y - roots[j].1)
          return (z.0 * u - z.1 * w, z.0 * w + z.1 * u)
        }
        let size = bottom.0 * bottom.0 + bottom.1 * bottom.1
        roots[i].0 -= (top.0 * bottom.0 + top.1 * bottom.1) / size
        roots[i].1 -= (top.1 * bottom.0 - top.0 * bottom.1) / size
      }
    }
    return roots
  }

  private func times(_ other: DenseMatrix) -> DenseMatrix {
    var result = DenseMatrix([Double](repeating: 0, count: rows * other.columns), rows, other.columns)
    for i in 0..<rows {
      for j in 0..<other.columns { for k in 0..<columns { result[i, j] += self[i, k] * other[k, j] } }
    }
    return result
  }
}
