import LinearAlgebra
import Optimization
import Syntax
import Tensors

/// The place that a step starts from: the matrix that it rests on, in the coordinates of its eigenvectors.
struct StepGround {
  let call: CommandCall
  let stepper: Stepper
  let before: Evaluation
  let basis: EigenBasis
  /// ∇f along the eigenvectors.
  let gradient: [Double]
  private let matrix: HessianMatrix
  private let isGaussNewton: Bool

  /// Eigenvectors shown at the top and at the bottom.
  private static let (top, bottom) = (6, 4)
  /// Params up to which eigenvectors are written out.
  private static let writtenOut = 3

  /// - Parameter call: the command `step METHOD …` that is explained.
  init(_ call: CommandCall) throws {
    self.call = call
    let (name, method) = try call.singleMethod()
    stepper = try Stepper(call, name, method)
    isGaussNewton = [.ggn, .kfac].contains(method.order)
    before = try stepper.evaluation(isGaussNewton ? .ggn : .hessian)
    guard before.x.count <= EigenBasis.limit, let hessian = before.hessian else {
      throw Diagnostic(
        .resource,
        "a step of \(before.x.count) params is not shown in the eigenbasis, the limit is \(EigenBasis.limit)",
        at: call.command.span, hint: "explain it by one param: explain step \(name) wrt W")
    }
    matrix = hessian
    let (at, full) = (before, hessian.filled(order: before.x.count))
    try call.requireFinite("the matrix", [full])
    basis = try call.algebra { try EigenBasis(full, turnedTo: at.gradient) }
    gradient = basis.coordinates(before.gradient)
  }

  /// Where the step leads, and f there. Throws the method's `Refusal`.
  func trial() throws -> (move: Move, value: Double) {
    try stepper.trial(from: stepper.method.order == .kfac ? stepper.evaluation(.kfac) : before)
  }

  var symbol: String { stepper.objectiveName }
  var matrixName: String { isGaussNewton ? "ggn(\(symbol))" : "∇²\(symbol)" }

  var headline: String {
    "step \(stepper.methodName) from \(symbol) = \(call.format(before.value)), in the eigenbasis of \(matrixName)"
  }

  /// How the matrix is stored.
  var form: String {
    let n = before.x.count
    switch matrix {
    case .dense: return "\(n)×\(n), dense"
    case .sparse(let sparse): return call.interpreter.valueText.describe(sparse.pattern)
    case .blocks(let blocks): return "\(n)×\(n), \(blocks.count) block\(blocks.count == 1 ? "" : "s")"
    }
  }

  // MARK: The table

  var gradientColumn: StepColumn { StepColumn(name: "∇\(symbol)", values: gradient, rest: .norm) }

  /// Newton's step; none along eigenvectors whose eigenvalues are zero.
  ///
  /// - Parameter tolerance: magnitudes up to this are zero.
  func newtonColumn(tolerance: Double = 0) -> StepColumn {
    StepColumn(
      name: "Newton", values: zip(gradient, basis.values).map { abs($1) <= tolerance ? .nan : -$0 / $1 })
  }

  /// A row for each eigenvalue; of many the middle ones are one row.
  func table(_ columns: [StepColumn]) -> [String] {
    let n = basis.values.count
    let middle = Self.top..<max(n - Self.bottom, Self.top)
    let isCut = middle.count > 1
    let shown = isCut ? Array(0..<middle.lowerBound) + Array(middle.upperBound..<n) : Array(0..<n)
    let format = NumberFormat(digits: min(call.format.digits, 6))
    let isWritten = n <= Self.writtenOut && n > 1
    var rows = [["λ"] + columns.map(\.name) + (isWritten ? ["eigenvector"] : [])]
    for k in shown {
      if isCut, k == middle.upperBound {
        rows.append(["\(middle.count) more"] + columns.map { $0.text(of: middle, format) })
      }
      var row = [format(basis.values[k])] + columns.map { $0.text(at: k, format) }
      if isWritten {
        row.append(" [" + basis.vectors[k].map { NumberFormat(digits: 3)($0) }.joined(separator: ", ") + "]")
      }
      rows.append(row)
    }
    let table = TextTable(rows, left: [columns.count + 1]).spelled(for: call.interpreter)
    return table.lines.map { "  " + $0 }
  }
}

/// What is shown of every eigenvector; nan where there is nothing.
struct StepColumn {
  /// What stands for the rows that are left out.
  enum Rest { case nothing, norm, sum }

  let name: String
  let values: [Double]
  var rest = Rest.nothing

  fileprivate func text(at k: Int, _ format: NumberFormat) -> String {
    values[k].isNaN ? "-" : format(values[k])
  }

  fileprivate func text(of range: Range<Int>, _ format: NumberFormat) -> String {
    switch rest {
    case .nothing: return ""
    case .norm: return "‖·‖ " + format(Optimization.norm(Array(values[range])))
    case .sum: return format(values[range].reduce(0, +))
    }
  }
}
