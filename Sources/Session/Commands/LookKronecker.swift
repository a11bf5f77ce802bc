import Calculus
import Graph
import LinearAlgebra
import Optimization
import Syntax
import Tensors

extension Commands {
  static var kroneckerCommand: CommandDefinition {
    CommandDefinition(
      verb: "kfac", usage: "kfac [FORMULA] [wrt PARAMS] [damping=λ]",
      summary:
        "The Gauss–Newton matrix as K-FAC has it: a product A ⊗ S of two factors for each dense layer, the exact block of "
        + "every other param, and how far each is from the exact block.",
      options: [("damping", "λ: the factors as A + πγI and S + γ/π·I with γ² = λ + ρ, none by default")],
      example: "k = kfac; print k.x.block"
    ) { call in try KroneckerReport(call).run() }
  }
}

/// `kfac`: the blocks, and their table.
private struct KroneckerReport {
  private let call: CommandCall
  private let damping: Double?

  /// Order of a factor up to which its eigenvalues are computed.
  private static let spectrumOrder = 2000
  /// Entries of a block up to which it is compared with the exact one.
  private static let comparedOrder = 1000

  private struct Block {
    /// Of the params, joined.
    let name: String
    /// Of the first.
    let weight: String
    let curvature: CurvatureBlock
    /// ‖G − K‖ and ‖G‖ of the block, in the Frobenius norm.
    let distance: (Double, Double)?
  }

  init(_ call: CommandCall) throws {
    self.call = call
    try call.noMoreSubjects()
    damping = try call.positive("damping")
  }

  func run() throws -> Value {
    let blocks = try self.blocks()
    for block in blocks where !block.curvature.isFinite {
      throw Diagnostic(
        .numeric, "the factors of \(block.name) are not finite", at: call.command.span,
        hint: "look at value and grad, and move the params to where the formula is defined")
    }
    try call.print(try call.algebra { try text(blocks) })
    return .record(blocks.map { ($0.weight, record($0)) })
  }

  private func blocks() throws -> [Block] {
    let value = try call.evaluated("kfac") { elaborator in
      let f = try call.scalarNode(elaborator)
      let targets = try elaborator.targets(call.wrt(elaborator), of: [f], call.command.span)
      let blocks = try elaborator.kroneckerBlocks(f, targets, at: nil, call.command.span)
      let terms = try elaborator.split(f, targets, nil, call.command.span)
      return .tuple(
        try blocks.map { block in
          let names = block.members.map { targets.names[$0] }
          let parts: [Meaning] = [
            .string(names.joined(separator: ", ")), .string(names[0]), elaborator.meaning(of: block, targets),
          ]
          return .tuple(parts + (try distance(elaborator, block, targets, terms)))
        })
    }
    guard case .tuple(let items) = value else { return [] }
    return items.compactMap { item in
      guard case .tuple(let parts) = item, case .string(let name) = parts[0],
        case .string(let weight) = parts[1], let curvature = parts[2].curvatureBlock
      else { return nil }
      let numbers = parts.dropFirst(3).compactMap { $0.tensor?.scalarValue }
      return Block(
        name: name, weight: weight, curvature: curvature,
        distance: numbers.count == 2 ? (numbers[0], numbers[1]) : nil)
    }
  }

  /// How far a block is from the exact one, and how large that is, where it is small enough to be written out.
  private func distance(
    _ elaborator: Elaborator, _ block: KroneckerBlock, _ targets: Targets, _ terms: [LossRecognition.Part]
  ) throws -> [Meaning] {
    let graph = elaborator.graph
    let leaves = block.members.map { targets.leaves[$0] }
    let shapes = leaves.map(graph.shape)
    guard case .layer = block.form, shapes.reduce(0, { $0 + $1.elementCount }) <= Self.comparedOrder else {
      return []
    }
    let exact = elaborator.gaussNewtonBlocks(terms, leaves)
    let approximate = elaborator.entries(block)
    let rest = zip(exact, approximate).map { zip($0, $1).map { graph.difference($0, $1) } }
    return [rest, exact].map { .node(graph.frobeniusNorm(graph.assembled($0, shapes))) }
  }

  private func record(_ block: Block) -> Value {
    switch block.curvature.form {
    case .full(let matrix): return .record([("block", .tensor(matrix))])
    case .factors(let a, let s):
      let damped = damping.map { DampedFactors(input: a, output: s, damping: $0 + block.curvature.ridge) }
      return .record([
        ("A", .tensor(damped?.input ?? a)), ("S", .tensor(damped?.output ?? s)),
        ("ridge", .number(block.curvature.ridge)),
      ])
    }
  }

  // MARK: Text

  private func text(_ blocks: [Block]) throws -> String {
    let layers = blocks.count { if case .factors = $0.curvature.form { return true } else { return false } }
    let others = blocks.count - layers
    let counts =
      "\(layers) dense layer\(layers == 1 ? "" : "s")"
      + (others == 0 ? "" : ", \(others) exact block\(others == 1 ? "" : "s")")
    var rows = [["  params", "block", "λmax"] + (damping == nil ? [] : ["π", "condition"]) + ["off by"]]
    for block in blocks { rows.append(try row(block)) }
    var lines = [
      "K-FAC of \(call.subjectSymbol): \(counts)",
      TextTable(rows, left: [0, 1]).spelled(for: call.interpreter).text,
    ]
    if layers > 0 { lines.append("off by: ‖G − A⊗S‖ / ‖G‖ of a block G of the Gauss–Newton matrix, exact") }
    if damping != nil { lines.append("condition: of (A + πγI) ⊗ (S + γ/π·I), γ² = λ + ridge") }
    return lines.joined(separator: "\n")
  }

  private func row(_ block: Block) throws -> [String] {
    let curvature = block.curvature
    let distance = block.distance.map { off, size in
      size > 0 ? "\(NumberFormat(digits: 3)(100 * off / size)) %" : off == 0 ? "0 %" : "-"
    }
    switch curvature.form {
    case .full(let matrix):
      let values = try symmetricEigenvalues(matrix.converted(to: .f64)).doubles
      let shifted = values.map { $0 + (damping ?? 0) }
      let damped = damping.map { _ in ["", LookText.rough(Commands.ratio(shifted))] } ?? []
      return ["  \(block.name)", "exact \(matrix.shape.shapeDescription)", call.format(values.last ?? 0)]
        + damped + ["0 %"]
    case .factors(let a, let s):
      let isSmall = max(a.shape[0], s.shape[0]) <= Self.spectrumOrder
      let ends =
        try isSmall ? [a, s].map { try symmetricEigenvalues($0.converted(to: .f64)).doubles.last ?? 0 } : []
      let damped =
        try damping.map { isSmall ? try condition(a, s, $0 + curvature.ridge) : ["-", "-"] } ?? []
      return [
        "  \(block.name)", "A \(a.shape.shapeDescription) ⊗ S \(s.shape.shapeDescription)",
        isSmall ? call.format(ends.reduce(1, *) + curvature.ridge) : "-",
      ] + damped + [distance ?? "-"]
    }
  }

  /// π, and the condition number of the damped product.
  private func condition(_ a: Tensor, _ s: Tensor, _ damping: Double) throws -> [String] {
    let damped = DampedFactors(input: a, output: s, damping: damping)
    let ratios = try [damped.input, damped.output].map {
      Commands.ratio(try symmetricEigenvalues($0.converted(to: .f64)).doubles)
    }
    return [LookText.rough(damped.balance), LookText.rough(ratios[0] * ratios[1])]
  }
}

extension Elaborator {
  /// A block as a record, which `Value.curvatureBlock` reads.
  func meaning(of block: KroneckerBlock, _ targets: Targets) -> Meaning {
    let shapes = targets.leaves.map(graph.shape)
    let offsets = shapes.indices.map { k in shapes[..<k].reduce(0) { $0 + $1.elementCount } }
    func positions(_ places: [Int]) -> Meaning {
      .node(graph.constant(Tensor(vector: places.map(Double.init))))
    }
    switch block.form {
    case .exact(let node):
      let k = block.members[0]
      let places = (0..<shapes[k].elementCount).map { offsets[k] + $0 }
      return .record([
        ("full", .node(graph.assembled([[node]], [shapes[k]]))), ("places", positions(places)),
      ])
    case .layer(let dense, let input, let output):
      let places = dense.entries(in: graph).map { offsets[block.members[$0.param]] + $0.place }
      // The weight's: of all that depends on it, only damping is left to the bias.
      let ridge = (block.ridges.first ?? nil) ?? graph.fill(0)
      return .record([
        ("input", .node(input)), ("output", .node(output)), ("ridge", .node(ridge)),
        ("places", positions(places)),
      ])
    }
  }
}

extension Value {
  /// A block of a curvature matrix from the record that stands for it.
  var curvatureBlock: CurvatureBlock? {
    guard let places = self[field: "places"]?.tensor?.doubles.map({ Int($0) }) else { return nil }
    if let matrix = self[field: "full"]?.tensor { return CurvatureBlock(.full(matrix), places: places) }
    guard let input = self[field: "input"]?.tensor, let output = self[field: "output"]?.tensor else {
      return nil
    }
    return CurvatureBlock(
      .factors(input: input, output: output), places: places,
      ridge: self[field: "ridge"]?.tensor?.scalarValue ?? 0)
  }
}
