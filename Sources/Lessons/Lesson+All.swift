extension Lesson {
  /// The texts of `examples/lessons`, which the build puts into the executable.
  public static let texts: [String] = [
    PackageResources._1_curvature_hlab, PackageResources._2_descent_hlab, PackageResources._3_newton_hlab,
    PackageResources._4_saddles_hlab, PackageResources._5_trust_hlab, PackageResources._6_least_squares_hlab,
    PackageResources._7_network_hlab, PackageResources._8_stability_hlab,
  ].map { String(decoding: $0, as: UTF8.self) }

  /// Every lesson, in order; the tests read them all.
  public static let all: [Lesson] = texts.compactMap { try? Lesson(text: $0) }
}
