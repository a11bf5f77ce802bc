#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// `low` + `fraction`·(`high` − `low`) without overflow.
func interpolate(_ low: Double, _ high: Double, _ fraction: Double) -> Double {
  if fraction <= 0 { return low }
  if fraction >= 1 { return high }
  return low * (1 - fraction) + high * fraction
}

func log10Of(_ value: Double) -> Double { log10(value) }

/// The base-2 logarithm, rounded up.
func log2Rounded(_ value: Double) -> Double { log2(value).rounded(.up) }

/// 10 to an integral power, exact where doubles are.
func powerOfTen(_ exponent: Int) -> Double { Double("1e\(exponent)") ?? pow(10, Double(exponent)) }

/// The angle of a direction in degrees, y upward.
func angleInDegrees(dx: Double, dy: Double) -> Double { atan2(dy, dx) * 180 / .pi }

/// `printf` of one number with a precision, such as `%.*f`.
func formatted(_ format: String, _ precision: Int, _ value: Double) -> String {
  withVaList([Int32(clamping: precision), value]) { arguments in
    var buffer = [CChar](repeating: 0, count: 400)
    let length = Int(vsnprintf(&buffer, buffer.count, format, arguments))
    let bytes = buffer.prefix(max(0, min(length, buffer.count - 1)))
    return String(decoding: bytes.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

func tenTo(_ exponent: Double) -> Double { pow(10, exponent) }
