import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Small sets of points with labels, or with values to fit. Rows go through the classes in turn, so that the first
/// rows are a set like the whole; only what is said to be random is drawn.
public enum ToySets {
  public typealias Labelled = (x: Tensor, y: Tensor)

  /// Two half circles of radius 1 that reach into each other, as scikit-learn's `make_moons`; class 0 is the upper one.
  public static func moons(_ count: Int, noise: Double, _ random: inout CounterGenerator) -> Labelled {
    points(count, classes: 2, noise, &random) { label, share in
      let angle = Double.pi * share
      return label == 0 ? (cos(angle), sin(angle)) : (1 - cos(angle), 0.5 - sin(angle))
    }
  }

  /// Two circles around the origin, of radius 1 and `factor`, as scikit-learn's `make_circles`; class 1 is the inner one.
  public static func circles(
    _ count: Int, noise: Double, factor: Double, _ random: inout CounterGenerator
  ) -> Labelled {
    points(count, classes: 2, noise, &random, closed: true) { label, share in
      let radius = label == 0 ? 1 : factor
      return (radius * cos(2 * .pi * share), radius * sin(2 * .pi * share))
    }
  }

  /// Arms from the origin to radius 1, each turned `turns` times around it.
  public static func spirals(
    _ count: Int, classes: Int, noise: Double, turns: Double, _ random: inout CounterGenerator
  ) -> Labelled {
    points(count, classes: classes, noise, &random) { label, share in
      let angle = 2 * Double.pi * (turns * share + Double(label) / Double(classes))
      return (share * cos(angle), share * sin(angle))
    }
  }

  /// Points uniform in the square from -1 to 1; class 1 where the signs of the coordinates differ. Noise is added
  /// after the label is given.
  public static func xor(_ count: Int, noise: Double, _ random: inout CounterGenerator) -> Labelled {
    var x = random.uniforms(2 * count).map { 2 * $0 - 1 }
    let y = (0..<count).map { x[2 * $0] * x[2 * $0 + 1] < 0 ? 1.0 : 0 }
    add(noise, to: &x, &random)
    return (Tensor(x, [count, 2]), Tensor(vector: y))
  }

  /// Normal clouds of standard deviation `spread` around centres that are uniform from -range to range.
  public static func blobs(
    _ count: Int, classes: Int, features: Int, spread: Double, range: Double, _ random: inout CounterGenerator
  ) -> Labelled {
    let centers = random.uniforms(classes * features).map { range * (2 * $0 - 1) }
    let offsets = random.normals(count * features)
    let x = offsets.indices.map { k in
      let (row, feature) = k.quotientAndRemainder(dividingBy: features)
      return centers[row % classes * features + feature] + spread * offsets[k]
    }
    return (Tensor(x, [count, features]), Tensor(vector: (0..<count).map { Double($0 % classes) }))
  }

  /// y = X w + b + noise, for standard normal rows of X.
  public static func regression(
    _ count: Int, weights: [Double], bias: Double, noise: Double, _ random: inout CounterGenerator
  ) -> Labelled {
    let x = random.normals(count * weights.count)
    var y = (0..<count).map { row in
      weights.indices.reduce(bias) { $0 + weights[$1] * x[row * weights.count + $1] }
    }
    add(noise, to: &y, &random)
    return (Tensor(x, [count, weights.count]), Tensor(vector: y))
  }

  /// Points of curves in the plane: `curve` takes the class and how far along (0 to 1) the point lies. A closed curve
  /// does not repeat its beginning.
  private static func points(
    _ count: Int, classes: Int, _ noise: Double, _ random: inout CounterGenerator, closed: Bool = false,
    _ curve: (Int, Double) -> (Double, Double)
  ) -> Labelled {
    var x: [Double] = []
    for row in 0..<count {
      let (place, label) = row.quotientAndRemainder(dividingBy: classes)
      let members = (count - label + classes - 1) / classes
      let point = curve(label, Double(place) / Double(max(closed ? members : members - 1, 1)))
      x += [point.0, point.1]
    }
    add(noise, to: &x, &random)
    return (Tensor(x, [count, 2]), Tensor(vector: (0..<count).map { Double($0 % classes) }))
  }

  private static func add(_ noise: Double, to x: inout [Double], _ random: inout CounterGenerator) {
    guard noise != 0 else { return }
    for (k, offset) in random.normals(x.count).enumerated() { x[k] += noise * offset }
  }
}
