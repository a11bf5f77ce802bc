import CKernels
import Testing

/// Small products of matrices against sums in higher precision, for every shape at the edges of the kernels' tiles.
@Suite struct ProductTests {
  struct Layout: Sendable {
    var rowsOfA, rowsOfB: Bool
  }

  static let layouts = [true, false].flatMap { a in [true, false].map { Layout(rowsOfA: a, rowsOfB: $0) } }

  @Test(arguments: layouts)
  func everyEdge(layout: Layout) {
    for m in [1, 2, 5, 6, 7, 13, 24, 25, 50] {
      for n in [1, 3, 4, 5, 8, 9, 17, 24, 41, 48, 97] {
        for k in [1, 2, 31, 257] {
          for adds in [false, true] { check(m, n, k, layout, adds) }
        }
      }
    }
  }

  @Test func longVectors() {
    for layout in Self.layouts {
      check(1, 1100, 70, layout, false)
      check(1100, 1, 70, layout, true)
      check(3, 1, 5000, layout, true)
      check(1, 3, 5000, layout, false)
    }
  }

  /// A part of the columns, or of the rows, is the same bit for bit as in the whole.
  @Test func cutsDoNotShow() {
    let (m, n, k) = (37, 29, 300)
    for layout in Self.layouts {
      let whole = product(m, n, k, layout, alpha: 1.5, adds: false, c: [Double](repeating: 0, count: m * n))
      for (start, size) in [(0, 11), (11, 18), (7, 1)] {
        var part = [Double](repeating: 0, count: m * n)
        var p = description(m, size, k, layout, full: (m, n), alpha: 1.5, adds: false)
        let (a, b) = (Self.values(m * k, 1), Self.values(k * n, 2))
        part.withUnsafeMutableBufferPointer { c in
          b.withUnsafeBufferPointer { b in
            hk_product_f64(&p, a, b.baseAddress! + start * Int(p.b_column), c.baseAddress! + start)
          }
        }
        for i in 0..<m {
          for j in start..<(start + size) { #expect(part[i * n + j] == whole[i * n + j]) }
        }
      }
    }
  }

  /// Added to an array of its own, whose rows are all the same one or not: bit for bit as added in place.
  @Test func ontoAnotherArray() {
    for (m, n, k) in [(1, 9, 4), (9, 1, 4), (13, 10, 300), (24, 33, 7), (5, 97, 31), (37, 8, 2)] {
      for layout in Self.layouts {
        for row in [0, n, n + 3] {
          let base = Self.values(row * (m - 1) + n, 5)
          let start = (0..<(m * n)).map { base[$0 / n * row + $0 % n] }
          let expected = product(m, n, k, layout, alpha: 0.75, adds: true, c: start)
          var p = description(m, n, k, layout, full: (m, n), alpha: 0.75, adds: false)
          var c = [Double](repeating: .nan, count: m * n)
          hk_product_onto_f64(&p, Self.values(m * k, 1), Self.values(k * n, 2), base, Int64(row), &c)
          #expect(c == expected, "\(m)×\(k)·\(k)×\(n), rows \(row) apart")
          var single = [Float](repeating: .nan, count: m * n)
          hk_product_onto_f32(
            &p, Self.values(m * k, 1).map(Float.init), Self.values(k * n, 2).map(Float.init),
            base.map(Float.init), Int64(row), &single)
          var inPlace = start.map(Float.init)
          p.adds = 1
          hk_product_f32(
            &p, Self.values(m * k, 1).map(Float.init), Self.values(k * n, 2).map(Float.init), &inPlace)
          #expect(single == inPlace, "\(m)×\(k)·\(k)×\(n), rows \(row) apart")
        }
      }
    }
  }

  // MARK: Support

  private static func values(_ count: Int, _ seed: Int) -> [Double] {
    (0..<count).map { Double(($0 * 7919 + seed * 104_729) % 2003 - 1001) / 512 }
  }

  private func description(
    _ m: Int, _ n: Int, _ k: Int, _ layout: Layout, full: (m: Int, n: Int), alpha: Double, adds: Bool
  ) -> hk_product {
    hk_product(
      m: Int64(m), n: Int64(n), k: Int64(k), a_row: Int64(layout.rowsOfA ? k : 1),
      a_column: Int64(layout.rowsOfA ? 1 : full.m), b_row: Int64(layout.rowsOfB ? full.n : 1),
      b_column: Int64(layout.rowsOfB ? 1 : k), c_row: Int64(full.n), alpha: alpha, adds: adds ? 1 : 0)
  }

  private func product(
    _ m: Int, _ n: Int, _ k: Int, _ layout: Layout, alpha: Double, adds: Bool, c: [Double]
  ) -> [Double] {
    var p = description(m, n, k, layout, full: (m, n), alpha: alpha, adds: adds)
    var c = c
    hk_product_f64(&p, Self.values(m * k, 1), Self.values(k * n, 2), &c)
    return c
  }

  private func check(_ m: Int, _ n: Int, _ k: Int, _ layout: Layout, _ adds: Bool) {
    let (a, b, c) = (Self.values(m * k, 1), Self.values(k * n, 2), Self.values(m * n, 3))
    let double = product(m, n, k, layout, alpha: -1.25, adds: adds, c: c)
    var p = description(m, n, k, layout, full: (m, n), alpha: -1.25, adds: adds)
    var single = c.map(Float.init)
    hk_product_f32(&p, a.map(Float.init), b.map(Float.init), &single)
    for i in 0..<m {
      for j in 0..<n {
        // The values are small multiples of 2⁻⁹, whose sums of products are exact in double precision.
        var sum = 0.0
        var size = 1.0
        for q in 0..<k {
          let term = a[layout.rowsOfA ? i * k + q : q * m + i] * b[layout.rowsOfB ? q * n + j : j * k + q]
          sum += term
          size += term.magnitude
        }
        let expected = -1.25 * sum + (adds ? c[i * n + j] : 0)
        #expect(double[i * n + j] == expected, "\(m)×\(k)·\(k)×\(n) at \(i), \(j)")
        #expect(
          (Double(single[i * n + j]) - expected).magnitude <= Double(min(k, 256) + k / 256 + 2) * 0x1p-24
            * size, "\(m)×\(k)·\(k)×\(n) at \(i), \(j)")
      }
    }
  }
}
