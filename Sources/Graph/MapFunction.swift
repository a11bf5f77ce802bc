#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The pointwise functions of the graph.
public enum MapFunction: Hashable, Sendable {
  case exp, expm1, log, log1p, sqrt, sin, cos, tan, asin, acos, atan, sinh, cosh, tanh
  /// 1/(1+e⁻ˣ), log(1+eˣ) and 1/cosh² x, evaluated without cancellation.
  case sigmoid, softplus, sech2
  case erf, abs, sign, relu, floor, ceil, round, reciprocal
  /// 1 where x > 0, else 0: the derivative of relu, with relu′(0) = 0.
  case step
  /// The square root whose derivative at 0 is 0, so that the norm of a zero vector has a gradient.
  case rootAtZero
  /// 1/√x, and 0 at 0: goes with `rootAtZero`.
  case reciprocalRootAtZero
  /// xⁿ with a constant integer n.
  case power(Int)
  /// xʸ, for operands x and y.
  case pow
  case atan2
  case max, min
  /// The remainder with the sign of the divisor.
  case modulo
  case less, lessEqual, equal, notEqual
  case and, or, not
  case isFinite, isNaN
  /// Operands c, a, b: a where c ≠ 0, else b.
  case select

  /// The name in messages, formulas and the language.
  public var name: String {
    switch self {
    case .power(let n): return "^\(n)"
    case .reciprocal: return "1/"
    case .rootAtZero: return "sqrt"
    case .reciprocalRootAtZero: return "rsqrt"
    case .modulo: return "%"
    case .less: return "<"
    case .lessEqual: return "<="
    case .equal: return "=="
    case .notEqual: return "!="
    default: return "\(self)"
    }
  }

  /// Piecewise constant: the derivative is zero everywhere.
  public var isPiecewiseConstant: Bool {
    switch self {
    case .sign, .floor, .ceil, .round, .step, .less, .lessEqual, .equal, .notEqual, .and, .or, .not,
      .isFinite,
      .isNaN:
      return true
    default: return false
    }
  }

  /// The value for constants, in double precision.
  public func callAsFunction(_ x: Double, _ y: Double = 0, _ z: Double = 0) -> Double {
    switch self {
    case .exp, .expm1, .log, .log1p, .sqrt, .sin, .cos, .tan, .asin, .acos, .atan, .sinh, .cosh, .tanh, .erf,
      .sigmoid, .softplus, .sech2:
      return transcendental(x)
    case .abs: return x.magnitude
    case .sign: return x > 0 ? 1 : (x < 0 ? -1 : x)
    case .relu: return x > 0 ? x : (x.isNaN ? x : 0)
    case .step: return x > 0 ? 1 : (x.isNaN ? x : 0)
    case .floor: return x.rounded(.down)
    case .ceil: return x.rounded(.up)
    case .round: return x.rounded(.toNearestOrEven)
    case .reciprocal: return 1 / x
    case .rootAtZero: return x.squareRoot()
    case .reciprocalRootAtZero: return x == 0 ? 0 : 1 / x.squareRoot()
    case .power(let n): return integerPower(x, n)
    case .pow: return Glibc.pow(x, y)
    case .atan2: return Glibc.atan2(x, y)
    case .max: return x.isNaN || y.isNaN ? .nan : Swift.max(x, y)
    case .min: return x.isNaN || y.isNaN ? .nan : Swift.min(x, y)
    case .modulo: return flooredRemainder(x, y)
    case .less: return x < y ? 1 : 0
    case .lessEqual: return x <= y ? 1 : 0
    case .equal: return x == y ? 1 : 0
    case .notEqual: return x != y ? 1 : 0
    case .and: return x != 0 && y != 0 ? 1 : 0
    case .or: return x != 0 || y != 0 ? 1 : 0
    case .not: return x == 0 ? 1 : 0
    case .isFinite: return x.isFinite ? 1 : 0
    case .isNaN: return x.isNaN ? 1 : 0
    case .select: return x != 0 ? y : z
    }
  }

  private func transcendental(_ x: Double) -> Double {
    switch self {
    case .exp: return Glibc.exp(x)
    case .expm1: return Glibc.expm1(x)
    case .log: return Glibc.log(x)
    case .log1p: return Glibc.log1p(x)
    case .sqrt: return x.squareRoot()
    case .sin: return Glibc.sin(x)
    case .cos: return Glibc.cos(x)
    case .tan: return Glibc.tan(x)
    case .asin: return Glibc.asin(x)
    case .acos: return Glibc.acos(x)
    case .atan: return Glibc.atan(x)
    case .sinh: return Glibc.sinh(x)
    case .cosh: return Glibc.cosh(x)
    case .tanh: return Glibc.tanh(x)
    case .erf: return Glibc.erf(x)
    case .sigmoid: return x >= 0 ? 1 / (1 + Glibc.exp(-x)) : Glibc.exp(x) / (1 + Glibc.exp(x))
    case .softplus: return Swift.max(x, 0) + Glibc.log1p(Glibc.exp(-x.magnitude))
    default:
      let e = Glibc.exp(-2 * x.magnitude)
      return 4 * e / ((1 + e) * (1 + e))
    }
  }
}

/// x − y·⌊x/y⌋: the sign of the divisor, exact for integers.
public func flooredRemainder(_ x: Double, _ y: Double) -> Double {
  let r = fmod(x, y)
  return r != 0 && (r < 0) != (y < 0) ? r + y : r
}

/// xⁿ by repeated squaring.
@inline(__always)
public func integerPower<T: BinaryFloatingPoint>(_ x: T, _ n: Int) -> T {
  var result: T = 1
  var base = x
  var e = n.magnitude
  while e > 0 {
    if e & 1 == 1 { result *= base }
    e >>= 1
    if e > 0 { base *= base }
  }
  return n < 0 ? 1 / result : result
}
