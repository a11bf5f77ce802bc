import Graph
import Syntax

extension Elaborator {
  /// What is missing for an objective, from what is bound already.
  var objectiveHint: String {
    let globals = interpreter.state.globals.sorted { $0.key < $1.key }
    let formulas = globals.filter { if case .definition = $0.value { return true } else { return false } }
    let hasParams = globals.contains { if case .param = $0.value { return true } else { return false } }
    for (name, _) in formulas {
      let place = Span(SourceText(name: "", text: name), 0, name.utf8.count)
      guard let meaning = try? self.name(name, place), case .node(let node) = meaning else { continue }
      if !graph.shape(node).isEmpty {
        if paramsBundle(of: [node]).nodes.isEmpty { continue }
        return
          "'\(name)' has shape \(graph.shape(node).shapeDescription), and an objective is one number: take a sum or mean"
      }
      if !hasParams {
        return "'\(name)' depends on no param: declare one with param x = …, then define \(name) anew"
      }
    }
    let numbers = globals.filter {
      if case .variable(let variable) = $0.value { return variable.value.tensor?.shape.isEmpty == true }
      return false
    }
    if hasParams, formulas.isEmpty, numbers.count == 1, let name = numbers.first?.key {
      return "'\(name)' is a number; a formula that follows the params is defined with ':=', \(name) := …"
    }
    return "define a scalar formula of a param, such as f := (x - 1)^2"
  }
}
