import Tensors

/// Draws tensors from distributions.
enum Sampler {
  static func sample(
    _ distribution: Distribution, _ shape: Shape, _ generator: inout CounterGenerator, _ precision: Precision
  ) -> Tensor {
    let n = shape.elementCount
    switch distribution {
    case .uniform(let low, let high):
      return Tensor(generator.uniforms(n).map { low + (high - low) * $0 }, shape, precision)
    case .normal(let mean, let deviation):
      return Tensor(generator.normals(n).map { mean + deviation * $0 }, shape, precision)
    case .rademacher: return generator.rademacherTensor(shape, precision)
    case .integers(let low, let high):
      return Tensor(
        (0..<n).map { _ in Double(low + generator.integer(below: max(1, high - low))) }, shape, precision)
    case .permutation:
      let length = shape.last ?? 1
      let rows = length == 0 ? 0 : n / length
      let order = (0..<rows).flatMap { _ in generator.permutation(length) }
      return Tensor(order.map(Double.init), shape, precision)
    case .torch(let seed):
      var twister = MersenneTwister(seed: UInt32(truncatingIfNeeded: seed))
      return Tensor((0..<n).map { _ in twister.torchUniform() }, shape, precision)
    case .numpy(let seed, let isNormal):
      var twister = MersenneTwister(seed: UInt32(truncatingIfNeeded: seed))
      return Tensor(
        (0..<n).map { _ in isNormal ? twister.numpyNormal() : twister.numpyUniform() }, shape, precision)
    }
  }
}
