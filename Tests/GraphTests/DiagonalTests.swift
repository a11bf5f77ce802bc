import Tensors
import TestSupport
import Testing

@testable import Calculus
@testable import Graph

/// Diagonals are taken before anything is multiplied out.
struct DiagonalTests: GraphTest {
  let graph = TensorGraph()

  /// diag(A·B) and tr(A·B) never form the product.
  @Test func ofProducts() {
    let (a, b) = (leaf(0, [5, 7]), leaf(1, [7, 5]))
    let product = graph.contract(1, [Operand(a, [0, 2]), Operand(b, [2, 1])], to: [0, 1])
    let diagonal = graph.contract(1, [Operand(product, [0, 0])], to: [0])
    #expect(diagonal == graph.contract(1, [Operand(a, [0, 2]), Operand(b, [2, 0])], to: [0]))
    let trace = graph.contract(1, [Operand(product, [0, 0])], to: [])
    #expect(!graph.reachable(from: [trace]).contains(product))
  }

  /// The diagonal of an assembled Hessian is the diagonals of its diagonal blocks.
  @Test func ofAssembledHessians() {
    let (w, b) = (leaf(0, [3, 4]), leaf(1, [4]))
    let z = graph.add([Summand(1, Operand(w, [0, 1])), Summand(1, Operand(b, [1]))], shape: [3, 4])
    let f = graph.contract(1, [Operand(graph.map(.exp, z), [0, 1])], to: [])
    let h = graph.hessianMatrix(f, wrt: [w, b])
    let diagonal = graph.contract(1, [Operand(h, [0, 0])], to: [0])
    #expect(!graph.reachable(from: [diagonal]).contains(h))
    #expect(!graph.reachable(from: [diagonal]).contains { graph.shape($0).elementCount > 16 * 12 })
  }

  /// Identities that share a label stay as they are.
  @Test func identitiesInAThirdDerivative() {
    let d = graph.delta(4)
    let cube = graph.contract(1, [Operand(d, [0, 1]), Operand(d, [0, 2])], to: [0, 1, 2])
    #expect(graph.shape(cube) == [4, 4, 4])
    let all = graph.contract(1, [Operand(cube, [0, 1, 2])], to: [])
    #expect(graph.constantValue(all) == 4)
  }
}
