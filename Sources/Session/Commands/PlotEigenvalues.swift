import LinearAlgebra
import Plotting
import Syntax
import Tensors

extension CommandCall {
  /// `plot eig`: the eigenvalues of the objective's Hessian, the largest first, as stems; with `kind=hist` how many of
  /// them lie where.
  func plotEigenvalues() throws -> Value {
    if command.subjects.count > 1 {
      throw Diagnostic(
        .syntax, "'plot eig' takes the objective's Hessian alone", at: command.subjects[1].span,
        hint: "of another matrix: plot eig(A) kind=hist")
    }
    let own = Command(
      verb: "eig", verbSpan: command.subjects[0].span, subjects: [], clauses: [], options: [], block: nil,
      span: command.span)
    let objective = CommandCall(
      interpreter: interpreter, command: own, definition: definition, isAssigned: isAssigned)
    let c = try objective.curvature()
    guard c.order > 0 else {
      throw Diagnostic(.domain, "the params are empty, there are no eigenvalues", at: command.span)
    }
    try objective.requireFinite(c)
    let values = try algebra { try symmetricEigenvalues(c.matrix.converted(to: .f64)).doubles }
    let title = "eigenvalues of \(c.name)"
    let largestFirst = Series(Array(values.reversed()))
    let log = try scale(false)
    var figure = Figure(title: title, xAxis: Axis("index"), yAxis: Axis("λ", scale: log), marks: [])
    switch try kind() ?? .stems {
    case .stems: figure.marks = [.stems(largestFirst)]
    case .line: figure.marks = [.line(largestFirst)]
    case .scatter: figure.marks = [.scatter(largestFirst)]
    case .hist:
      figure = try histogram(Tensor(vector: values), "λ", of: "eigenvalues")
      figure.title = title
    case let kind: throw unfit(kind, "a spectrum", [.stems, .hist, .line, .scatter])
    }
    try show(figure)
    noteIdle(except: try kind() == .hist ? ["bins"] : [])
    return isAssigned ? .tensor(Tensor(vector: values.reversed())) : .nothing
  }

  /// How many entries lie in each of `bins=` intervals.
  func histogram(_ tensor: Tensor, _ name: String, of what: String = "count") throws -> Figure {
    let bins = try bounded("bins", 1...10_000)
    return Figure(
      xAxis: Axis(name), yAxis: Axis(what, scale: try scale(false)),
      marks: [.histogram(Histogram(samples: tensor.doubles, bins: bins))])
  }
}
