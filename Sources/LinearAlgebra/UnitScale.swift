/// A power of two that brings the largest magnitude among numbers near 1, so that squares and products of them neither
/// overflow nor vanish. Multiplying by it rounds nothing but what is too small to count; 1 for zeros and for infinite
/// numbers.
///
/// - Complexity: O(n).
public func unitScale(_ numbers: some Sequence<Double>) -> Double {
  let largest = numbers.reduce(0) { max($0, $1.magnitude) }
  guard largest > 0, largest.isFinite else { return 1 }
  return Double(sign: .plus, exponent: -max(Int(largest.exponent), -1000), significand: 1)
}
