import Graph
import Testing

@Suite struct ContractionPathTests {
  /// The labels that a path's last step finds on its two sides.
  private func lastSides(_ planner: ContractionPlanner, _ operands: [[Label]]) -> [Set<Label>] {
    let path = planner.path()
    var labels = operands.map { Set($0) }
    for step in path.steps.dropLast() { labels.append(labels[step.left].union(labels[step.right])) }
    guard let last = path.steps.last else { return [] }
    return [labels[last.left], labels[last.right]]
  }

  /// Σₙ xₙᵢ xₙⱼ pₙₖ pₙₗ: pairing i with k is as cheap as i with l; the result's memory decides, whatever the order of
  /// the factors.
  @Test(arguments: [[0, 1, 2, 3], [3, 1, 0, 2], [2, 0, 3, 1]])
  func rowsAndColumnsLieAsOneDimension(order: [Int]) {
    let (n, i, j, k, l) = (0, 1, 2, 3, 4)
    let factors = [[n, i], [n, j], [n, k], [n, l]]
    let operands = order.map { factors[$0] }
    let sizes = [n: 128, i: 200, j: 200, k: 10, l: 10]
    for (layout, side) in [([i, k, j, l], Set([n, i, k])), ([i, l, j, k], Set([n, i, l]))] {
      let planner = ContractionPlanner(operands: operands, result: layout, sizes: sizes, layout: layout)
      #expect(lastSides(planner, operands).contains(side))
    }
  }

  /// (a·B)·C for a row a: n² twice instead of n³ first.
  @Test func cheapestOrder() {
    let operands = [[0], [0, 1], [1, 2]]
    let planner = ContractionPlanner(operands: operands, result: [2], sizes: [0: 50, 1: 50, 2: 50])
    let path = planner.path()
    #expect(Set([path.steps[0].left, path.steps[0].right]) == [0, 1])
    #expect(path.largest == 50)
  }
}
