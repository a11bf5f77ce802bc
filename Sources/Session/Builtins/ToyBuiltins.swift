import Datasets
import Syntax
import Tensors

extension Builtins {
  private static let counts = 1...100_000_000

  /// Small sets, drawn from the session's generator when the statement runs.
  static let toySets: [Builtin] = [
    Builtin(
      "moons", "n, noise=0", .data,
      "Two half circles that reach into each other, as (X, y): points in the plane and classes 0 and 1.",
      "(X, y) = moons(40); print shape(X), y[:4]", "[40, 2] [0, 1, 0, 1]"
    ) { call in
      try labelled(call) { n, noise, random in ToySets.moons(n, noise: noise, &random) }
    },
    Builtin(
      "circles", "n, noise=0, factor=0.5", .data,
      "Two circles around the origin, of radius 1 (class 0) and factor (class 1), as (X, y).",
      "(X, y) = circles(4, factor=0.25); print norm(X, axis=1), y", "[1, 0.25, 1, 0.25] [0, 1, 0, 1]"
    ) { call in
      let factor = try call.number("factor", in: 0...Double.infinity, default: 0.5)
      return try labelled(call) { n, noise, random in
        ToySets.circles(n, noise: noise, factor: factor, &random)
      }
    },
    Builtin(
      "spirals", "n, classes=2, noise=0, turns=1", .data,
      "Arms from the origin to radius 1, each turned so many times around it, as (X, y).",
      "(X, y) = spirals(6, classes=3); print norm(X, axis=1), y", "[0, 0, 0, 1, 1, 1] [0, 1, 2, 0, 1, 2]"
    ) { call in
      let classes = try call.integer("classes", in: counts, default: 2)
      let turns = try call.number("turns", in: -1000...1000, default: 1)
      return try labelled(call) { n, noise, random in
        ToySets.spirals(n, classes: classes, noise: noise, turns: turns, &random)
      }
    },
    Builtin(
      "xor", "n, noise=0", .data,
      "Points uniform in the square from -1 to 1, as (X, y): class 1 where the signs of the coordinates differ.",
      "(X, y) = xor(50); print all((X[:, 0]*X[:, 1] < 0) == y)", "1"
    ) { call in try labelled(call) { n, noise, random in ToySets.xor(n, noise: noise, &random) } },
    Builtin(
      "blobs", "n, classes=3, features=2, spread=1, range=10", .data,
      "Normal clouds of standard deviation spread around centres uniform from -range to range, as (X, y).",
      "(X, y) = blobs(6, features=4); print shape(X), y", "[6, 4] [0, 1, 2, 0, 1, 2]"
    ) { call in
      let n = try call.integer("n", in: counts)
      let classes = try call.integer("classes", in: counts, default: 3)
      let features = try call.integer("features", in: counts, default: 2)
      let spread = try call.number("spread", in: 0...Double.infinity, default: 1)
      let range = try call.number("range", in: 0...Double.infinity, default: 10)
      let set = call.drawing {
        ToySets.blobs(n, classes: classes, features: features, spread: spread, range: range, &$0)
      }
      return call.value([set.x, set.y])
    },
    Builtin(
      "regression", "n, w=1, b=0, noise=0.1", .data,
      "A linear set, as (X, y): y = X @ w + b + noise for standard normal rows of X.",
      "(X, y) = regression(5, w=[2, -3], b=1, noise=0); print max(abs(X @ [2, -3] + 1 - y)) < 1e-12", "1"
    ) { call in
      let n = try call.integer("n", in: counts)
      let weights = try call.tensors("w").first ?? Tensor(vector: [1])
      guard weights.rank <= 1, weights.count > 0 else {
        throw call.error(.shape, "'w' of regression is a vector with a weight for each feature", "w")
      }
      let bias = try call.number("b", in: -Double.infinity...Double.infinity, default: 0)
      let noise = try call.number("noise", in: 0...Double.infinity, default: 0.1)
      let set = call.drawing {
        ToySets.regression(n, weights: weights.doubles, bias: bias, noise: noise, &$0)
      }
      return call.value([set.x, set.y])
    },
  ]

  private static func labelled(
    _ call: EagerCall, _ make: (Int, Double, inout CounterGenerator) -> ToySets.Labelled
  ) throws -> Value {
    let n = try call.integer("n", in: counts)
    let noise = try call.number("noise", in: 0...Double.infinity, default: 0)
    let set = call.drawing { make(n, noise, &$0) }
    return call.value([set.x, set.y])
  }
}
