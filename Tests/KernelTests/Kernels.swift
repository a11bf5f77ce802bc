import CKernels
import Glibc
import Testing

#if arch(x86_64)
  /// What references are computed in.
  typealias Wide = Float80
#else
  typealias Wide = Double
#endif

/// A kernel in both precisions, its reference, and what the tests assert of it.
struct Kernel: Sendable, CustomTestStringConvertible {
  let name: String
  let f64: @Sendable (UnsafePointer<Double>, UnsafeMutablePointer<Double>, Int) -> Void
  let f32: @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
  let reference: @Sendable (Wide) -> Wide
  /// The bounds of the error in units in the last place.
  let bound64: Double
  let bound32: Double

  var testDescription: String { name }

  func callAsFunction(_ x: [Double]) -> [Double] {
    [Double](unsafeUninitializedCapacity: x.count) { buffer, count in
      f64(x, buffer.baseAddress!, x.count)
      count = x.count
    }
  }

  func callAsFunction(_ x: [Float]) -> [Float] {
    [Float](unsafeUninitializedCapacity: x.count) { buffer, count in
      f32(x, buffer.baseAddress!, x.count)
      count = x.count
    }
  }

  /// The bounds hold for every processor level, with and without fused multiply-add; the C library's functions
  /// (tan and below) get its own documented bounds.
  static let all: [Kernel] = [
    Kernel(
      name: "exp", f64: hk_exp_f64, f32: hk_exp_f32, reference: { exp($0) }, bound64: 1.3, bound32: 1.05),
    Kernel(
      name: "expm1", f64: hk_expm1_f64, f32: hk_expm1_f32, reference: { expm1($0) }, bound64: 1.2,
      bound32: 0.51),
    Kernel(name: "log", f64: hk_log_f64, f32: hk_log_f32, reference: { log($0) }, bound64: 1, bound32: 0.51),
    Kernel(
      name: "log1p", f64: hk_log1p_f64, f32: hk_log1p_f32, reference: { log1p($0) }, bound64: 1, bound32: 0.51
    ),
    Kernel(
      name: "tanh", f64: hk_tanh_f64, f32: hk_tanh_f32, reference: { tanh($0) }, bound64: 2, bound32: 1.15),
    Kernel(
      name: "sigmoid", f64: hk_sigmoid_f64, f32: hk_sigmoid_f32,
      reference: { $0 < 0 ? exp($0) / (1 + exp($0)) : 1 / (1 + exp(-$0)) }, bound64: 1.2, bound32: 0.51),
    Kernel(
      name: "softplus", f64: hk_softplus_f64, f32: hk_softplus_f32,
      reference: { ($0 < 0 ? 0 : $0) + log1p(exp(-abs($0))) }, bound64: 1.3, bound32: 0.51),
    Kernel(
      name: "erf", f64: hk_erf_f64, f32: hk_erf_f32, reference: { erf($0) }, bound64: 1.5, bound32: 0.51),
    Kernel(
      name: "sin", f64: hk_sin_f64, f32: hk_sin_f32, reference: { sin($0) }, bound64: 0.9, bound32: 0.56),
    Kernel(
      name: "cos", f64: hk_cos_f64, f32: hk_cos_f32, reference: { cos($0) }, bound64: 0.9, bound32: 0.56),
    Kernel(
      name: "sqrt", f64: hk_sqrt_f64, f32: hk_sqrt_f32, reference: { $0.squareRoot() }, bound64: 0.501,
      bound32: 0.501),
    Kernel(
      name: "rsqrt", f64: hk_rsqrt_f64, f32: hk_rsqrt_f32, reference: { 1 / $0.squareRoot() }, bound64: 1.5,
      bound32: 0.51),
    Kernel(
      name: "recip", f64: hk_recip_f64, f32: hk_recip_f32, reference: { 1 / $0 }, bound64: 0.501,
      bound32: 0.501),
    Kernel(name: "tan", f64: hk_tan_f64, f32: hk_tan_f32, reference: { tan($0) }, bound64: 1, bound32: 1),
    Kernel(name: "asin", f64: hk_asin_f64, f32: hk_asin_f32, reference: { asin($0) }, bound64: 1, bound32: 1),
    Kernel(name: "acos", f64: hk_acos_f64, f32: hk_acos_f32, reference: { acos($0) }, bound64: 1, bound32: 1),
    Kernel(name: "atan", f64: hk_atan_f64, f32: hk_atan_f32, reference: { atan($0) }, bound64: 1, bound32: 1),
    Kernel(name: "sinh", f64: hk_sinh_f64, f32: hk_sinh_f32, reference: { sinh($0) }, bound64: 2, bound32: 2),
    Kernel(name: "cosh", f64: hk_cosh_f64, f32: hk_cosh_f32, reference: { cosh($0) }, bound64: 2, bound32: 2),
  ]
}

/// The error of `y` in units in the last place of the exact value, rounded to `y`'s format; infinite where one of
/// them is NaN or infinite and the other is not.
func ulps<T: BinaryFloatingPoint>(_ y: T, _ exact: Wide) -> Double {
  let rounded = T(exact)
  if rounded.isNaN || y.isNaN { return rounded.isNaN && y.isNaN ? 0 : .infinity }
  if rounded.isInfinite || y.isInfinite {
    if rounded == y { return 0 }
    // A result just above or below the largest finite number.
    let largest = Wide(T.greatestFiniteMagnitude)
    return abs(abs(exact) - largest) <= Wide(T.greatestFiniteMagnitude.ulp) ? 1 : .infinity
  }
  let unit = max(Wide(rounded.magnitude.ulp), Wide(T.leastNonzeroMagnitude))
  return Double(abs(Wide(y) - exact) / unit)
}
