import Graph
import Optimization
import Syntax
import Tensors

/// `hessian blocks=true`: how the curvature is spread over the params. ‖H_ij‖_F for each pair of params, exact, each
/// block in tiles where it is too large to store.
struct BlockNorms {
  let call: CommandCall

  init(_ call: CommandCall) { self.call = call }

  func run() throws -> Value {
    let names = try self.names()
    var norms = Tensor([Double](repeating: 0, count: names.count * names.count), [names.count, names.count])
    for i in names.indices {
      for j in 0...i {
        let norm = try norm(i, j)
        norms[flat: i * names.count + j] = norm
        norms[flat: j * names.count + i] = norm
      }
    }
    call.warnNonFinite("the table of norms", [norms])
    call.print(text(names, norms.doubles))
    return .tensor(norms)
  }

  private func names() throws -> [String] {
    let found = try call.evaluated("block names", storage: .dense) { elaborator in
      .tuple(try targets(elaborator).targets.names.map { .string($0) })
    }
    guard case .tuple(let items) = found else { return [] }
    return items.compactMap { if case .string(let name) = $0 { return name } else { return nil } }
  }

  private func targets(_ elaborator: Elaborator) throws -> (f: NodeID, targets: Targets) {
    let f = try call.scalarNode(elaborator)
    let targets = try elaborator.targets(call.wrt(elaborator), of: [f], call.command.span)
    guard targets.part == nil else {
      throw Diagnostic(.type, "blocks are between whole params", at: call.command.span)
    }
    return (f, targets)
  }

  private func norm(_ i: Int, _ j: Int) throws -> Double {
    try call.frobeniusNorm("block \(i) \(j)") { elaborator in
      let (f, targets) = try targets(elaborator)
      let pair = i == j ? [targets.leaves[i]] : [targets.leaves[i], targets.leaves[j]]
      return elaborator.graph.hessianBlocks(f, wrt: pair)[pair.count - 1][0]
    }.norm
  }

  private func text(_ names: [String], _ norms: [Double]) -> String {
    let n = names.count
    let whole = Optimization.norm(norms)
    var rows = [["‖∇²\(call.subjectSymbol)‖ by block"] + names]
    for i in 0..<n { rows.append([names[i]] + (0..<n).map { $0 <= i ? call.format(norms[i * n + $0]) : "" }) }
    let share = (0..<n).map { norms[$0 * n + $0] / whole }.reduce(0) { $0 + $1 * $1 }
    let percent =
      whole > 0 && whole.isFinite
      ? "; \(NumberFormat(digits: 3)(100 * share)) % of its square lies in the diagonal blocks" : ""
    return TextTable(rows).spelled(for: call.interpreter).text
      + "\nthe whole: \(call.format(whole)), exact\(percent)"
  }
}
