import CKernels
import Engine
import Optimization
import Plotting
import Syntax
import Tensors

/// `compare A, B, C steps=N`: every method from the present point, which stays.
struct Comparison {
  let call: CommandCall

  private struct Run {
    let label: String
    var values: [Double] = []
    var norms: [Double] = []
    var steps = 0
    var end = ""
  }

  private var interpreter: Interpreter { call.interpreter }

  init(_ call: CommandCall) { self.call = call }

  func run() throws -> Value {
    let steps = try call.integer("steps", default: 20)
    guard steps > 0 else { throw Diagnostic(.domain, "steps must be positive", at: call.command.span) }
    let before = interpreter.state
    let history = interpreter.stepHistory
    defer {
      let figure = interpreter.state.figure
      interpreter.state = before
      interpreter.state.figure = figure
      interpreter.stepHistory = history
      interpreter.structureChanged()
    }
    var runs: [Run] = []
    for (name, method, label) in try call.methods() {
      interpreter.state = before
      interpreter.structureChanged()
      runs.append(try follow(name, method, label, steps))
    }
    call.print(table(runs))
    let fields = Self.fields(runs.map(\.label))
    if !call.isAssigned, try call.number("plot", default: 0) != 0 { try call.show(figure(runs)) }
    return .record(
      zip(fields, runs).map { field, run in
        (
          field,
          .record([
            ("values", .tensor(Tensor(vector: run.values))),
            ("gradient_norms", .tensor(Tensor(vector: run.norms))),
          ])
        )
      })
  }

  private func follow(_ name: String, _ method: any Method, _ label: String, _ steps: Int) throws -> Run {
    interpreter.state.methods = [:]
    let stepper = try Stepper(call, name, method)
    interpreter.loopDepth += 1
    defer { interpreter.loopDepth -= 1 }
    var run = Run(label: label)
    var current = try stepper.evaluation()
    run.values.append(current.value)
    run.norms.append(current.gradientNorm)
    for _ in 0..<steps {
      if hk_interrupt_get() != 0 { throw EngineError.interrupted }
      do {
        current = try stepper.step(from: current).evaluation
      } catch let diagnostic as Diagnostic where diagnostic.kind == .numeric {
        run.end = diagnostic.message
        break
      }
      run.steps += 1
      run.values.append(current.value)
      run.norms.append(current.gradientNorm)
    }
    return run
  }

  private func table(_ runs: [Run]) -> String {
    let f = interpreter.state.objective ?? "f"
    var rows = [["method", "steps", f, "‖∇\(f)‖", ""]]
    for run in runs {
      rows.append([
        run.label, "\(run.steps)", call.format(run.values.last ?? .nan), call.format(run.norms.last ?? .nan),
        run.end,
      ])
    }
    return TextTable(rows).text
  }

  /// f along the steps of each method.
  private func figure(_ runs: [Run]) -> Figure {
    // Zeros fall off a logarithmic axis.
    let values = runs.flatMap(\.values)
    let isPositive = values.allSatisfy { $0 >= 0 } && values.contains { $0 > 0 }
    return Figure(
      xAxis: Axis("step"),
      yAxis: Axis(interpreter.state.objective ?? "f", scale: isPositive ? .log : .linear),
      marks: runs.map { .line(Series($0.values, name: $0.label)) })
  }

  /// Field names: `gd(lr=1e-3)` is `gd`, the next of that name `gd_2`.
  private static func fields(_ labels: [String]) -> [String] {
    var seen: [String: Int] = [:]
    return labels.map { label in
      let name = String(label.prefix { $0 != "(" }).replacing("-", with: "_")
      seen[name, default: 0] += 1
      return seen[name] == 1 ? name : "\(name)_\(seen[name] ?? 0)"
    }
  }
}

/// Columns of text: the first left-aligned, numbers right-aligned.
struct TextTable {
  let rows: [[String]]
  init(_ rows: [[String]]) { self.rows = rows }

  var text: String {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { c in rows.map { c < $0.count ? $0[c].count : 0 }.max() ?? 0 }
    return rows.map { row in
      let cells = row.enumerated().map { c, cell -> String in
        let pad = String(repeating: " ", count: widths[c] - cell.count)
        return c == 0 || c == columns - 1 ? cell + pad : pad + cell
      }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
  }
}
