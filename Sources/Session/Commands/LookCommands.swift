import Graph
import Syntax
import Tensors

extension Commands {
  static var lookCommands: [CommandDefinition] {
    [valueCommand, gradCommand, hessianCommand] + spectrumCommands + [
      classifyCommand, criticalCommand, checkCommand,
    ]
      + formulaCommands + nameCommands
  }

  private static var valueCommand: CommandDefinition {
    CommandDefinition(
      verb: "value", usage: "value [FORMULA]", summary: "The objective (or a formula) at the present params.",
      example: "value"
    ) { call in
      try call.noMoreSubjects()
      let value: Value
      if let subject = call.subject {
        value = try call.interpreter.evaluate(subject)
      } else {
        value = .number(try call.view(.value).value)
      }
      call.print(call.interpreter.valueText.labeled(call.subjectName, showing: value))
      if let tensor = value.tensor { call.warnNonFinite(call.subjectName, [tensor]) }
      return value
    }
  }

  private static var gradCommand: CommandDefinition {
    CommandDefinition(
      verb: "grad", usage: "grad [FORMULA] [wrt TARGETS]",
      summary: "The gradient of the objective (or a scalar formula) and its Euclidean norm.", example: "grad"
    ) { call in
      try call.noMoreSubjects()
      let both = try call.evaluated("grad") {
        let f = try call.scalarNode($0)
        return .tuple([.node(f), try $0.gradient(of: f, wrt: call.wrt($0), call.command.span)])
      }
      guard case .tuple(let parts) = both, parts.count == 2 else { return .nothing }
      let result = parts[1]
      call.print(gradientText(call, result))
      call.warnNonFinite(call.subjectName, parts[0].tensors)
      call.warnNonFinite("the gradient", result.tensors)
      return result
    }
  }

  /// The gradient on a line with its norm; of several params, one after the other.
  private static func gradientText(_ call: CommandCall, _ gradient: Value) -> String {
    let (text, look) = (call.interpreter.valueText, call.lookText)
    let name = "∇\(call.subjectSymbol)"
    let total = Tensor(vector: gradient.tensors.map(\.frobeniusNorm)).frobeniusNorm
    let norm = "‖\(name)‖ = \(call.format(total))"
    guard case .bundle(let names, let tensors) = gradient else {
      return look.remarked(text.labeled(name, showing: gradient), norm)
    }
    let parts = zip(names, tensors).map { param, tensor in
      look.remarked(
        text.labeled("\(name).\(param)", showing: tensor), "‖·‖ = \(call.format(tensor.frobeniusNorm))")
    }
    return (parts + [norm]).joined(separator: "\n")
  }

  private static var hessianCommand: CommandDefinition {
    CommandDefinition(
      verb: "hessian", usage: "hessian [FORMULA] [wrt TARGETS]",
      summary: "The exact Hessian of the objective (or a scalar formula) and its definiteness.",
      options: [
        ("tensor", "true keeps the axes of a param with several"),
        ("blocks", "true gives the Frobenius norms of the blocks between params only"),
      ], example: "hessian\nhessian blocks=true"
    ) { call in
      try call.noMoreSubjects()
      if try call.flag("blocks") { return try BlockNorms(call).run() }
      let keepsAxes = try call.flag("tensor")
      let result = try call.evaluated("hessian \(keepsAxes)", storage: .sparse) {
        try call.fullHessian($0, keepsAxes: keepsAxes)
      }
      let entries: Tensor
      if case .sparse(let matrix, _, _) = result {
        call.print(sparseText(call, matrix))
        entries = matrix.values
      } else if let tensor = result.tensor {
        try call.print(hessianText(call, result, tensor))
        entries = tensor
      } else {
        return result
      }
      try call.warnUndefined()
      call.warnNonFinite("the Hessian", [entries])
      return result
    }
  }

  private static func sparseText(_ call: CommandCall, _ matrix: SparseMatrix) -> String {
    let text = call.interpreter.valueText
    let body = text.labeled("∇²\(call.subjectSymbol)", text.text(matrix))
    let signs = matrix.inertia.map { Definiteness(inertia: $0, tolerance: 0).text }
    return call.lookText.remarked(body, signs.map { "symmetric, \($0)" } ?? "symmetric")
  }

  private static func hessianText(_ call: CommandCall, _ result: Value, _ tensor: Tensor) throws -> String {
    let look = call.lookText
    let name = "∇²\(call.subjectSymbol)"
    if tensor.rank > 2 {
      return call.interpreter.valueText.labeled(name, showing: tensor)
    }
    let matrix = tensor.rank == 0 ? tensor.reshaped([1, 1]) : tensor
    var blocks: [(name: String, size: Int)] = []
    if case .blockMatrix(_, let names, let sizes) = result { blocks = Array(zip(names, sizes)) }
    let body =
      tensor.rank == 0
      ? call.interpreter.valueText.labeled(name, call.format(tensor.scalarValue))
      : look.matrix(name, matrix, blocks: blocks)
    return look.remarked(body, try definiteness(call, matrix))
  }

  /// Words for a Hessian; empty for one that is not finite.
  private static func definiteness(_ call: CommandCall, _ matrix: Tensor) throws -> String {
    let n = matrix.shape[0]
    guard call.nonFinite("", [matrix]) == nil else { return "" }
    if n == 0 { return "" }
    guard n <= 2000 else { return "symmetric; its definiteness takes too long to print, see eig bottom 1" }
    let sign = try call.algebra { try Definiteness(matrix) }
    if n == 1 {
      return sign.inertia.positive == 1 ? "positive" : sign.inertia.negative == 1 ? "negative" : "zero"
    }
    return "symmetric, \(sign.text)"
  }
}
