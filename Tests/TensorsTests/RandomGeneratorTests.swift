import Tensors
import Testing

@Suite struct CounterGeneratorTests {
  /// Known answers from Random123's `kat_vectors` (philox4x32, 10 rounds).
  @Test(arguments: [
    (
      [0, 0, 0, 0, 0, 0] as [UInt32],
      [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8] as [UInt32]
    ),
    (
      [UInt32](repeating: .max, count: 6),
      [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD]
    ),
    (
      [0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344, 0xA409_3822, 0x299F_31D0],
      [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1]
    ),
  ])
  func knownAnswers(input: [UInt32], expected: [UInt32]) {
    let block = CounterGenerator.philox(
      counter: SIMD4(input[0], input[1], input[2], input[3]), key: SIMD2(input[4], input[5]))
    #expect(block == SIMD4(expected[0], expected[1], expected[2], expected[3]))
  }

  @Test func stateIsSeedAndCounter() {
    var a = CounterGenerator(seed: 5)
    _ = (a.uniform(), a.normal(), a.rademacher(), a.normals(5), a.permutation(9))
    let saved = a
    let later = a.uniforms(7)
    #expect(a != saved)
    var b = CounterGenerator(
      seed: 5, counterLow: saved.counterLow, counterHigh: saved.counterHigh)
    #expect(b == saved)
    #expect(b.uniforms(7) == later)
    #expect(a == b)
  }

  @Test func counterCarriesIntoItsHighHalf() {
    var a = CounterGenerator(seed: 1, counterLow: .max, counterHigh: 3)
    _ = a.next()
    #expect((a.counterLow, a.counterHigh) == (0, 4))
    var b = CounterGenerator(seed: 1, stream: 4)
    #expect(a.next() == b.next())
  }

  @Test func momentsOfUniformsAndNormals() {
    var g = CounterGenerator(seed: 1)
    let n = 200_001
    let u = g.uniforms(n)
    #expect(u.allSatisfy { $0 >= 0 && $0 < 1 })
    #expect(abs(u.reduce(0, +) / Double(n) - 0.5) < 0.003)
    let z = g.normals(n)
    // Even moments 1, 3, 15 and their standard errors, four each.
    for (power, moment, error) in [(2, 1.0, 1.42), (4, 3.0, 9.8), (6, 15.0, 101.0)] {
      let mean = z.map { x in (0..<power).reduce(1.0) { p, _ in p * x } }.reduce(0, +) / Double(n)
      #expect(abs(mean - moment) < 4 * error / Double(n).squareRoot())
    }
    #expect(abs(z.reduce(0, +)) < 4 * Double(n).squareRoot())
    // Neighbours share a block; they must not be correlated.
    let product = (1..<n).map { z[$0] * z[$0 - 1] }.reduce(0, +)
    #expect(abs(product) < 4 * Double(n).squareRoot())
  }

  @Test func rademacherFillsAreBalanced() {
    var g = CounterGenerator(seed: 9)
    let signs = g.rademacherTensor([1000, 77]).doubles
    #expect(signs.allSatisfy { abs($0) == 1 })
    #expect(abs(signs.reduce(0, +)) < 4 * 77_000.0.squareRoot())
    #expect(abs((0..<10_000).map { _ in g.rademacher() }.reduce(0, +)) < 400)
  }

  @Test func integersBelowBoundAreEquallyFrequent() {
    var g = CounterGenerator(seed: 2)
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[g.integer(below: 7)] += 1 }
    #expect(counts.allSatisfy { abs($0 - 10_000) < 400 })
    #expect(g.integer(below: 1) == 0)
    // A bound for which about half of the words are rejected.
    let large = Int.max / 2 + 2
    #expect((0..<100).allSatisfy { _ in (0..<large).contains(g.integer(below: large)) })
  }

  @Test func permutationsContainEveryIndexOnce() {
    var g = CounterGenerator(seed: 3)
    #expect(g.permutation(0) == [])
    #expect(g.permutation(1) == [0])
    let p = g.permutation(1000)
    #expect(p.sorted() == Array(0..<1000))
    #expect(p != Array(0..<1000))
    // All six orders of three.
    var seen: [[Int]: Int] = [:]
    for _ in 0..<6000 { seen[g.permutation(3), default: 0] += 1 }
    #expect(seen.count == 6 && seen.values.allSatisfy { abs($0 - 1000) < 150 })
  }

  @Test func precisionsAgree() {
    var a = CounterGenerator(seed: 4)
    var b = a
    #expect(a.normalTensor([33]).converted(to: .f32).doubles == b.normalTensor([33], .f32).doubles)
    #expect(a == b)
    let exact = a.uniformTensor([1001]).doubles
    let rounded = b.uniformTensor([1001], .f32).doubles
    #expect(zip(exact, rounded).allSatisfy { $1 <= $0 && $0 - $1 < 0x1p-24 && $1 < 1 })
    #expect(a.rademacherTensor([65]).doubles == b.rademacherTensor([65], .f32).doubles)
  }
}

@Suite struct MersenneTwisterTests {
  @Test func outputs() {
    var g = MersenneTwister(seed: 42)
    #expect((0..<3).map { _ in g.next32() } == [1_608_637_542, 3_421_126_067, 4_083_286_876])
    // Beyond several regenerations: the outputs numbered 1999 and 2000 of numpy.random.seed(1).
    g = MersenneTwister(seed: 1)
    for _ in 0..<1998 { _ = g.next32() }
    #expect((0..<2).map { _ in g.next32() } == [3_326_354_556, 138_279_050])
  }

  /// `torch.manual_seed(0); torch.rand(5)`.
  @Test func torchUniforms() {
    var g = MersenneTwister(seed: 0)
    let expected = [0.4963, 0.7682, 0.0885, 0.1320, 0.3074]
    #expect(expected.allSatisfy { abs(g.torchUniform() - $0) < 5e-5 })
  }

  /// `numpy.random.seed(42)`: `rand(2)`, `randn(3)`, `permutation(10)`.
  @Test func numpySequence() {
    var g = MersenneTwister(seed: 42)
    #expect((0..<2).map { _ in g.numpyUniform() } == [0.3745401188473625, 0.9507143064099162])
    let normals = [0.6476885381006925, 1.5230298564080254, -0.23415337472333597]
    #expect(normals.allSatisfy { abs(g.numpyNormal() - $0) < 1e-15 })
    #expect(g.numpyPermutation(10) == [0, 6, 9, 1, 8, 5, 2, 3, 4, 7])
  }

  /// `numpy.random.seed(7)`: `permutation(12)`, five of `randint(0, 48)`, `randn(3)`, `rand()`.
  @Test func numpyIntegers() {
    var g = MersenneTwister(seed: 7)
    #expect(g.numpyPermutation(12) == [7, 10, 2, 5, 0, 1, 11, 8, 3, 6, 9, 4])
    #expect((0..<5).map { _ in g.numpyInteger(upTo: 47) } == [26, 8, 39, 38, 4])
    let normals = [-0.381087145090334, 0.8308398625169492, 1.611119629503022]
    #expect(normals.allSatisfy { abs(g.numpyNormal() - $0) < 1e-15 })
    #expect(g.numpyUniform() == 0.6723172732412332)
  }

  @Test func edges() {
    var g = MersenneTwister(seed: 3)
    let saved = g
    #expect(g.numpyInteger(upTo: 0) == 0)
    #expect(g.numpyPermutation(1) == [0] && g.numpyPermutation(0) == [])
    #expect(g == saved)
    _ = g.numpyNormal()
    var twin = g
    #expect(twin == g && twin.numpyNormal() == g.numpyNormal())
    #expect((0...(1 << 40)).contains(g.numpyInteger(upTo: 1 << 40)))
  }
}
