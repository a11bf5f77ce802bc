import Plotting
import Syntax
import Tensors

extension CommandCall {
  /// Cells of a pattern along its longer side; larger matrices have several entries to a cell.
  private static var patternCells: Int { 400 }

  /// Where the non-zeros of a matrix stand: with `kind=pattern`, and for sparse matrices too large to be filled in.
  /// Nil for other values.
  func pattern(_ value: Value, _ expr: Expr) throws -> Figure? {
    let kind = try kind()
    guard kind == .pattern || kind == nil else { return nil }
    switch value {
    case .sparse(let matrix, let names, let sizes):
      guard kind == .pattern || value.tensor == nil else { return nil }
      let pattern = matrix.pattern
      return figure(
        expr, pattern.rows, pattern.columns, zip(names, sizes),
        Self.share(pattern.nonZeros, Double(pattern.rows) * Double(pattern.columns))
      ) {
        cells, mark in
        pattern.forEachEntry(sampling: cells) { i, j in
          mark(i, j)
          if pattern.isLowerHalf { mark(j, i) }
        }
      }
    case .blockMatrix(let t, let names, let sizes):
      return kind == nil ? nil : dense(t, zip(names, sizes), expr)
    case .tensor(let t):
      guard kind == .pattern else { return nil }
      guard t.rank == 2 else {
        throw Diagnostic(
          .shape, "a pattern is of a matrix, not of \(value.kindName)", at: expr.span)
      }
      return dense(t, zip([], []), expr)
    default: return nil
    }
  }

  private static func share(_ nonZeros: Int, _ entries: Double) -> String {
    "\(nonZeros) non-zeros (\(NumberFormat(digits: 2)(100 * Double(nonZeros) / max(entries, 1))) %)"
  }

  private func dense(_ t: Tensor, _ blocks: Zip2Sequence<[String], [Int]>, _ expr: Expr) -> Figure {
    let (rows, columns, values) = (t.shape[0], t.shape[1], t.doubles)
    let text = Self.share(values.count { $0 != 0 }, Double(values.count))
    return figure(expr, rows, columns, blocks, text) {
      _, mark in
      for place in values.indices where values[place] != 0 { mark(place / columns, place % columns) }
    }
  }

  private func figure(
    _ expr: Expr, _ rows: Int, _ columns: Int, _ blocks: Zip2Sequence<[String], [Int]>, _ text: String,
    _ visit: (_ cells: (rows: Int, columns: Int), _ mark: (Int, Int) -> Void) -> Void
  ) -> Figure {
    // Whole entries to a cell, as many each way.
    let step = max((max(rows, columns) + Self.patternCells - 1) / Self.patternCells, 1)
    let (height, width) = ((rows + step - 1) / step, (columns + step - 1) / step)
    var cells = [Double](repeating: 0, count: height * width)
    visit((height, width)) { i, j in cells[i * height / rows * width + j * width / columns] = 1 }
    let names = blocks.map { Matrix.Block($0, size: max(($1 + step / 2) / step, 1)) }
    let isWhole = names.reduce(0) { $0 + $1.size } == height
    let picture = Matrix(
      rows: height, columns: width, values: cells, blocks: names.count > 1 && isWhole ? names : [])
    let note = step > 1 ? "a cell stands for about \(step)×\(step) entries" : ""
    return Figure(
      title: "\(expr.span.text): \(text)", xAxis: Axis(note), marks: [.matrix(picture)],
      colorBar: ColorBar(isShown: false))
  }
}
