import Calculus
import Engine
import Graph
import Syntax
import Tensors

/// How one axis of a tensor is indexed.
enum AxisIndex {
  case place(Int)
  /// Positions start + step·j.
  case slice(start: Int, step: Int, count: Int)
  /// An index tensor, known only when the formula runs.
  case table(NodeID)

  static func all(_ n: Int) -> AxisIndex { .slice(start: 0, step: 1, count: n) }
}

extension Elaborator {
  func index(_ base: Expr, _ items: [IndexItem], _ span: Span) throws -> Meaning {
    let value = try meaning(base)
    if case .tuple(let parts) = value, items.count == 1, case .at(let e) = items[0] {
      let k = try staticInteger(e, "a place in a tuple")
      let place = k < 0 ? k + parts.count : k
      guard parts.indices.contains(place) else { throw outside(k, parts.count, e.span) }
      return parts[place]
    }
    let node = try asNode(value, base.span)
    let axes = try axisIndices(items, graph.shape(node), base, span)
    return .node(indexed(node, axes))
  }

  /// One entry for each axis of `shape`; missing trailing items take everything.
  func axisIndices(_ items: [IndexItem], _ shape: Shape, _ base: Expr, _ span: Span) throws -> [AxisIndex] {
    guard items.count <= shape.count else {
      throw Diagnostic(
        .shape,
        "\(items.count) \(items.count == 1 ? "index" : "indices") for \(shape.isEmpty ? "a scalar" : shape.count == 1 ? "a tensor with 1 axis" : "a tensor with \(shape.count) axes")",
        at: span, labels: [.init(base.span, "shape \(shape.shapeDescription)")],
        hint: shape.isEmpty ? "a scalar has no entries to choose from" : nil)
    }
    var result = try items.enumerated().map { axis, item in try axisIndex(item, shape[axis]) }
    for axis in result.count..<shape.count { result.append(.all(shape[axis])) }
    return result
  }

  private func axisIndex(_ item: IndexItem, _ n: Int) throws -> AxisIndex {
    switch item {
    case .slice(let start, let stop, let step, let span): return try slice(start, stop, step, n, span)
    case .at(let e):
      if case .range(let a, let b) = e.kind { return try slice(a, b, nil, n, e.span) }
      if isMask(e) { return try mask(e, n) }
      let node = try self.node(e)
      if let value = knownNumber(node) {
        guard let k = Int(exactly: value) else {
          throw Diagnostic(.domain, "an index must be a whole number, not \(value)", at: e.span)
        }
        let place = k < 0 ? k + n : k
        guard place >= 0, place < n else { throw outside(k, n, e.span) }
        return .place(place)
      }
      if case .tensor(let index) = graph[node].op {
        for value in graph.constants[index].doubles { try checkPlace(value, n, e.span) }
      } else if usesLoops(node), let values = loopValues(node) {
        for value in values.doubles { try checkPlace(value, n, e.span) }
      }
      return .table(node)
    }
  }

  private func checkPlace(_ value: Double, _ n: Int, _ span: Span) throws {
    guard let k = Int(exactly: value) else {
      throw Diagnostic(.domain, "an index must be a whole number, not \(value)", at: span)
    }
    guard k >= -n, k < n else { throw outside(k, n, span) }
  }

  private func outside(_ k: Int, _ n: Int, _ span: Span) -> Diagnostic {
    Diagnostic(
      .shape, "index \(k) is outside an axis of \(n)", at: span,
      hint: n == 0 ? "the axis is empty" : "indices run from 0 to \(n - 1), or from -1 backwards")
  }

  /// Conditions select; other 0/1 tensors are indices.
  private func isMask(_ e: Expr) -> Bool {
    switch e.kind {
    case .comparison, .logical, .unary(.not, _): return true
    default: return false
    }
  }

  private func mask(_ e: Expr, _ n: Int) throws -> AxisIndex {
    let values = try staticValue(try node(e), e.span, "a mask")
    guard values.shape == [n] else {
      throw Diagnostic(
        .shape, "a mask of shape \(values.shape.shapeDescription) does not fit an axis of \(n)", at: e.span)
    }
    let places = values.doubles.enumerated().filter { $0.element != 0 }.map { Double($0.offset) }
    return .table(graph.constant(Tensor(vector: places)))
  }

  private func slice(_ a: Expr?, _ b: Expr?, _ c: Expr?, _ n: Int, _ span: Span) throws -> AxisIndex {
    let step = try c.map { try staticInteger($0, "the step of a slice") } ?? 1
    guard step != 0 else { throw Diagnostic(.domain, "the step of a slice cannot be 0", at: span) }
    if !loops.isEmpty, let moving = try movingSlice(a, b, step, n) { return moving }
    func bound(_ e: Expr?, _ fallback: Int) throws -> Int {
      guard let e else { return fallback }
      let k = try staticInteger(e, "a bound of a slice")
      let place = k < 0 ? k + n : k
      return step > 0 ? min(max(place, 0), n) : min(max(place, -1), n - 1)
    }
    let start = try bound(a, step > 0 ? 0 : n - 1)
    let stop = try bound(b, step > 0 ? n : -1)
    let length = step > 0 ? stop - start : start - stop
    let count = length <= 0 ? 0 : (length + Int(step.magnitude) - 1) / Int(step.magnitude)
    return .slice(start: start, step: step, count: count)
  }

  /// A slice whose bounds move with loop variables while its length does not, as positions: the first entry plus
  /// 0, step, 2·step, … Nil when the bounds stand still, or are cut off at an end of the axis.
  private func movingSlice(_ a: Expr?, _ b: Expr?, _ step: Int, _ n: Int) throws -> AxisIndex? {
    guard let a, let b, step > 0 else { return nil }
    let (first, last) = (try node(a), try node(b))
    guard usesLoops(first) || usesLoops(last), graph.shape(first).isEmpty, graph.shape(last).isEmpty else {
      return nil
    }
    let length = graph.add([Summand(1, Operand(last, [])), Summand(-1, Operand(first, []))], shape: [])
    guard let lengths = loopValues(length)?.doubles, let reach = lengths.first.flatMap(Int.init(exactly:)),
      reach > 0, lengths.allSatisfy({ $0 == Double(reach) }),
      let starts = loopValues(first)?.doubles, let ends = loopValues(last)?.doubles,
      starts.allSatisfy({ $0 >= 0 && Int(exactly: $0) != nil }), ends.allSatisfy({ $0 <= Double(n) })
    else { return nil }
    let offsets = stride(from: 0, to: reach, by: step).map(Double.init)
    let places = graph.add(
      [Summand(1, Operand(first, [])), Summand(1, Operand(graph.constant(Tensor(vector: offsets)), [0]))],
      shape: [offsets.count])
    return .table(places)
  }

  func staticInteger(_ e: Expr, _ what: String) throws -> Int {
    let value = try staticValue(try node(e), e.span, what)
    guard value.count == 1, let k = Int(exactly: value.scalarValue) else {
      throw Diagnostic(.domain, "\(what) must be a whole number", at: e.span)
    }
    return k
  }

  func staticTruth(_ e: Expr, _ what: String) throws -> Bool {
    try Truth.of(try staticValue(try node(e), e.span, what), e.span, what)
  }

  /// The selected part: places drop their axis, tables put their own axes in its place.
  func indexed(_ node: NodeID, _ axes: [AxisIndex]) -> NodeID {
    let (selectors, result) = selection(graph.shape(node), axes)
    let labels = Array(axes.indices)
    return graph.contract(1, [Operand(node, labels)] + selectors, to: result)
  }

  /// Selector operands for axes 0..<n, and the labels of the selected part's axes.
  func selection(_ shape: Shape, _ axes: [AxisIndex]) -> (selectors: [Operand], result: [Label]) {
    var selectors: [Operand] = []
    var result: [Label] = []
    var next = shape.count
    for (axis, index) in axes.enumerated() {
      switch index {
      case .place(let k): selectors.append(Operand(graph.selector(.oneHot(k), [shape[axis]]), [axis]))
      case .slice(0, 1, shape[axis]): result.append(axis)
      case .slice(let start, let step, let count):
        let s = graph.selector(.slice(start: start, step: step, count: count), [shape[axis], count])
        selectors.append(Operand(s, [axis, next]))
        result.append(next)
        next += 1
      case .table(let indices):
        let own = graph.shape(indices).indices.map { next + $0 }
        next += own.count
        selectors.append(Operand(graph.table(shape[axis], indices), [axis] + own))
        result += own
      }
    }
    return (selectors, result)
  }
}
