import Graph
import Syntax
import Tensors

extension Builtins {
  /// Products of tensors.
  static let products: [Builtin] = [
    Builtin(
      "dot", "a, b", .algebra, "The sum of the products of corresponding entries.",
      "dot([1, 2, 3], [4, 5, 6])", "32",
      dot),
    Builtin(
      "outer", "a, b", .algebra, "Every entry of a times every entry of b.", "diag(outer([1, 2], [3, 4]))",
      "[3, 8]"
    ) { call in
      let (a, b) = (try call.node("a"), try call.node("b"))
      let left = call.graph.axes(a)
      let right = call.graph.axes(b).map { left.count + $0 }
      return .node(call.graph.contract(1, [Operand(a, left), Operand(b, right)], to: left + right))
    },
    Builtin(
      "matmul", "a, b", .algebra, "The matrix product, as a @ b; leading axes are batches.",
      "matmul([1, 2; 3, 4], [1, 1])", "[3, 7]"
    ) { call in .node(try matmul(call.graph, try call.placed("a"), try call.placed("b"), "matmul")) },
    Builtin(
      "einsum", "spec, tensors…", .algebra,
      "A sum of products in Einstein's notation; axes not after -> are summed.",
      "einsum(\"i,i->\", [1, 2], [3, 4])", "11", einsum),
    Builtin(
      "kron", "A, B", .algebra, "The Kronecker product of matrices or vectors.", "kron([1, 2], [1, 10])",
      "[1, 10, 2, 20]", kron),
    Builtin(
      "cross", "a, b", .algebra, "The vector product of vectors with three entries.",
      "cross([1, 0, 0], [0, 1, 0])",
      "[0, 0, 1]", cross),
  ]

  private static func dot(_ call: BuiltinCall) throws -> Meaning {
    let graph = call.graph
    if let a = call.bundle("a"), let b = call.bundle("b") {
      guard a.names == b.names else {
        throw call.error(.shape, "dot needs bundles of the same params", "b")
      }
      return .node(graph.add(zip(a.nodes, b.nodes).map { graph.innerProduct($0, $1) }, shape: []))
    }
    let (a, b) = try call.sameShape("a", "b", hint: "the matrix product is a @ b")
    return .node(graph.innerProduct(a, b))
  }

  /// NumPy's matmul: the last axis of a meets the last but one of b (or its only one); leading axes broadcast.
  static func matmul(_ graph: TensorGraph, _ a: PlacedNode, _ b: PlacedNode, _ name: String) throws -> NodeID
  {
    let (left, right) = (graph.shape(a.node), graph.shape(b.node))
    for (item, shape) in [(a, left), (b, right)] where shape.isEmpty {
      throw Diagnostic(
        .shape, "a scalar does not fit in \(name)", at: item.span, hint: "the product with a number is *")
    }
    let inner = max(0, right.count - 2)
    guard left[left.count - 1] == right[inner] else {
      throw Diagnostic(
        .shape, "shapes \(left.shapeDescription) and \(right.shapeDescription) do not fit in \(name)",
        at: a.span.union(b.span),
        labels: [
          .init(a.span, "shape \(left.shapeDescription)"), .init(b.span, "shape \(right.shapeDescription)"),
        ],
        notes: [
          "axis \(left.count - 1) of the first has \(left[left.count - 1]), axis \(inner) of the second has \(right[inner])"
        ])
    }
    // Labels: batches, row, column, then the summed one and axes of size 1 that stretch.
    let batch = max(left.count, right.count, 2) - 2
    let (row, column, summed) = (batch, batch + 1, batch + 2)
    var sizes = [Int](repeating: 1, count: batch)
    for shape in [left, right] {
      for (k, size) in shape.dropLast(2).enumerated() where size != 1 {
        let label = batch - (shape.count - 2) + k
        guard sizes[label] == 1 || sizes[label] == size else {
          throw ShapeErrors.mismatch(name, a, left, b, right, axis: label, of: batch + 2)
        }
        sizes[label] = size
      }
    }
    var next = batch + 3
    func batches(_ shape: Shape) -> [Label] {
      shape.dropLast(2).enumerated().map { k, size in
        let label = batch - (shape.count - 2) + k
        if size == sizes[label] { return label }
        next += 1
        return next
      }
    }
    let first = Operand(a.node, batches(left) + (left.count > 1 ? [row] : []) + [summed])
    let second = Operand(b.node, batches(right) + [summed] + (right.count > 1 ? [column] : []))
    let result = Array(0..<batch) + (left.count > 1 ? [row] : []) + (right.count > 1 ? [column] : [])
    return graph.contract(1, [first, second], to: result)
  }

  private static func kron(_ call: BuiltinCall) throws -> Meaning {
    let graph = call.graph
    let (a, b) = (try call.node("A"), try call.node("B"))
    let (left, right) = (graph.shape(a), graph.shape(b))
    guard left.count == right.count, (1...2).contains(left.count) else {
      throw call.error(
        .shape,
        "kron takes two vectors or two matrices, not \(left.shapeDescription) and \(right.shapeDescription)",
        "B")
    }
    let rank = left.count
    let product = graph.contract(
      1, [Operand(a, (0..<rank).map { 2 * $0 }), Operand(b, (0..<rank).map { 2 * $0 + 1 })],
      to: Array(0..<(2 * rank)))
    return .node(graph.reshaped(product, zip(left, right).map { $0 * $1 }))
  }

  private static func cross(_ call: BuiltinCall) throws -> Meaning {
    let (a, b) = try call.sameShape("a", "b")
    guard call.graph.shape(a) == [3] else {
      throw call.error(
        .shape, "cross takes vectors with three entries, not shape \(call.graph.shape(a).shapeDescription)",
        "a")
    }
    let signs = call.graph.constant(permutationSigns(3))
    let operands = [Operand(signs, [0, 1, 2]), Operand(a, [1]), Operand(b, [2])]
    return .node(call.graph.contract(1, operands, to: [0]))
  }

  /// The sign of each permutation of n places, 0 where places repeat (n is small).
  static func permutationSigns(_ n: Int) -> Tensor {
    let shape = Shape(repeating: n, count: n)
    let strides = shape.rowMajorStrides
    let values = (0..<shape.elementCount).map { flat -> Double in
      let places = strides.map { flat / $0 % n }
      guard Set(places).count == n else { return 0 }
      let inversions = (0..<n).flatMap { i in (i..<n).filter { places[$0] < places[i] } }.count
      return inversions % 2 == 0 ? 1 : -1
    }
    return Tensor(values, shape)
  }

  // MARK: einsum

  private static func einsum(_ call: BuiltinCall) throws -> Meaning {
    let spec = Array(try call.string("spec")).filter { $0 != " " }
    let items = try call.nodes("tensors")
    let arrow = spec.indices.first { spec[$0...].starts(with: ["-", ">"]) }
    let inputs = spec[..<(arrow ?? spec.count)].split(separator: ",", omittingEmptySubsequences: false)
    guard inputs.count == items.count else {
      throw call.error(
        .shape, "the notation names \(inputs.count) tensors, but there are \(items.count)", "spec")
    }
    let letters = inputs.flatMap { $0 }
    let output = arrow.map { Array(spec[($0 + 2)...]) } ?? implicitOutput(letters)
    for letter in letters + output where !letter.isLetter {
      throw call.error(.syntax, "axes are letters, not '\(letter)'", "spec", hint: "as in \"ij,jk->ik\"")
    }
    if let unknown = output.first(where: { !letters.contains($0) }) {
      throw call.error(.shape, "axis '\(unknown)' of the result is in no tensor", "spec")
    }
    guard Set(output).count == output.count else {
      throw call.error(.shape, "an axis of the result is named twice", "spec")
    }
    try checkSizes(call, inputs.map(Array.init), items)
    let names = Set(letters).sorted()
    func labels(_ word: some Sequence<Character>) -> [Label] { word.map { names.firstIndex(of: $0) ?? 0 } }
    let operands = zip(items, inputs).map { Operand($0.node, labels($1)) }
    return .node(call.graph.contract(1, operands, to: labels(output)))
  }

  /// As in NumPy: letters that occur once, in alphabetical order.
  private static func implicitOutput(_ letters: [Character]) -> [Character] {
    letters.filter { letter in letters.count { $0 == letter } == 1 }.sorted()
  }

  private static func checkSizes(_ call: BuiltinCall, _ words: [[Character]], _ items: [PlacedNode]) throws {
    var known: [Character: (size: Int, item: PlacedNode)] = [:]
    for (word, item) in zip(words, items) {
      let shape = call.graph.shape(item.node)
      guard word.count == shape.count else {
        throw Diagnostic(
          .shape, "'\(String(word))' names \(word.count) axes of a tensor of shape \(shape.shapeDescription)",
          at: item.span)
      }
      for (letter, size) in zip(word, shape) {
        if let (other, owner) = known[letter], other != size {
          throw Diagnostic(
            .shape, "axis '\(letter)' has size \(other) and size \(size)", at: owner.span.union(item.span),
            labels: [
              .init(owner.span, "shape \(call.graph.shape(owner.node).shapeDescription)"),
              .init(item.span, "shape \(shape.shapeDescription)"),
            ])
        }
        known[letter] = (size, item)
      }
    }
  }
}
