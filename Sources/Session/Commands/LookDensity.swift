import Curvature
import LinearAlgebra
import Plotting
import Syntax
import Tensors

extension Commands {
  /// Orders up to which all eigenvalues are computed, unless probes are asked for.
  private static var smallOrder: Int { 1000 }
  private static var gridPoints: Int { 400 }

  static var spectrumCommand: CommandDefinition {
    CommandDefinition(
      verb: "spectrum", usage: "spectrum [FORMULA | MATRIX | OPERATOR] [wrt TARGETS]",
      summary:
        "The density of the eigenvalues: exact when the matrix is small, else by stochastic Lanczos quadrature with its 95 % band.",
      options: [
        ("probes", "how many random start vectors, 10 unless given, or a matrix of them, a row each"),
        ("steps", "products for each of them, 50 unless given"),
        ("seed", "of the probes; otherwise drawn, and printed"),
        (
          "width", "standard deviation of the kernel that smooths the density; 1/60 of the range unless given"
        ),
        ("kind", "hist draws a histogram of the eigenvalues, stems the eigenvalues themselves"),
        ("bins", "bars of the histogram"), ("log", "true for a logarithmic density axis"),
        ("size", "columns of the plot"),
        ("height", "rows of the plot"), ("title", "of the plot"), ("xlabel", "of the plot"),
        ("ylabel", "of the plot"),
      ],
      example: "spectrum"
    ) { call in
      let width = try call.option("width")?.tensor.map(\.scalarValue)
      if let width, !(width > 0) {
        throw Diagnostic(.domain, "'width' must be positive", at: call.command.option("width")?.value.span)
      }
      if let source = try call.quadratureSource(above: smallOrder) {
        return try quadrature(call, source, width)
      }
      let c = try call.curvature()
      try call.requireFinite(c)
      try call.requireSymmetric(c)
      let values = try call.algebra { try symmetricEigenvalues(c.matrix.converted(to: .f64)).doubles }
      guard !values.isEmpty else {
        throw Diagnostic(.domain, "an empty matrix has no spectrum", at: call.command.span)
      }
      let density = SpectralDensity(eigenvalues: values, points: gridPoints, width: width)
      let how = Exactness.text(Exactness.eigenvalues(c.matrix))
      call.print("spectrum of \(c.name): \(values.count) eigenvalues, \(how)")
      try call.show(figure(call, density, c.name, [LanczosQuadrature(eigenvalues: values)], isExact: true))
      return record(density, [("values", .tensor(Tensor(vector: values.reversed())))])
    }
  }

  private static func quadrature(
    _ call: CommandCall, _ source: (operator: any SymmetricOperator, name: String), _ width: Double?
  ) throws -> Value {
    let (a, name) = source
    let steps = try call.count("steps", default: 50)
    let (starts, seed) = try call.startVectors(a.order)
    let probes = starts.count
    let progress = call.progress()
    let found = try call.matrixFree {
      try LanczosQuadrature.quadratures(of: a, from: starts, steps: steps) {
        progress("\($0) of about \(probes * steps) products")
      }
    }
    let density = SpectralDensity(found, points: gridPoints, width: width)
    let products = found.reduce(0) { $0 + $1.nodes.count }
    call.print(
      "spectrum of \(name): order \(a.order), estimate from \(probes) \(probes == 1 ? "probe" : "probes") of "
        + "\(found.map(\.nodes.count).max() ?? 0) steps, \(products) products\(seed)")
    if probes > 1 {
      let mean = Estimate(samples: found.map { Double(a.order) * $0.integral { $0 } }, products: products)
      call.print(
        "trace \(call.format(mean.value)) ± \(LookText.rough((mean.high - mean.low) / 2)) (95 %), Ritz values "
          + "\(call.format(found.compactMap(\.nodes.first).min() ?? 0)) to \(call.format(found.compactMap(\.nodes.last).max() ?? 0))"
      )
    }
    try call.show(figure(call, density, name, found, isExact: false))
    return record(
      density,
      [
        ("nodes", matrix(found.map(\.nodes))), ("weights", matrix(found.map(\.weights))),
        ("products", .number(Double(products))),
      ])
  }

  /// One row a quadrature; zeros, of weight zero, where one has fewer nodes.
  private static func matrix(_ rows: [[Double]]) -> Value {
    let width = rows.map(\.count).max() ?? 0
    let filled = rows.flatMap { $0 + [Double](repeating: 0, count: width - $0.count) }
    return .tensor(Tensor(filled, [rows.count, width]))
  }

  private static func record(_ density: SpectralDensity, _ more: [(name: String, value: Value)]) -> Value {
    .record(
      more + [
        ("grid", .tensor(Tensor(vector: density.grid))),
        ("density", .tensor(Tensor(vector: density.density))),
        ("low", .tensor(Tensor(vector: density.low))), ("high", .tensor(Tensor(vector: density.high))),
      ])
  }

  private static func figure(
    _ call: CommandCall, _ density: SpectralDensity, _ name: String, _ quadratures: [LanczosQuadrature],
    isExact: Bool
  ) throws -> Figure {
    let kind = try call.kind() ?? .line
    var marks: [Mark]
    var label = "density"
    switch kind {
    case .line:
      marks = [.line(Series(density.grid, density.density, name: isExact ? "" : "mean"))]
      if !isExact, quadratures.count > 1 {
        marks.insert(.band(Band(density.grid, lower: density.low, upper: density.high, name: "95 %")), at: 0)
      }
    case .hist where isExact:
      var bars = try call.histogram(Tensor(vector: quadratures[0].nodes), "λ", of: "eigenvalues")
      bars.title = "spectrum of \(name)"
      return bars
    case .stems:
      let count = Double(quadratures.count)
      let nodes = quadratures.flatMap(\.nodes)
      marks = [.stems(Series(nodes, quadratures.flatMap(\.weights).map { $0 / count }))]
      label = "weight"
    default: throw call.unfit(kind, "a spectrum", isExact ? [.line, .hist, .stems] : [.line, .stems])
    }
    let isLog = try call.isLog() ?? false
    return Figure(
      title: "spectrum of \(name)", xAxis: Axis("λ"), yAxis: Axis(label, scale: isLog ? .log : .linear),
      marks: marks)
  }
}

extension CommandCall {
  /// The start vectors of quadratures: given as rows, or drawn; and the seed, for the text.
  fileprivate func startVectors(_ order: Int) throws -> (Rows, seed: String) {
    if let given = try option("probes")?.tensor, given.rank > 0 {
      let place = command.option("probes")?.value.span
      guard given.rank == 2, given.shape[1] == order, given.shape[0] > 0, given.isFinite else {
        throw Diagnostic(
          .shape,
          "start vectors are the rows of a k×\(order) matrix, not a tensor of shape "
            + given.shape.shapeDescription, at: place)
      }
      return (Rows(given.doubles, length: order), "")
    }
    var generator = try probeGenerator()
    let seed = generator.seed
    let probes = try count("probes", default: 10)
    return (.probes(probes, length: order, &generator), ", seed \(seed)")
  }

  /// What a spectrum is taken of by products: an operator, a Hessian of a large order, or what `probes` asks for.
  func quadratureSource(above order: Int) throws -> (operator: any SymmetricOperator, name: String)? {
    if let own = try formulaOperator(always: false) { return (own, own.name) }
    if command.option("probes") != nil || command.option("steps") != nil { return try anyOperator() }
    guard let hessian = try formulaOperator(always: true), hessian.order > order else { return nil }
    return (hessian, hessian.name)
  }
}
