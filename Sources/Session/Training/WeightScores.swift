import Graph
import LinearAlgebra
import Syntax
import Tensors

/// How much single weights of a param matter, by one of several measures.
struct WeightScores {
  enum Measure: String, CaseIterable {
    /// Σⱼ|Hᵢⱼ| over the Hessian by this param alone, exact, in tiles where it is too large to store.
    case hessian
    /// |w|
    case magnitude
    /// |∂f/∂w|
    case gradient
    /// ½·Hᵢᵢ·w²: the rise of f without the weight, by the Hessian's diagonal (LeCun, Denker and Solla, *Optimal brain
    /// damage*, 1990, equation 5).
    case obd
    /// w²/(2·[H⁻¹]ᵢᵢ): the same when the other weights of the param make up for it (Hassibi and Stork, *Optimal brain
    /// surgeon*, 1993, equation 5).
    case obs
  }

  let call: CommandCall

  /// A score for each entry of a param, row-major.
  func scores(of name: String, _ param: Expr) throws -> [Double] {
    guard let by = call.command.clause("by")?.values.first else { return try scores(.hessian, name, param) }
    if case .name(let word) = by.kind, let measure = Measure(rawValue: word) {
      return try scores(measure, name, param)
    }
    if case .command(let command) = by.kind, command.verb == "hessian", command.subjects.isEmpty {
      return try scores(.hessian, name, param)
    }
    return try given(by, name)
  }

  /// The scores are those of optimal brain surgeon.
  var isSurgeons: Bool {
    if case .name(Measure.obs.rawValue)? = call.command.clause("by")?.values.first?.kind { return true }
    return false
  }

  private func scores(_ measure: Measure, _ name: String, _ param: Expr) throws -> [Double] {
    let values = current(name)
    switch measure {
    case .magnitude: return values.map(\.magnitude)
    case .gradient: return try vector("gradient", name) { try gradient($0, param) }.map(\.magnitude)
    case .hessian: return try vector("row sums", name) { try rowSums($0, param) }
    case .obd:
      let diagonal = try vector("diagonal", name) { elaborator in
        Builtins.diagonal(elaborator.graph, try hessian(elaborator, param))
      }
      return zip(diagonal, values).map { 0.5 * $0 * $1 * $1 }
    case .obs: return try surgeon(name, param).saliencies
    }
  }

  private func current(_ name: String) -> [Double] {
    if case .param(let leaf)? = call.interpreter.lookup(name) { return leaf.value.doubles }
    return []
  }

  private func vector(_ use: String, _ name: String, _ build: (Elaborator) throws -> NodeID) throws
    -> [Double]
  {
    let key = CommandKey(call.command, "\(use) \(name)")
    let value = try call.interpreter.evaluate(key: key, owner: call.command) { .node(try build($0)) }
    return value.tensor?.doubles ?? []
  }

  private func hessian(_ elaborator: Elaborator, _ param: Expr) throws -> NodeID {
    let f = try call.scalarNode(elaborator)
    let h = try elaborator.hessian(of: f, wrt: param, tensor: false, call.command.span)
    return elaborator.asMatrix(try elaborator.asNode(h, call.command.span))
  }

  private func gradient(_ elaborator: Elaborator, _ param: Expr) throws -> NodeID {
    let f = try call.scalarNode(elaborator)
    let targets = try elaborator.targets(param, of: [f], call.command.span)
    return elaborator.flat(elaborator.graph.grad(f, wrt: targets.leaves)[0])
  }

  private func rowSums(_ elaborator: Elaborator, _ param: Expr) throws -> NodeID {
    let graph = elaborator.graph
    let magnitudes = graph.map(.abs, try hessian(elaborator, param))
    return graph.contract(1, [Operand(magnitudes, [0, 1])], to: [0])
  }

  /// A param's weights and the inverse of its Hessian.
  func surgeon(_ name: String, _ param: Expr) throws -> Surgeon {
    let key = CommandKey(call.command, "hessian \(name)")
    let value = try call.interpreter.evaluate(key: key, owner: call.command) {
      .node(try hessian($0, param))
    }
    guard let h = value.tensor, let factor = try? Cholesky(h.converted(to: .f64)) else {
      throw Diagnostic(
        .numeric, "the Hessian by \(name) is not positive definite, and obs inverts it",
        at: call.command.span,
        hint: "obd needs its diagonal only; or add a multiple of sum(\(name)^2) to the formula")
    }
    return Surgeon(current(name), inverse: factor.inverse())
  }

  /// A formula of the user's: a tensor of the param's shape, or a bundle that has one.
  private func given(_ by: Expr, _ name: String) throws -> [Double] {
    let value = try call.interpreter.evaluate(by)
    let found = value[field: name]?.tensor ?? value.tensor
    let count = current(name).count
    guard let scores = found?.doubles, scores.count == count else {
      throw Diagnostic(
        .shape, "the scores of \(name) are \(value.kindName), not one for each of its \(count) entries",
        at: by.span,
        hint:
          "by \(Measure.allCases.map(\.rawValue).joined(separator: ", ")), or a formula of \(name)'s shape")
    }
    return scores
  }
}
