import Datasets
import Glibc
import Tensors
import Testing

/// The folder of reference data beside the package; nil, told in one line, where there is none.
private func reference(_ name: String) -> String? {
  let parts = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
  let path = "/\(parts)/shared/data/\(name)"
  if access(path, R_OK) == 0 { return path }
  print("skipped: there is no ../shared/data/\(name)")
  return nil
}

private func distance(_ a: Tensor, _ b: Tensor) -> Double {
  #expect(a.shape == b.shape)
  guard a.shape == b.shape else { return .infinity }
  return zip(a.doubles, b.doubles).reduce(0) { max($0, abs($1.0 - $1.1)) }
}

@Suite struct Mnist1dTests {
  /// What the published generator's description gives to compare with.
  @Test func publishedBeginning() {
    let sets = Mnist1d().generate()
    #expect(sets.x.shape == [4000, 40] && sets.testX.shape == [1000, 40])
    let first = [-0.33200566738, -0.47191036566, -0.77869707629, -1.00974082654]
    #expect(distance(sets.x.rows(0..<1).reshaped([40]).rows(0..<4), Tensor(vector: first)) < 2e-11)
    #expect(Array(sets.y.doubles.prefix(10)) == [2, 6, 4, 5, 6, 6, 6, 0, 3, 1])
    #expect(Array(sets.testY.doubles.prefix(10)) == [2, 6, 3, 9, 4, 3, 1, 9, 5, 2])
    #expect(abs(sets.time[flat: 0] + 5.38753506670427) < 1e-13)
    var small = Mnist1d()
    small.samples = 2000
    let some = small.generate()
    #expect(some.x.shape == [1600, 40] && some.testX.shape == [400, 40])
    #expect(abs(some.x[flat: 0] - 1.88717528915) < 1e-11)
    #expect(Array(some.y.doubles.prefix(10)) == [4, 2, 8, 9, 0, 6, 0, 1, 0, 3])
  }

  @Test func publishedSet() throws {
    guard let folder = reference("mnist1d") else { return }
    let sets = Mnist1d().generate()
    #expect(distance(sets.x, try Npy.read("\(folder)/x_train.npy")) < 1e-12)
    #expect(distance(sets.testX, try Npy.read("\(folder)/x_test.npy")) < 1e-12)
    #expect(distance(sets.y, try Npy.read("\(folder)/y_train.npy")) == 0)
    #expect(distance(sets.testY, try Npy.read("\(folder)/y_test.npy")) == 0)
    #expect(distance(sets.time, try Npy.read("\(folder)/t.npy").reshaped([40])) < 1e-12)
  }

  /// Without noise, shear and shift a row is its digit, padded and stretched.
  @Test func options() throws {
    var plain = Mnist1d()
    (plain.samples, plain.noise, plain.correlatedNoise, plain.shear, plain.scale) = (100, 0, 0, 0, 0)
    (plain.shift, plain.padding, plain.share, plain.length) = (1, 60...60, 1, 72)
    let sets = plain.generate()
    #expect(sets.x.shape == [100, 72] && sets.testX.shape == [0, 72])
    let digit = try #require(sets.y.doubles.firstIndex(of: 4))
    let row = sets.x.rows(digit..<(digit + 1)).doubles
    // The normalised curve of a 4, up to the affine standardisation.
    let shape = row.map { ($0 - row[0]) / (row[4] - row[0]) }
    for (k, expected) in [0, 0.25, 0.5, 0.75, 1, 1, 0].enumerated() {
      #expect(abs(shape[k] - expected) < 1e-6)
    }
    #expect(Set(sets.y.doubles).count == 10)
    plain.shift = 0
    #expect(plain.refusal != nil)
    #expect(Mnist1d().refusal == nil)
  }

  @Test func shuffledPositions() {
    var set = Mnist1d()
    set.samples = 50
    let straight = set.generate()
    set.isShuffled = true
    let mixed = set.generate()
    #expect(mixed.y.doubles == straight.y.doubles)
    #expect(mixed.x.doubles != straight.x.doubles)
    let (a, b) = (straight.x.rows(3..<4).doubles, mixed.x.rows(3..<4).doubles)
    #expect(zip(a.sorted(), b.sorted()).allSatisfy { abs($0 - $1) < 1e-12 })
  }
}

@Suite struct MnistTests {
  private static func idx(_ sizes: [Int], _ entries: [UInt8], type: UInt8 = 8) -> [UInt8] {
    [0, 0, type, UInt8(sizes.count)]
      + sizes.flatMap { size in (0..<4).reversed().map { UInt8(truncatingIfNeeded: size >> (8 * $0)) } }
      + entries
  }

  /// `gzip -n` of the IDX file of [1, 2, 3].
  private static let packed: [UInt8] = [
    0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 0xFF, 0x63, 0x60, 0xE0, 0x60, 0x64, 0x60, 0x60, 0x60, 0x66, 0x64, 0x62,
    6, 0,
    0x8B, 0xE5, 0xBD, 0xA4, 0x0B, 0, 0, 0,
  ]

  @Test func decodes() throws {
    let plain = try Idx.decode(Self.idx([2, 1, 2], [0, 51, 255, 102]))
    #expect(plain.shape == [2, 1, 2])
    #expect(plain.tensor(first: 2, scaledBy: 1 / 255, .f64).doubles == [0, 0.2, 1, 0.4])
    #expect(try Idx.decode(Self.packed).tensor(first: 3, .f64).doubles == [1, 2, 3])
    let part = plain.tensor(first: 1, .f32)
    #expect(part.shape == [1, 1, 2] && part.doubles == [0, 51] && part.precision == .f32)
  }

  @Test func refuses() {
    func error(_ bytes: [UInt8]) -> DatasetError? {
      do throws(DatasetError) { _ = try Idx.decode(bytes) } catch { return error }
      return nil
    }
    #expect(error([0, 0]) == .truncated(expected: 4, found: 2))
    #expect(error([1, 0, 8, 1, 0, 0, 0, 0]) == .notIdx)
    #expect(error(Self.idx([1], [7], type: 13)) == .unsupportedIdxType(13))
    #expect(error(Self.idx([3], [7, 7])) == .truncated(expected: 11, found: 10))
    #expect(error(Self.idx([1], [7, 7])) == .trailingBytes(1))
    #expect(error(Self.idx([1 << 31, 1 << 31, 1 << 31], [])) != nil)
    #expect(error([0x1F, 0x8B, 8, 0, 1]) == .cannotInflate("the data end too early"))
    #expect(error(Array(Self.packed.dropLast(12))) == .cannotInflate("the data end too early"))
  }

  @Test func publishedFiles() throws {
    guard let folder = reference("mnist") else { return }
    let set = try Mnist(folder: folder, train: 1000, test: 100, .f32)
    #expect(set.x.shape == [1000, 784] && set.testX.shape == [100, 784])
    #expect(Array(set.y.doubles.prefix(5)) == [5, 0, 4, 1, 9])
    #expect(Array(set.testY.doubles.prefix(5)) == [7, 2, 1, 0, 4])
    let values = set.x.doubles
    #expect(values.min() == 0 && values.max() == 1)
  }

  @Test func absentFiles() {
    func error(_ folder: String) -> DatasetError? {
      do throws(DatasetError) { _ = try Mnist(folder: folder, .f64) } catch { return error }
      return nil
    }
    #expect(error("/nowhere").map { "\($0)" } == "MNIST is not in '/nowhere'")
  }
}

@Suite struct NpzTests {
  /// Little-endian bytes.
  private static func le(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private static func crc(_ bytes: [UInt8]) -> Int {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return Int(~crc)
  }

  /// A zip archive, written from the specification; deflated members as stored blocks of deflate.
  private static func archive(_ members: [(name: String, contents: [UInt8], isDeflated: Bool)]) -> [UInt8] {
    var bytes: [UInt8] = []
    var directory: [UInt8] = []
    for member in members {
      let n = member.contents.count
      let packed = member.isDeflated ? [1] + le(n, 2) + le(~n, 2) + member.contents : member.contents
      let common =
        le(20, 2) + le(0, 2) + le(member.isDeflated ? 8 : 0, 2) + le(0, 4) + le(crc(member.contents), 4)
        + le(packed.count, 4) + le(n, 4) + le(member.name.utf8.count, 2) + le(0, 2)
      directory += [0x50, 0x4B, 1, 2] + le(20, 2) + common + le(0, 6) + le(0, 4) + le(bytes.count, 4)
      directory += member.name.utf8
      bytes += [0x50, 0x4B, 3, 4] + common + member.name.utf8 + packed
    }
    return bytes + directory + [0x50, 0x4B, 5, 6] + le(0, 4) + le(members.count, 2) + le(members.count, 2)
      + le(directory.count, 4) + le(bytes.count, 4) + le(0, 2)
  }

  private static let a = Tensor([1, 2, 3, 4, 5, 6], [2, 3])
  private static let b = Tensor(vector: [7.5], .f32)
  private static let file = archive([
    ("a.npy", Npy.encode(a), false), ("b.npy", Npy.encode(b), true),
  ])

  @Test func membersComeBack() throws {
    let parts = try Npz.decode(Self.file)
    #expect(parts.map(\.name) == ["a", "b"])
    #expect(parts[0].tensor.shape == [2, 3] && parts[0].tensor.doubles == Self.a.doubles)
    #expect(parts[1].tensor.precision == .f32 && parts[1].tensor.doubles == [7.5])
    #expect(try Npz.decode(Self.archive([])).isEmpty)
  }

  /// Whatever byte is wrong and wherever the file ends, there is an error or the right arrays, and no crash.
  @Test func damagedFilesAreRefused() {
    for end in 0..<Self.file.count {
      #expect(throws: DatasetError.self) { try Npz.decode(Array(Self.file[..<end])) }
    }
    for place in Self.file.indices {
      var damaged = Self.file
      damaged[place] ^= 0x10
      guard let parts = try? Npz.decode(damaged) else { continue }
      for (part, original) in zip(parts, [Self.a, Self.b]) {
        #expect(part.tensor.doubles == original.doubles)
      }
    }
  }
}

@Suite struct ToySetTests {
  private var random = CounterGenerator(seed: 5)

  @Test mutating func curves() {
    let (x, y) = ToySets.moons(101, noise: 0, &random)
    #expect(x.shape == [101, 2] && y.doubles.filter { $0 == 0 }.count == 51)
    for row in 0..<101 {
      let (a, b) = (x[flat: 2 * row], x[flat: 2 * row + 1])
      let distance = y[flat: row] == 0 ? a * a + b * b : (a - 1) * (a - 1) + (b - 0.5) * (b - 0.5)
      #expect(abs(distance - 1) < 1e-12)
      #expect(y[flat: row] == 0 ? b > -1e-12 : b < 0.5 + 1e-12)
    }
    let (z, classes) = ToySets.spirals(9, classes: 3, noise: 0, turns: 1, &random)
    #expect(classes.doubles == [0, 1, 2, 0, 1, 2, 0, 1, 2])
    // The ends of the arms, a third of a turn apart.
    for arm in 0..<3 {
      let angle = 2 * Double.pi * Double(arm) / 3
      #expect(
        abs(z[flat: 12 + 2 * arm] - cos(angle)) < 1e-12 && abs(z[flat: 13 + 2 * arm] - sin(angle)) < 1e-12)
    }
  }

  @Test mutating func clouds() {
    let (x, y) = ToySets.blobs(3000, classes: 3, features: 2, spread: 0.5, range: 10, &random)
    var means = [Double](repeating: 0, count: 6)
    for row in 0..<3000 { for f in 0..<2 { means[Int(y[flat: row]) * 2 + f] += x[flat: 2 * row + f] / 1000 } }
    var square = 0.0
    for row in 0..<3000 {
      for f in 0..<2 {
        let d = x[flat: 2 * row + f] - means[Int(y[flat: row]) * 2 + f]
        square += d * d / 6000
      }
    }
    #expect(abs(square.squareRoot() - 0.5) < 0.03)
  }

  @Test mutating func regressionHasItsNoise() {
    let (x, y) = ToySets.regression(4000, weights: [2, -3], bias: 1, noise: 0.25, &random)
    let residuals = (0..<4000).map { y[flat: $0] - 1 - 2 * x[flat: 2 * $0] + 3 * x[flat: 2 * $0 + 1] }
    let mean = residuals.reduce(0, +) / 4000
    let deviation = (residuals.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4000).squareRoot()
    #expect(abs(mean) < 0.02 && abs(deviation - 0.25) < 0.015)
  }
}
