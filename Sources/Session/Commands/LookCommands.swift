import LinearAlgebra
import Syntax
import Tensors

extension Commands {
  static var lookCommands: [CommandDefinition] {
    [valueCommand, gradCommand, hessianCommand]
  }

  private static var valueCommand: CommandDefinition {
    CommandDefinition(
      verb: "value", usage: "value [FORMULA]", summary: "The objective (or a formula) at the present params.",
      example: "value"
    ) { call in
      let value: Value
      if let subject = call.subject {
        value = try call.interpreter.evaluate(subject)
      } else {
        value = .number(try call.view(.value).value)
      }
      call.print(call.interpreter.valueText.labeled(call.subjectName, call.interpreter.valueText.text(value)))
      return value
    }
  }

  private static var gradCommand: CommandDefinition {
    CommandDefinition(
      verb: "grad", usage: "grad [FORMULA] [wrt TARGETS]", summary: "The gradient and its norm.", example: "grad"
    ) { call in
      let view = try call.view(.gradient)
      let gradient = view.gradient ?? Tensor(vector: [])
      let result = try call.interpreter.evaluate(key: CommandKey(call.command, "grad"), owner: call.command) {
        try $0.gradient(of: call.scalarNode($0), wrt: call.wrt($0), call.command.span)
      }
      let text = call.interpreter.valueText
      let norm = "‖∇\(view.name)‖ = \(call.format(view.gradientNorm ?? 0))"
      let body = text.labeled("∇\(view.name)", text.text(result))
      call.print(body.contains("\n") ? "\(body)\n\(norm)" : "\(body)    \(norm)")
      _ = gradient
      return result
    }
  }

  private static var hessianCommand: CommandDefinition {
    CommandDefinition(
      verb: "hessian", usage: "hessian [FORMULA] [wrt TARGETS]", summary: "The exact Hessian and its definiteness.",
      example: "hessian"
    ) { call in
      let result = try call.interpreter.evaluate(key: CommandKey(call.command, "hessian"), owner: call.command) {
        try $0.hessian(of: call.scalarNode($0), wrt: call.wrt($0), tensor: false, call.command.span)
      }
      let text = call.interpreter.valueText
      call.print(text.labeled("∇²\(call.subjectName)", text.text(result)))
      return result
    }
  }
}
