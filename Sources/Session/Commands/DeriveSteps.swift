import Calculus
import Graph
import Syntax
import Tensors

/// `derive … steps=true`: how the derivatives come about, rule by rule.
///
/// A derivation is a chain of equal differentials: each step replaces the differential of a formula by those of its
/// operands, and what dx is multiplied by in the end is the derivative by x.
struct DerivationSteps {
  private let derivation: Derivation
  private let f: NodeID
  private let targets: Targets
  private var notation: DerivativeNotation { derivation.notation }
  private var graph: TensorGraph { derivation.graph }
  private var isLaTeX: Bool { notation.style == .latex }

  /// A formula, and what leads to it.
  struct Line {
    var reason: String?
    let item: MathPrinter.Item
  }

  init(_ derivation: Derivation) throws {
    self.derivation = derivation
    let (call, elaborator) = (derivation.call, derivation.elaborator)
    if let subject = call.subject {
      elaborator.callResults = try call.interpreter.runProcedures(in: subject)
    }
    f = try call.scalarNode(elaborator)
    targets = try elaborator.targets(call.wrt(elaborator), of: [f], call.command.span)
  }

  func document() -> [String] {
    var number = 0
    let parts = sections().enumerated().flatMap { index, section -> [String] in
      let rows = rows(section.lines, from: &number)
      let body = isLaTeX ? LaTeX.aligned(rows) : plain(rows)
      return (index == 0 ? [] : [""]) + [section.title] + body
    }
    return isLaTeX ? ["\\allowdisplaybreaks"] + parts : parts
  }

  /// Formulas, with the reasons between them, numbered from the one after `number`.
  private func rows(_ lines: [Line], from number: inout Int) -> [LaTeX.AlignedLine] {
    let width = derivation.call.interpreter.options.width - Self.indent.count
    let printer = MathPrinter(graph, style: notation.style, width: width, sharesAcross: false)
    let text = printer.text(of: lines.map(\.item))
    var rows: [LaTeX.AlignedLine] = []
    var last: [String] = []
    for (line, formula) in zip(lines, text.statements) {
      // A rule that the notation does not show.
      if line.reason != nil, formula == last { continue }
      last = formula
      if let reason = line.reason {
        number += 1
        rows.append(.text("\(number). \(reason)"))
      }
      rows += formula.map { .row($0) }
    }
    if isLaTeX && !text.definitions.isEmpty { rows.append(.text("where")) }
    return rows + text.definitions.map { .row($0) }
  }

  private static let indent = "   "

  private func plain(_ rows: [LaTeX.AlignedLine]) -> [String] {
    rows.map { row in
      switch row {
      case .text(let text): return text
      case .row(let line): return Self.indent + line
      }
    }
  }

  // MARK: Sections

  /// The gradient, then each row of blocks of the Hessian.
  private func sections() -> [(title: String, lines: [Line])] {
    let gradients = graph.grad(f, wrt: targets.leaves)
    let pieces = derivation.gradientPieces(gradients, targets)
    var result: [(title: String, lines: [Line])] = []
    if derivation.part != .hessian {
      let head = Line(reason: nil, item: .init(name, f))
      result.append(
        (
          "gradient of \(inText(name))",
          [head] + chain(f, notation.differential) + readOff(pieces, coefficientReason)
        ))
    }
    if derivation.part == .grad { return result }
    let blocks = derivation.hessianPieces(f, targets)
    for (row, piece) in pieces.enumerated() {
      let roots = self.roots(gradients[row], piece)
      let lines = roots.flatMap {
        [Line(reason: nil, item: $0)] + chain($0.node, notation.differential($0.left))
      }
      let hasMirror = row > 0 || roots.count > 1
      let reason = deltaReason + (hasMirror ? "; the rest by symmetry" : "")
      let of = targets.isSingle ? "" : ", by the differential of \(inText(piece.items[0].left))"
      result.append(("Hessian of \(inText(name))\(of)", lines + readOff(blocks[row], reason)))
    }
    return result
  }

  private var name: String { notation.name(derivation.call.subjectName) }

  private func inText(_ formula: String) -> String { isLaTeX ? "$\(formula)$" : formula }

  /// What is differentiated for a row of the Hessian: the entries of a gradient that was put together from scalars, or
  /// the gradient as a whole.
  private func roots(_ gradient: NodeID, _ piece: Derivation.Piece) -> [MathPrinter.Item] {
    switch piece {
    case .whole(let item): return [item]
    case .entries(let items):
      return items.enumerated().map { .init($1.left, graph.entry(of: gradient, at: $0)) }
    }
  }

  private func chain(_ root: NodeID, _ left: String) -> [Line] {
    let steps = Differentiation(graph, of: root, wrt: targets.leaves).steps
    if steps.isEmpty, !targets.leaves.contains(root) {
      let names = targets.names.map { inText(notation.name($0)) }.joined(separator: ", ")
      return [
        Line(reason: "it does not depend on \(names)", item: .init(left, graph.zero(graph.shape(root))))
      ]
    }
    return steps.map { Line(reason: $0.rule.text(notation.style), item: .init(left, $0.differential)) }
  }

  /// The first line has the reason of all of them.
  private func readOff(_ pieces: [Derivation.Piece], _ reason: String) -> [Line] {
    pieces.flatMap(\.items).enumerated().map { Line(reason: $0 == 0 ? reason : nil, item: $1) }
  }

  private var differentials: String {
    targets.names.map { inText(notation.differential(notation.name($0))) }.joined(separator: ", ")
  }

  private var coefficientReason: String { "what \(differentials) is multiplied by" }

  private var deltaReason: String {
    guard targets.leaves.contains(where: { !graph.shape($0).isEmpty }) else { return coefficientReason }
    let rule: String
    switch notation.style {
    case .latex: rule = "$\\partial x_{i} / \\partial x_{j} = \\delta_{i,j}$"
    case .unicode: rule = "∂x[i]/∂x[j] = δ(i,j)"
    case .ascii: rule = "dx[i]/dx[j] = delta(i,j)"
    }
    return "\(coefficientReason); \(rule)"
  }
}

extension DerivativeRule {
  /// The name of the rule, and the rule on letters.
  func text(_ style: MathStyle) -> String {
    let graph = TensorGraph()
    guard let (formula, differential) = example(in: graph) else { return title }
    let printer = MathPrinter(graph, style: style, width: .max)
    let open = graph.differential(formula)
    let (left, right) = (printer.inline(open), printer.inline(differential))
    let rule = "\(left) = \(right)"
    return "\(title): \(style == .latex ? "$\(rule)$" : rule)"
  }

  private var title: String {
    switch self {
    case .sum: return "sum rule"
    case .constantFactor: return "constants stay in front"
    case .total: return "the differential of a sum of entries"
    case .selection: return "entries are picked"
    case .product: return "product rule"
    case .contraction: return "product rule, under the sum"
    case .chain(.power): return "power rule"
    case .chain(.reciprocal): return "quotient rule"
    case .chain: return "chain rule"
    case .maximum: return "a maximum moves with the entry that attains it"
    case .matrix(.inverse): return "differential of an inverse"
    case .matrix(.solve): return "differential of a solution of A·X = B"
    case .matrix(.logdet), .matrix(.det): return "Jacobi's formula"
    case .matrix(.cholesky): return "differential of a Cholesky factor (Murray 2016)"
    case .matrix(.eigh): return "perturbation of eigenvalues and eigenvectors"
    case .matrix(.svdvals): return "perturbation of singular values"
    case .matrix(.eigvals): return "eigenvalues held constant"
    }
  }
}

extension TensorGraph {
  /// Entry k of a vector; a vector put together from scalars gives the scalar.
  fileprivate func entry(of vector: NodeID, at k: Int) -> NodeID {
    let unit = Operand(selector(.oneHot(k), shape(vector)), [0])
    guard case .add(let coefficients) = self[vector].op else {
      return contract(1, [Operand(vector, [0]), unit], to: [])
    }
    let parts = zip(coefficients, self[vector].operands).map { coefficient, operand in
      Summand(coefficient, Operand(contract(1, [operand, unit], to: []), []))
    }
    return add(parts, shape: [])
  }
}
