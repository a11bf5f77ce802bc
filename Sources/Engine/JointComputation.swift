import Graph
import Tensors

/// Several computations as one, each of which gives some of the results.
public final class JointComputation: Computation {
  public let precision: Precision
  public let inputs: [Leaf]
  public let workingBytes: Int
  private let parts: [(computation: any Computation, inputs: [Int], outputs: [Int])]
  private let count: Int

  /// - Parameter parts: computations of one precision, and the place of each of their results among all.
  public init(_ parts: [(computation: any Computation, outputs: [Int])], precision: Precision) {
    self.precision = precision
    let all = parts.flatMap(\.computation.inputs).distinct
    inputs = all
    self.parts = parts.map { ($0.computation, all.places(of: $0.computation.inputs), $0.outputs) }
    count = parts.reduce(0) { $0 + $1.outputs.count }
    workingBytes = parts.reduce(0) { $0 + $1.computation.workingBytes }
  }

  public var multiplications: Double { parts.reduce(0) { $0 + $1.computation.multiplications } }
  public var largestBuffer: Int { parts.map(\.computation.largestBuffer).max() ?? 0 }
  public var stepCount: Int { parts.reduce(0) { $0 + $1.computation.stepCount } }
  public var isScalar: Bool { parts.allSatisfy(\.computation.isScalar) }
  public var listing: [String] { parts.flatMap(\.computation.listing) }

  public func run(_ values: [Tensor]) throws -> [Tensor] {
    var results = [Tensor](repeating: Tensor(scalar: 0), count: count)
    for part in parts {
      let found = try part.computation.run(part.inputs.map { values[$0] })
      for (place, tensor) in zip(part.outputs, found) { results[place] = tensor }
    }
    return results
  }
}
