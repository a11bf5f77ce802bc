import CKernels
import Testing

/// SplitMix64: enough for choosing arguments.
private struct Arguments {
  var state: UInt64 = 7
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Arguments near zero, of ordinary size, across every exponent, and where exponentials over- and underflow.
  mutating func sweep<T: BinaryFloatingPoint>(_ count: Int, _: T.Type, maximum: Double) -> [T] {
    (0..<count).map { i in
      let unit = Double(next() >> 11) * 0x1p-53
      let signed = 2 * unit - 1
      switch i % 6 {
      case 0: return T(signed)
      case 1: return T(4 * signed)
      case 2: return T(40 * signed)
      case 3: return T(signed * maximum)
      case 4: return T(1 + signed * 0x1p-10)
      default:
        let exponents = T.self == Float.self ? (-149, 277) : (-1074, 2098)
        let exponent = exponents.0 + Int(next() % UInt64(exponents.1))
        return T(sign: signed < 0 ? .minus : .plus, exponent: T.Exponent(exponent), significand: T(1 + unit))
      }
    }
  }
}

@Suite struct KernelTests {
  @Test(arguments: Kernel.all)
  func accuracy(kernel: Kernel) {
    var arguments = Arguments()
    let x = arguments.sweep(60_000, Double.self, maximum: 760)
    let worst = zip(x, kernel(x)).map { (ulps($1, kernel.reference(Wide($0))), $0) }.max { $0.0 < $1.0 }!
    #expect(worst.0 <= kernel.bound64, "at \(worst.1)")
    let floats = arguments.sweep(60_000, Float.self, maximum: 110)
    let worstFloat = zip(floats, kernel(floats)).map { (ulps($1, kernel.reference(Wide($0))), $0) }
      .max { $0.0 < $1.0 }!
    #expect(worstFloat.0 <= kernel.bound32, "at \(worstFloat.1)")
  }

  @Test(arguments: Kernel.all)
  func specials(kernel: Kernel) {
    let special: [Double] = [
      .nan, .infinity, -.infinity, 0, -0.0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, 0x1p-1030, 1, -1,
      2, -2, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 709.78, 709.79, -745.1, -745.2, -708.5, 0.5,
    ]
    for (x, y) in zip(special, kernel(special)) {
      let exact = kernel.reference(Wide(x))
      #expect(ulps(y, exact) <= kernel.bound64, "at \(x)")
      if y == 0 { #expect(y.sign == Double(exact).sign, "at \(x)") }
    }
    let floats =
      special.map { Float($0) } + [.leastNonzeroMagnitude, -.leastNonzeroMagnitude, 88.7, 88.8, -103.9, -104]
    for (x, y) in zip(floats, kernel(floats)) {
      let exact = kernel.reference(Wide(x))
      #expect(ulps(y, exact) <= kernel.bound32, "at \(x)")
      if y == 0 { #expect(y.sign == Float(exact).sign, "at \(x)") }
    }
  }

  /// Every length gives the same numbers, leaves its surroundings alone, and may work in place.
  @Test(arguments: Kernel.all)
  func lengthsAndPlaces(kernel: Kernel) {
    var arguments = Arguments()
    let x = arguments.sweep(600, Double.self, maximum: 5)
    let floats = x.map { Float($0) }
    let (whole, wholeFloats) = (kernel(x), kernel(floats))
    for n in Array(0...40) + [255, 256, 257, 600] {
      var out = [Double](repeating: 77, count: 602)
      out.withUnsafeMutableBufferPointer { kernel.f64(x, $0.baseAddress! + 1, n) }
      #expect(out[0] == 77 && out[n + 1] == 77)
      #expect(zip(out[1...n + 1].dropLast(), whole).allSatisfy { same($0, $1) }, "\(n)")
      var inPlace = floats
      inPlace.withUnsafeMutableBufferPointer { kernel.f32($0.baseAddress!, $0.baseAddress!, n) }
      #expect(zip(inPlace[..<n], wholeFloats).allSatisfy { same($0, $1) }, "\(n)")
      #expect(zip(inPlace[n...], floats[n...]).allSatisfy { same($0, $1) }, "\(n)")
    }
    var inPlace = x
    inPlace.withUnsafeMutableBufferPointer { kernel.f64($0.baseAddress!, $0.baseAddress!, 600) }
    #expect(zip(inPlace, whole).allSatisfy { same($0, $1) })
  }

  private func same<T: BinaryFloatingPoint>(_ a: T, _ b: T) -> Bool { a == b || (a.isNaN && b.isNaN) }

  @Test func hugeAnglesGoThroughTheLibrary() {
    var x = (0..<300).map { Double($0) }
    x[7] = 1e22
    x[290] = -1e5 - 0.25
    let kernel = Kernel.all.first { $0.name == "sin" }!
    let y = kernel(x)
    // sin(10^22), the classical value.
    #expect(y[7] == -0.8522008497671888)
    #expect(zip(x, y).allSatisfy { ulps($1, kernel.reference(Wide($0))) <= kernel.bound64 })
  }

  /// Near a multiple of π/2 hardly a bit of the argument is left.
  @Test func reductionNearMultiplesOfHalfPi() {
    let x = (1..<60_000).map { Double($0) * (Double.pi / 2) }
    for name in ["sin", "cos"] {
      let kernel = Kernel.all.first { $0.name == name }!
      let worst = zip(x, kernel(x)).map { ulps($1, kernel.reference(Wide($0))) }.max()!
      // The reference itself loses bits there.
      #expect(worst < 1.2)
    }
  }

  @Test func powers() {
    let (x, y): ([Double], [Double]) = ([2, 9, -2, 0, 4], [10, 0.5, 3, 0, -0.5])
    var z = [Double](repeating: 0, count: 5)
    hk_pow_f64(x, y, &z, 5)
    #expect(z == [1024, 3, -8, 1, 0.5])
    var w = [Float](repeating: 0, count: 5)
    hk_pow_f32(x.map { Float($0) }, y.map { Float($0) }, &w, 5)
    #expect(w == [1024, 3, -8, 1, 0.5])
  }

  @Test func identities() {
    var arguments = Arguments()
    let x = arguments.sweep(2000, Double.self, maximum: 30).filter { abs($0) < 30 }
    let kernels = Dictionary(uniqueKeysWithValues: Kernel.all.map { ($0.name, $0) })
    let (sigmoid, negated) = (kernels["sigmoid"]!(x), kernels["sigmoid"]!(x.map { -$0 }))
    #expect(zip(sigmoid, negated).allSatisfy { abs($0 + $1 - 1) < 3e-16 })
    for name in ["tanh", "erf", "sin"] {
      let (y, z) = (kernels[name]!(x), kernels[name]!(x.map { -$0 }))
      #expect(zip(y, z).allSatisfy { $0 == -$1 })
    }
    let (s, c) = (kernels["sin"]!(x), kernels["cos"]!(x))
    #expect(zip(s, c).allSatisfy { abs($0 * $0 + $1 * $1 - 1) < 5e-16 })
  }
}
