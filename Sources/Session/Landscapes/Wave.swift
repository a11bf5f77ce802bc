#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Points of conic sections.
enum Wave {
  static func cosine(_ k: Int, of count: Int) -> Double { cos(2 * .pi * Double(k) / Double(count)) }
  static func sine(_ k: Int, of count: Int) -> Double { sin(2 * .pi * Double(k) / Double(count)) }
  /// A hyperbola leaves the neighbourhood of its vertex within 32 of these.
  static func hyperbolicCosine(_ k: Int) -> Double { cosh(Double(k) / 12) }
  static func hyperbolicSine(_ k: Int) -> Double { sinh(Double(k) / 12) }
}
