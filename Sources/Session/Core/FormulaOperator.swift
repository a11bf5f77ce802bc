import Curvature
import Engine
import Graph
import Syntax
import Tensors

/// An operator of the language at the present params, for methods that need only its products.
final class FormulaOperator: SymmetricOperator {
  let name: String
  let order: Int
  let roundoff: Double
  private let base: BlockProducts
  private let memoryLimit: Int

  /// Vectors that are multiplied at a time, when there is memory for them.
  private static let widest = 16

  fileprivate init(_ compiled: CompiledOperator, values: [Tensor], memoryLimit: Int) throws {
    name = compiled.name
    order = compiled.order
    base = compiled.products
    self.memoryLimit = memoryLimit
    let isSingle = base.precision == .f32
    // Sums of many terms: a few units in the last place.
    roundoff = isSingle ? 4 * Double(Float.ulpOfOne) : 4 * Double.ulpOfOne
    try base.prepare(values)
  }

  func products(_ block: Rows) throws -> Rows {
    var result = Rows(count: 0, length: order)
    guard block.count > 0 else { return result }
    let piece = try affordable(min(block.count, Self.widest))
    for start in stride(from: 0, to: block.count, by: piece) {
      try Interruption.check()
      let part = block.rows(start..<min(start + piece, block.count))
      let vectors = Tensor(part.entries, [part.count, order]).converted(to: base.precision)
      result.append(Rows(try base.run(vectors).doubles, length: order))
    }
    return result
  }

  /// At most `count` vectors, as many as memory allows.
  private func affordable(_ count: Int) throws -> Int {
    var count = count
    while true {
      let needed = try base.workingBytes(for: count)
      if needed <= memoryLimit { return count }
      guard count > 1 else { throw EngineError.memory(needed: needed, limit: memoryLimit) }
      count /= 2
    }
  }
}

/// An operator compiled for one place in the source.
final class CompiledOperator {
  fileprivate let name: String
  fileprivate let order: Int
  fileprivate let products: BlockProducts
  fileprivate let dependencies: Dependencies
  fileprivate let sources: [SlotSource?]
  /// Keeps the command alive whose identity keys the cache.
  private let owner: AnyObject?

  fileprivate init(
    _ form: OperatorForm, order: Int, _ products: BlockProducts, _ dependencies: Dependencies,
    _ sources: [SlotSource?], _ owner: AnyObject?
  ) {
    name = form.name
    self.order = order
    self.products = products
    self.dependencies = dependencies
    self.sources = sources
    self.owner = owner
  }
}

extension Interpreter {
  private static var operatorLimit: Int { 64 }

  /// The operator that `build` makes, at the present params; nil when it makes none.
  func formulaOperator(
    key: AnyHashable, owner: AnyObject?, _ span: Span, _ build: (Elaborator) throws -> OperatorForm?
  ) throws -> FormulaOperator? {
    if let known = operators[key], known.products.precision == state.settings.precision,
      isValid(known.dependencies)
    {
      return try present(known)
    }
    trimGraph()
    let elaborator = Elaborator(self, environment: FormulaEnvironment(frameTag: currentFrameTag))
    guard let form = try build(elaborator) else { return nil }
    guard form.isSymmetric else {
      throw Diagnostic(
        .domain, "\(form.name) need not be symmetric", at: span,
        hint: "eigenvalues, solutions and traces without entries are for symmetric operators")
    }
    let products = try BlockProducts(
      graph, product: form.product, direction: form.direction, precision: state.settings.precision,
      identity: slots.identity)
    let compiled = CompiledOperator(
      form, order: elaborator.order(form), products, elaborator.dependencies,
      products.inputs.map { slots.source($0.id) }, owner)
    if operators.count >= Self.operatorLimit { operators = [:] }
    operators[key] = compiled
    return try present(compiled)
  }

  private func present(_ compiled: CompiledOperator) throws -> FormulaOperator {
    let inputs = compiled.products.inputs
    let values = try inputs.indices.map { try inputValue(inputs[$0], compiled.sources[$0]) }
    return try FormulaOperator(compiled, values: values, memoryLimit: memoryLimit)
  }
}
