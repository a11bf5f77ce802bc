import Engine
import Graph
import Syntax
import Tensors

/// What `derive` and `explain` were asked for.
enum FormulaPart: String {
  case value, grad, hessian
}

extension Commands {
  static var formulaCommands: [CommandDefinition] { [deriveCommand, graphCommand, explainCommand] }

  private static var deriveCommand: CommandDefinition {
    CommandDefinition(
      verb: "derive", usage: "derive [grad | hessian] [FORMULA] [wrt TARGETS]",
      summary:
        "The gradient and the Hessian as mathematics; of a formula that is no scalar, the formula itself.",
      options: [
        ("steps", "true shows how, step by step: each rule that is used, and what it makes of the formula"),
        ("latex", "true writes LaTeX, an align* of the package amsmath"),
        ("ascii", "true writes without Unicode; also: set ascii true"),
      ], example: "derive hessian\nderive grad steps=true\nderive grad latex=true"
    ) { call in
      let call = call.splittingPart()
      try call.call.noMoreSubjects()
      let lines = try Derivation(call.call, call.part).document()
      call.call.print(lines.joined(separator: "\n"))
      return .string(lines.joined(separator: "\n"))
    }
  }

  private static var graphCommand: CommandDefinition {
    CommandDefinition(
      verb: "graph", usage: "graph [FORMULA] [dot=true]",
      summary: "The nodes of a formula: number, operation with its index pattern, operands, shape, name.",
      options: [("dot", "true gives the drawing in Graphviz's language")], example: "graph"
    ) { call in
      try call.noMoreSubjects()
      let elaborator = call.elaborator()
      let roots: [NodeID]
      if let subject = call.subject {
        elaborator.callResults = try call.interpreter.runProcedures(in: subject)
        roots = try elaborator.meaning(subject).nodes
      } else {
        roots = [try elaborator.objective(call.command.verbSpan).node]
      }
      let graph = elaborator.graph
      if try call.flag("dot") {
        let text = GraphListing(graph).dot(roots)
        call.print(text)
        return .string(text)
      }
      let count = graph.reachable(from: roots).count
      call.print(
        (GraphListing(graph, limit: 200).nodeList(roots) + ["\(count) node\(count == 1 ? "" : "s")"]).joined(
          separator: "\n"))
      return .number(Double(count))
    }
  }

  private static var explainCommand: CommandDefinition {
    CommandDefinition(
      verb: "explain",
      usage: "explain [plan | grad | hessian] [FORMULA] [wrt TARGETS] | explain step METHOD …",
      summary:
        "How a formula or its derivatives are computed: nodes, blocks, memory, the steps of the plan; for a Hessian "
        + "its forms, what each costs, and the formula of its blocks. Of a first step of a method: its parts along the "
        + "eigenvectors, what the quadratic model predicts and what comes of it, or why the method refuses; nothing moves.",
      example: "explain hessian\nexplain step newton"
    ) { call in
      if let step = try call.innerStep() { return try StepExplanation.run(step) }
      let split = call.splittingPart()
      try split.call.noMoreSubjects()
      return try Explanation(split.call, split.part ?? .value).run()
    }
  }
}

extension CommandCall {
  /// `derive hessian f`, `explain plan f`: the word before the formula, and the command without it. A name that is bound is a formula.
  fileprivate func splittingPart() -> (part: FormulaPart?, call: CommandCall) {
    guard let first = subject, case .name(let word) = first.kind,
      let part = FormulaPart(rawValue: command.verb == "explain" && word == "plan" ? "value" : word),
      interpreter.lookup(word) == nil
    else { return (nil, self) }
    let rest = Command(
      verb: command.verb, verbSpan: command.verbSpan, subjects: Array(command.subjects.dropFirst()),
      clauses: command.clauses, options: command.options, block: command.block, span: command.span)
    return (
      part,
      CommandCall(interpreter: interpreter, command: rest, definition: definition, isAssigned: isAssigned)
    )
  }

  /// The command `step …` that stands as the subject.
  fileprivate func innerStep() throws -> CommandCall? {
    guard let subject, case .command(let step) = subject.kind, let definition = Commands.table[step.verb]
    else {
      return nil
    }
    try noMoreSubjects()
    if let clause = command.clauses.first {
      throw Diagnostic(.syntax, "'\(clause.keyword)' belongs to the step", at: clause.span)
    }
    return CommandCall(
      interpreter: interpreter, command: step, definition: definition, isAssigned: isAssigned)
  }

  func elaborator() -> Elaborator {
    Elaborator(interpreter, environment: FormulaEnvironment(frameTag: interpreter.currentFrameTag))
  }
}
