import Datasets
import Glibc
import Tensors
import Testing

/// The bytes of a `.npy` file, written by hand.
private func file(
  _ header: String, _ data: [UInt8] = [], version: [UInt8] = [1, 0], length: Int? = nil
) -> [UInt8] {
  let text = Array(header.utf8) + [0x0A]
  let count = length ?? text.count
  let size = (0..<(version[0] == 1 ? 2 : 4)).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
  return [0x93] + Array("NUMPY".utf8) + version + size + text + data
}

private func header(_ descr: String, _ shape: String, fortran: Bool = false) -> String {
  "{'descr': '\(descr)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': \(shape), }"
}

private func bytes<T: FixedWidthInteger>(_ values: [T], bigEndian: Bool = false) -> [UInt8] {
  values.flatMap { value in
    withUnsafeBytes(of: bigEndian ? value.bigEndian : value.littleEndian) { Array($0) }
  }
}

/// A path in a fresh folder.
func temporaryPath(_ name: String) -> String {
  var template = Array("/tmp/hlab-datasets-XXXXXX".utf8CString)
  let folder = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
  return folder + "/" + name
}

func entries(inFolderOf path: String) -> [String] {
  let folder = path.split(separator: "/").dropLast().map(String.init).joined(separator: "/")
  guard let handle = opendir("/" + folder) else { return [] }
  defer { closedir(handle) }
  var names: [String] = []
  while let entry = readdir(handle) {
    names.append(
      withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      })
  }
  return names.filter { $0 != "." && $0 != ".." }.sorted()
}

@Suite struct NpyTests {
  /// `numpy.save` of `numpy.arange(6.0).reshape(2, 3)`, byte for byte.
  @Test func encodesAsNumpyDoes() {
    let bytes = Npy.encode(Tensor([0, 1, 2, 3, 4, 5], [2, 3]))
    #expect(bytes.count == 128 + 48)
    #expect(
      String(decoding: bytes[10..<127], as: UTF8.self)
        == "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }"
        + String(repeating: " ", count: 58))
    #expect(Array(bytes[..<10]) == [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, 118, 0])
    #expect(bytes[127] == 0x0A)
  }

  @Test(arguments: [[], [1], [7], [0], [2, 3], [3, 0, 2], [2, 3, 4]], [Precision.f64, .f32])
  func roundTrip(shape: Shape, precision: Precision) throws {
    var generator = CounterGenerator(seed: 1)
    let tensor = generator.normalTensor(shape, precision)
    let back = try Npy.decode(Npy.encode(tensor))
    #expect(back.shape == shape && back.precision == precision && back.doubles == tensor.doubles)
    let path = temporaryPath("a.npy")
    try Npy.write(Tensor(scalar: 1), to: path)
    try Npy.write(tensor, to: path)
    #expect(try Npy.read(path).doubles == tensor.doubles)
    #expect(entries(inFolderOf: path) == ["a.npy"])
  }

  @Test func specialValues() throws {
    let values = [Double.infinity, -.infinity, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, .nan]
    let back = try Npy.decode(Npy.encode(Tensor(vector: values))).doubles
    #expect(back.map(\.bitPattern) == values.map(\.bitPattern))
  }

  @Test(arguments: [false, true])
  func dtypes(bigEndian: Bool) throws {
    let order = bigEndian ? ">" : "<"
    func check(_ name: String, _ data: [UInt8], _ expected: [Double]) throws {
      let tensor = try Npy.decode(file(header(order + name, "(2,)"), data))
      #expect(tensor.doubles == expected)
      #expect(tensor.precision == (name == "f4" ? .f32 : .f64))
    }
    try check(
      "f8", bytes([1.5, -2.25].map { (x: Double) in x.bitPattern }, bigEndian: bigEndian), [1.5, -2.25])
    try check("f4", bytes([Float(1.5).bitPattern, Float(-2).bitPattern], bigEndian: bigEndian), [1.5, -2])
    try check("i1", bytes([-128, 127] as [Int8], bigEndian: bigEndian), [-128, 127])
    try check("i2", bytes([-32768, 258] as [Int16], bigEndian: bigEndian), [-32768, 258])
    try check("i4", bytes([.min, 65_538] as [Int32], bigEndian: bigEndian), [-2_147_483_648, 65_538])
    try check("i8", bytes([-9, 1 << 40] as [Int64], bigEndian: bigEndian), [-9, 0x1p40])
    try check("u1", bytes([0, 255] as [UInt8], bigEndian: bigEndian), [0, 255])
    try check("u2", bytes([1, 65_535] as [UInt16], bigEndian: bigEndian), [1, 65_535])
    try check("u4", bytes([1, .max] as [UInt32], bigEndian: bigEndian), [1, 4_294_967_295])
    try check("u8", bytes([1, .max] as [UInt64], bigEndian: bigEndian), [1, 0x1p64])
    try check("b1", [0, 1], [0, 1])
  }

  @Test func orders() throws {
    let data = bytes([0, 1, 2, 3, 4, 5] as [UInt16])
    #expect(try Npy.decode(file(header("<u2", "(2, 3)"), data)).doubles == [0, 1, 2, 3, 4, 5])
    let fortran = try Npy.decode(file(header("<u2", "(2, 3)", fortran: true), data))
    #expect(fortran.shape == [2, 3] && fortran.doubles == [0, 2, 4, 1, 3, 5])
    // numpy.arange(24).reshape(2, 3, 4, order="F")[1, 2, 3] is 1 + 2·2 + 3·6.
    let cube = try Npy.decode(
      file(header("|u1", "(2, 3, 4)", fortran: true), (0..<24).map { UInt8($0) }))
    for i in 0..<2 {
      for j in 0..<3 {
        for k in 0..<4 { #expect(cube[flat: (i * 3 + j) * 4 + k] == Double(i + 2 * j + 6 * k)) }
      }
    }
    #expect(try Npy.decode(file(header("<u2", "(0, 3)", fortran: true))).shape == [0, 3])
  }

  @Test func headerVariants() throws {
    for text in [
      "{'shape': (1L,), 'fortran_order': False, 'descr': '|u1'}",
      "{ \"descr\" : \"|u1\" , 'fortran_order':True,'shape':( 1 , ) , }   ",
    ] {
      for version in [[1, 0], [2, 0], [3, 0]] as [[UInt8]] {
        #expect(try Npy.decode(file(text, [7], version: version)).doubles == [7])
      }
    }
    #expect(try Npy.decode(file(header("|u1", "()"), [9])).shape == [])
  }

  @Test func corruptFiles() {
    func expect(
      _ error: DatasetError, _ bytes: [UInt8], _ location: SourceLocation = #_sourceLocation
    ) {
      #expect(throws: error, sourceLocation: location) { try Npy.decode(bytes) }
    }
    expect(.notNpy, [])
    expect(.notNpy, Array("PK\u{3}\u{4}".utf8))
    expect(.truncated(expected: 8, found: 6), Array(file("")[..<6]))
    expect(.unsupportedNpyVersion(major: 4, minor: 0), file("{}", version: [4, 0]))
    expect(.unsupportedNpyVersion(major: 1, minor: 1), file("{}", version: [1, 1]))
    expect(.truncated(expected: 10, found: 9), Array(file("{}")[..<9]))
    expect(.truncated(expected: 10 + 200, found: 13), file("{}", length: 200))
    expect(
      .truncated(expected: 12 + 0xFFFF_FFFF, found: 15), file("{}", version: [2, 0], length: 0xFFFF_FFFF))
    expect(.malformedNpyHeader("key 'descr' is missing"), file("{}"))
    expect(.malformedNpyHeader("'{' expected"), file("nothing"))
    expect(.malformedNpyHeader("unexpected key 'x'"), file("{'x': 1}"))
    expect(.malformedNpyHeader("a string has no end"), file("{'descr"))
    expect(.malformedNpyHeader("a size expected"), file(header("<f8", "(-1,)")))
    expect(.malformedNpyHeader("a size expected"), file(header("<f8", "(99999999999999999999,)")))
    expect(.malformedNpyHeader("'(' expected"), file(header("<f8", "3")))
    expect(.malformedNpyHeader("text follows the dictionary"), file(header("<f8", "()") + "x"))
    let large = "(4294967296, 4294967296, 0)"
    expect(.malformedNpyHeader("the shape has too many entries"), file(header("<f8", large)))
    expect(
      .malformedNpyHeader("the shape has too many entries"), file(header("<f8", "(1152921504606846977,)")))
    for dtype in ["<c16", "<c8", "|O", "<U5", "|S3", "<f2", "<M8[ns]", "|V8", "f8", ""] {
      expect(.unsupportedDtype("'\(dtype)'"), file(header(dtype, "(1,)")))
    }
    expect(
      .unsupportedDtype("with named fields"),
      file("{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (1,), }"))
    let whole = Npy.encode(Tensor([1, 2, 3], [3]))
    expect(.truncated(expected: 152, found: 151), Array(whole.dropLast()))
    expect(.trailingBytes(1), whole + [0])
    // No prefix of a good file reads, and none crashes.
    for count in 0..<whole.count {
      #expect(throws: DatasetError.self) { try Npy.decode(Array(whole[..<count])) }
    }
  }

  @Test func files() throws {
    let missing = temporaryPath("missing.npy")
    #expect(throws: DatasetError.cannotRead(path: missing, reason: "no such file or directory")) {
      try Npy.read(missing)
    }
    #expect(throws: DatasetError.cannotRead(path: "/dev/zero", reason: "it is a device without an end")) {
      try Npy.read("/dev/zero")
    }
    #expect(throws: DatasetError.cannotRead(path: "/tmp", reason: "is a directory")) { try Npy.read("/tmp") }
    let nowhere = missing + "/x.npy"
    #expect(throws: DatasetError.cannotWrite(path: nowhere, reason: "no such file or directory")) {
      try Npy.write(Tensor(scalar: 1), to: nowhere)
    }
    #expect(throws: DatasetError.cannotWrite(path: "/dev/full", reason: "no space left on device")) {
      try Npy.write(Tensor(scalar: 1), to: "/dev/full")
    }
    // A link stays a link; the file that it names is replaced and keeps its mode.
    try Npy.write(Tensor(scalar: 1), to: missing)
    chmod(missing, 0o600)
    let link = missing + ".link"
    symlink(missing, link)
    try Npy.write(Tensor(scalar: 2), to: link)
    #expect(try Npy.read(missing).scalarValue == 2)
    var status = stat()
    #expect(lstat(link, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
    #expect(stat(missing, &status) == 0 && status.st_mode & 0o777 == 0o600)
    #expect(entries(inFolderOf: missing) == ["missing.npy", "missing.npy.link"])
  }
}
