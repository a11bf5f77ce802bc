import CKernels
import Testing

/// Whether all entries of an array are finite, at any place and on any number of threads.
@Suite struct FinitenessTests {
  @Test(arguments: [0, 1, 7, 8, 33, 65_536, 131_072, 131_073, 300_001]) func places(count: Int) {
    var x = (0..<count).map { Double($0) - 5 }
    var y = x.map(Float.init)
    #expect(hk_are_finite_f64(x, count) == 1 && hk_are_finite_f32(y, count) == 1)
    for place in Set([0, count / 3, count / 2, count - 1]) where place >= 0 && place < count {
      for special in [Double.nan, -.nan, .signalingNaN, .infinity, -.infinity] {
        (x[place], y[place]) = (special, Float(special))
        #expect(hk_are_finite_f64(x, count) == 0 && hk_are_finite_f32(y, count) == 0)
      }
      for extreme in [
        Double.greatestFiniteMagnitude, -.greatestFiniteMagnitude, -0.0, .leastNonzeroMagnitude,
      ] {
        x[place] = extreme
        y[place] = extreme.magnitude > 1 ? (extreme > 0 ? 1 : -1) * .greatestFiniteMagnitude : -0.0
        #expect(hk_are_finite_f64(x, count) == 1 && hk_are_finite_f32(y, count) == 1)
      }
    }
  }
}
