import Curvature
import Engine
import Graph
import LinearAlgebra
import Optimization
import Syntax
import Tensors

/// What an `along` clause names.
struct DirectionList {
  var directions: [Direction] = []
  /// Fractions of the variance of the path, when directions are its principal components.
  var explained: [Double] = []

  /// The first ones.
  func first(_ count: Int) -> DirectionList {
    DirectionList(directions: Array(directions.prefix(count)), explained: Array(explained.prefix(count)))
  }
}

/// Reads the directions of `slice`, `surface` and `path`.
struct DirectionReader {
  let call: CommandCall
  let landscape: Landscape
  /// The point that directions start from.
  let origin: [Double]
  /// Points walked, the present one last.
  let walk: [[Double]]
  /// How many directions a word such as `pca` stands for: by itself as many as the command takes, among others one.
  let share: Int

  private var interpreter: Interpreter { call.interpreter }

  /// Orders up to which eigenvectors come from the entries of the Hessian.
  private static let denseOrder = 400
  /// Points of a path that its principal components are computed from.
  private static let pathPoints = 400

  func list(_ exprs: [Expr]) throws -> DirectionList {
    var result = DirectionList()
    for expr in exprs {
      let found = try read(expr)
      for direction in found.directions where !direction.vector.allSatisfy(\.isFinite) {
        throw Diagnostic(.domain, "the direction \(direction.name) holds nan or inf", at: expr.span)
      }
      for direction in found.directions where !direction.vector.contains(where: { $0 != 0 }) {
        throw Diagnostic(
          .domain, "the direction \(direction.name) is zero", at: expr.span,
          hint: direction.name.hasSuffix("grad") ? "the gradient vanishes here; take eig(1), or random" : nil)
      }
      result.directions += found.directions
      result.explained += found.explained
    }
    if exprs.contains(where: { word($0)?.name != "pca" }) { result.explained = [] }
    nameApart(&result.directions)
    return result
  }

  /// Several draws of `random` are numbered.
  private func nameApart(_ directions: inout [Direction]) {
    for name in Set(directions.map(\.name)) where name.hasPrefix("random") {
      let places = directions.indices.filter { directions[$0].name == name }
      guard places.count > 1 else { continue }
      for (number, place) in places.enumerated() { directions[place].name = "\(name) \(number + 1)" }
    }
  }

  private func read(_ expr: Expr) throws -> DirectionList {
    if let (name, arguments) = word(expr) {
      switch name {
      case "grad": return DirectionList(directions: [try gradient(expr)])
      case "eig": return DirectionList(directions: try eigenvectors(try numbers(arguments, expr), expr))
      case "pca": return try components(try numbers(arguments, expr), expr)
      case "step": return DirectionList(directions: [try lastStep(expr)])
      case "random": return DirectionList(directions: try randoms(arguments, expr))
      default: break
      }
    }
    if let own = try coordinate(expr) { return DirectionList(directions: [own]) }
    return DirectionList(directions: try given(expr))
  }

  /// A word with a meaning of its own here, unless the user has bound it, with what stands in parentheses after it.
  private func word(_ expr: Expr) -> (name: String, arguments: [Argument])? {
    let found: (String, [Argument])?
    switch expr.kind {
    case .name(let name): found = (name, [])
    case .call(let callee, let arguments):
      if case .name(let name) = callee.kind { found = (name, arguments) } else { found = nil }
    default: found = nil
    }
    guard let (name, arguments) = found, ["grad", "eig", "pca", "step", "random"].contains(name),
      interpreter.lookup(name) == nil
    else { return nil }
    // grad(g, x) and eig(A) are expressions.
    if name == "grad", !arguments.isEmpty { return nil }
    if name == "eig", let argument = arguments.first?.value, (try? interpreter.number(argument)) == nil {
      return nil
    }
    return (name, arguments)
  }

  /// `eig(2)`: whole numbers from 1 (largest or first), or from -1 (the other end); without any as many as are wanted.
  private func numbers(_ arguments: [Argument], _ expr: Expr) throws -> [Int] {
    if arguments.isEmpty { return Array(1...share) }
    let order = landscape.count
    let hint = "1 is the first, 2 the second, -1 the last"
    return try arguments.map { argument in
      let number = try interpreter.whole(argument.value, hint: hint)
      guard number != 0, abs(number) <= order else {
        throw Diagnostic(
          .domain, "there is no direction \(number) among \(order)", at: argument.span, hint: hint)
      }
      return number
    }
  }

  // MARK: Derivatives

  private func unit(_ name: String, _ vector: [Double], _ expr: Expr) throws -> Direction {
    let length = norm(vector)
    guard length.isFinite else {
      throw Diagnostic(.numeric, "the direction \(name) is not finite", at: expr.span)
    }
    return Direction(name: name, vector: length > 0 ? vector.map { $0 / length } : vector)
  }

  private func gradient(_ expr: Expr) throws -> Direction {
    let points = try LandscapePoints(
      interpreter, landscape, origin: origin, directions: [origin.map { _ in 0 }], gradients: true,
      label: "gradient")
    let g = try points([[0]]).last?.doubles ?? []
    return try unit("grad", g, expr)
  }

  /// Unit eigenvectors of the Hessian at the origin.
  private func eigenvectors(_ numbers: [Int], _ expr: Expr) throws -> [Direction] {
    let largest = numbers.filter { $0 > 0 }.max() ?? 0
    let lowest = -(numbers.filter { $0 < 0 }.min() ?? 0)
    let (top, bottom) = try interpreter.at(origin, of: landscape.leaves.map(\.name)) {
      guard let hessian = try hessianOperator(expr) else { return ([[Double]](), [[Double]]()) }
      return try interpreter.matrixFree(at: expr.span) {
        (
          try eigenvectors(hessian, .top, largest), try eigenvectors(hessian, .bottom, lowest)
        )
      }
    }
    return try numbers.map { number in
      let vector = number > 0 ? top[number - 1] : bottom[-number - 1]
      // Of the two signs, the one whose largest entry is positive.
      let largest = vector.max { abs($0) < abs($1) * (1 - 1e-9) } ?? 0
      return try unit("eig(\(number))", largest < 0 ? vector.map { -$0 } : vector, expr)
    }
  }

  private func hessianOperator(_ expr: Expr) throws -> FormulaOperator? {
    try interpreter.formulaOperator(key: CommandKey(call.command, "along"), owner: call.command, expr.span) {
      elaborator in
      let f = try call.scalarNode(elaborator)
      let targets = try elaborator.targets(nil, of: [f], expr.span)
      return try elaborator.hessianOperator(f, targets, name: "∇²\(landscape.names[0])", expr.span)
    }
  }

  private func eigenvectors(_ a: FormulaOperator, _ end: SpectrumEnd, _ count: Int) throws -> [[Double]] {
    guard count > 0 else { return [] }
    let n = a.order
    if n > Self.denseOrder {
      let search = EigenSearch(count, end, order: n, roundoff: a.roundoff)
      let progress = call.progress()
      let found = try BlockLanczos.eigenpairs(of: a, search, generator: CounterGenerator(seed: 1)) {
        progress("\($0) products, \($1) of \(count) eigenvectors converged")
      }
      return (0..<found.vectors.count).map { Array(found.vectors[$0]) }
    }
    var identity = [Double](repeating: 0, count: n * n)
    for k in 0..<n { identity[k * (n + 1)] = 1 }
    let rows = try a.products(Rows(identity, length: n)).entries
    let symmetric = (0..<n * n).map { (rows[$0] + rows[$0 % n * n + $0 / n]) / 2 }
    let found = try symmetricEigen(Tensor(symmetric, [n, n]))
    let vectors = found.vectors.doubles
    return (0..<count).map { k in
      let column = end == .top ? n - 1 - k : k
      return (0..<n).map { vectors[$0 * n + column] }
    }
  }

  // MARK: The path

  private func lastStep(_ expr: Expr) throws -> Direction {
    guard walk.count > 1 else { throw noPath("no step has been made yet", expr) }
    let (now, before) = (walk[walk.count - 1], walk[walk.count - 2])
    return Direction(name: "step", vector: zip(now, before).map { $0 - $1 })
  }

  private func noPath(_ message: String, _ expr: Expr) -> Diagnostic {
    let isLarge = landscape.count > Path.entryLimit
    return Diagnostic(
      .domain, message, at: expr.span,
      notes: isLarge ? ["paths of more than \(Path.entryLimit) numbers are not kept"] : [],
      hint: "walk first: step, minimize or train")
  }

  private func components(_ numbers: [Int], _ expr: Expr) throws -> DirectionList {
    guard walk.count > 2 else {
      throw noPath("principal components take a path of at least three points", expr)
    }
    let stride = (walk.count + Self.pathPoints - 1) / Self.pathPoints
    // The present point, which is the last, stays.
    let sample = walk.indices.filter { (walk.count - 1 - $0) % stride == 0 }.map { walk[$0] }
    let last = numbers.max() ?? 1
    let found = try call.algebra { try PrincipalComponents(sample, count: last, check: Interruption.check) }
    guard let least = numbers.min(), least > 0, last <= found.directions.count else {
      throw Diagnostic(
        .domain,
        "the path spans \(found.directions.count) direction\(found.directions.count == 1 ? "" : "s"), not \(last)",
        at: expr.span,
        hint: found.directions.count == 1 && last == 2
          ? "along pca, random" : "principal components count from 1")
    }
    return DirectionList(
      directions: numbers.map { Direction(name: "pca(\($0))", vector: found.directions[$0 - 1]) },
      explained: numbers.map { found.explained[$0 - 1] })
  }

  // MARK: Random

  private func randoms(_ arguments: [Argument], _ expr: Expr) throws -> [Direction] {
    var scaling = DirectionScaling.filter
    if let argument = arguments.first {
      guard arguments.count == 1, case .name(let name) = argument.value.kind,
        let found = DirectionScaling(rawValue: name)
      else {
        throw Diagnostic(
          .name, "random directions are scaled by filter, layer or none", at: argument.span,
          hint: "write random(filter)")
      }
      scaling = found
    }
    let filters = try call.choice("filters", DirectionScaling.FilterAxis.self) ?? .columns
    return (0..<share).map { _ in
      let drawn = interpreter.sample(.normal(mean: 0, deviation: 1), [landscape.count]).doubles
      let vector = scaling.scaled(
        drawn, to: origin, shapes: landscape.leaves.map(\.shape), filters: filters)
      return Direction(name: expr.span.text, vector: vector)
    }
  }

  // MARK: Values

  /// `x[0]`, or a param of one number: its axis.
  private func coordinate(_ expr: Expr) throws -> Direction? {
    let isOne: Bool
    switch expr.kind {
    case .name(let name):
      isOne = landscape.leaves.contains { $0.name == name && $0.shape.elementCount == 1 }
    case .index(let base, _):
      guard case .name(let name) = base.kind else { return nil }
      isOne = landscape.leaves.contains { $0.name == name }
    default: isOne = false
    }
    guard isOne else { return nil }
    let elaborator = interpreter.elaborator()
    let node = try elaborator.node(expr)
    let graph = elaborator.graph
    guard graph.shape(node).elementCount == 1 else { return nil }
    // The gradient of an entry is its axis.
    let entry = graph.summed(node, over: Array(graph.shape(node).indices))
    let axis = graph.concatenated(graph.grad(entry, wrt: landscape.leaves.map(graph.leaf)))
    let vector = try interpreter.evaluateNow([axis])[0].doubles
    return Direction(name: expr.span.text, vector: vector)
  }

  /// Values of the shape of a param, of all params together, bundles over params, or a matrix whose columns are such.
  private func given(_ expr: Expr) throws -> [Direction] {
    let name = expr.span.text
    let value = try interpreter.evaluate(expr)
    if case .bundle(let names, let tensors) = value {
      return [Direction(name: name, vector: try flat(names, tensors, expr))]
    }
    guard let tensor = value.tensor else {
      throw Diagnostic(
        .type, "a direction is a tensor or a bundle, not \(value.kindName)", at: expr.span,
        hint: separated(expr) ?? "directions are \(Self.words)")
    }
    let matching = landscape.leaves.filter { $0.shape == tensor.shape }
    if case .name(let own) = expr.kind, matching.contains(where: { $0.name == own }) {
      return [Direction(name: name, vector: try flat([own], [tensor], expr))]
    }
    if tensor.shape == [landscape.count] { return [Direction(name: name, vector: tensor.doubles)] }
    if matching.count == 1 {
      return [Direction(name: name, vector: try flat([matching[0].name], [tensor], expr))]
    }
    if tensor.rank == 2, tensor.shape[0] == landscape.count {
      let (columns, entries) = (tensor.shape[1], tensor.doubles)
      return (0..<columns).map { column in
        Direction(
          name: columns > 1 ? "\(name)[:, \(column)]" : name,
          vector: (0..<landscape.count).map { entries[$0 * columns + column] })
      }
    }
    throw misshapen(tensor, matching.map(\.name), expr)
  }

  /// Directions in brackets are meant one by one.
  private func separated(_ expr: Expr) -> String? {
    guard case .tuple(let items) = expr.kind else { return nil }
    return "directions stand side by side: along \(items.map(\.span.text).joined(separator: ", "))"
  }

  static let words = "x[0], a param, a value of its shape, grad, eig(1), step, random or pca"

  private func misshapen(_ tensor: Tensor, _ matching: [String], _ expr: Expr) -> Diagnostic {
    let shape = tensor.shape.shapeDescription
    if matching.count > 1 {
      return Diagnostic(
        .shape, "'\(expr.span.text)' has the shape of several params: \(matching.joined(separator: ", "))",
        at: expr.span, hint: "give one vector of \(landscape.count) entries over all params, or a bundle")
    }
    let params = landscape.leaves.map { "\($0.name) \($0.shape.shapeDescription)" }
    return Diagnostic(
      .shape, "a direction of shape \(shape) fits no param of \(landscape.names[0])", at: expr.span,
      notes: ["params \(params.joined(separator: ", ")): \(landscape.count) numbers in all"],
      hint: "directions are \(Self.words)")
  }

  /// Parts by the name of their param; the others are zero.
  private func flat(_ names: [String], _ tensors: [Tensor], _ expr: Expr) throws -> [Double] {
    try interpreter.flat(names, tensors, landscape, expr)
  }
}

extension Interpreter {
  /// A bundle over some of a landscape's params as one vector; what it does not name is `rest`, or zero.
  func flat(
    _ names: [String], _ tensors: [Tensor], _ landscape: Landscape, _ expr: Expr, rest: [Double]? = nil
  ) throws -> [Double] {
    for (name, tensor) in zip(names, tensors) {
      guard let leaf = landscape.leaves.first(where: { $0.name == name }) else { continue }
      guard leaf.shape == tensor.shape else {
        throw Diagnostic(
          .shape,
          "'\(expr.span.text)' has \(name) of shape \(tensor.shape.shapeDescription), the param has \(leaf.shape.shapeDescription)",
          at: expr.span)
      }
    }
    var start = 0
    return landscape.leaves.flatMap { leaf -> [Double] in
      let range = start..<(start + leaf.shape.elementCount)
      start = range.upperBound
      if let place = names.firstIndex(of: leaf.name) { return tensors[place].doubles }
      return rest.map { Array($0[range]) } ?? range.map { _ in 0 }
    }
  }
}
