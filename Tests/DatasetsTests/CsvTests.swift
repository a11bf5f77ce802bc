import Datasets
import Tensors
import Testing

private func decode(
  _ text: String, _ separator: Csv.Separator? = nil, header: Csv.Header = .detect
) throws -> Table {
  try Csv.decode(Array(text.utf8), separator: separator, header: header)
}

@Suite struct CsvTests {
  @Test(arguments: [
    "1,2.5,-3\n4,5,6e2\n", "1,2.5,-3\r\n4,5,6e2", "1,2.5,-3\r4,5,6e2\r", "1;2.5;-3\n4;5;6e2",
    "1\t2.5\t-3\n4\t5\t6e2", "  1   2.5 -3  \n4 5 \t 6e2\n", " 1 , 2.5,  -3\n\n  \n4,5,6e2\n\n",
    "# a comment, with, commas\n1,2.5,-3\n  # another\n4,5,6e2", "\u{FEFF}1,2.5,-3\n4,5,6e2",
    "\"1\",\"2.5\" ,-3\n4,\" 5 \",6e2",
  ])
  func sameTable(text: String) throws {
    let table = try decode(text)
    #expect(table.values.shape == [2, 3])
    #expect(table.values.doubles == [1, 2.5, -3, 4, 5, 600])
    #expect(table.columnNames == [])
  }

  @Test func headers() throws {
    let table = try decode("x,\"y, or \"\"z\"\"\",w\n1,2,3\n")
    #expect(table.columnNames == ["x", "y, or \"z\"", "w"])
    #expect(table.values.shape == [1, 3])
    #expect(table.column(named: "w") == 2 && table.column(named: "v") == nil)
    #expect(try decode(",a\n0,1").columnNames == ["", "a"])
    #expect(try decode("2019,2020\n1,2", header: .present).columnNames == ["2019", "2020"])
    #expect(try decode("2019,2020\n1,2").values.shape == [2, 2])
    #expect(try decode("a b\n").values.shape == [0, 2])
    #expect(try decode("\"a\nb\";c\n1;2").columnNames == ["a\nb", "c"])
    #expect(throws: DatasetError.notANumber(line: 1, column: 1, text: "a")) {
      try decode("a,b\n1,2", header: .absent)
    }
    // One number in the first record: data, and the rest of it an error rather than a header.
    #expect(throws: DatasetError.notANumber(line: 1, column: 2, text: "x")) { try decode("1,x\n1,2") }
  }

  @Test func numbers() throws {
    let text = [
      "0", "-0", "+1", ".5", "5.", "0.1", "123456789012345678", "1234567890123456789012", "1e-400", "1E5",
      "9007199254740993", "0.1000000000000000055511151231257827", "1e400", "inf", "-inf",
      "2.2250738585072014e-308",
      "179769313486231570000000000000000000000", "3.14159265358979",
    ]
    let values = try decode(text.joined(separator: "\n")).values
    #expect(values.shape == [text.count, 1])
    for (number, value) in zip(text, values.doubles) {
      #expect(value.bitPattern == Double(number)!.bitPattern)
    }
    #expect(try decode("nan").values[flat: 0].isNaN)
    for bad in ["1.2.3", "--1", "1,5;2", "0x10", "1e", ".", "-", "1_000", "e5", "1 2,3", "12a"] {
      #expect(throws: DatasetError.self) { try decode("0;0\n" + bad + ";0") }
    }
  }

  @Test func errors() {
    func expect(
      _ error: DatasetError, _ text: String, _ location: SourceLocation = #_sourceLocation
    ) {
      #expect(throws: error, sourceLocation: location) { try decode(text) }
    }
    expect(.noRecords, "")
    expect(.noRecords, "\n  \n# only this\n")
    expect(.notANumber(line: 3, column: 2, text: "abc"), "a,b\n1,2\n3,abc\n")
    expect(.notANumber(line: 5, column: 1, text: "x y"), "# note\na,b\n\n1,2\n x y ,4\n")
    expect(.notANumber(line: 2, column: 2, text: ""), "1,2\n3,\n")
    expect(.raggedRow(line: 3, expected: 2, found: 3), "a,b\n1,2\n3,4,5\n")
    expect(.raggedRow(line: 2, expected: 3, found: 1), "1 2 3\n4\n")
    // A record on two lines counts both.
    expect(.notANumber(line: 4, column: 1, text: "x"), "\"a\nb\",c\n1,2\nx,2")
    expect(.unterminatedQuote(line: 2), "a,b\n1,\"2\n3,4\n")
    expect(.textAfterQuote(line: 2, column: 1), "a,b\n\"1\"2,3\n")
  }

  @Test func wording() {
    #expect(
      "\(DatasetError.notANumber(line: 3, column: 2, text: "abc"))"
        == "line 3, column 2: 'abc' is not a number")
    #expect(
      "\(DatasetError.notANumber(line: 2, column: 2, text: ""))" == "line 2, column 2: the field is empty")
    #expect(
      "\(DatasetError.raggedRow(line: 2, expected: 3, found: 1))" == "line 2 has 1 field where 3 are expected"
    )
    #expect(
      "\(DatasetError.truncated(expected: 10, found: 9))"
        == "the file is truncated: 10 bytes expected, 9 found")
  }

  @Test(arguments: Csv.Separator.allCases)
  func roundTrip(separator: Csv.Separator) throws {
    var generator = CounterGenerator(seed: 1)
    let tensor = generator.normalTensor([20, 3])
    let names = ["plain", "with \"quotes\", and; more", "# \t"]
    let path = temporaryPath("t.csv")
    try Csv.write(tensor, columnNames: names, separator: separator, to: path)
    for requested in [separator, nil] {
      let table = try Csv.read(path, separator: requested)
      #expect(table.values.doubles == tensor.doubles && table.columnNames == names)
    }
    #expect(entries(inFolderOf: path) == ["t.csv"])
  }

  @Test func writing() throws {
    #expect(
      String(
        decoding: try Csv.encode(Tensor([1, 0.1, -2e300, .infinity], [2, 2]), columnNames: ["", "b"]),
        as: UTF8.self)
        == "\"\",b\n1.0,0.1\n-2e+300,inf\n")
    #expect(String(decoding: try Csv.encode(Tensor(vector: [0.1, 2], .f32)), as: UTF8.self) == "0.1\n2.0\n")
    let single = try Csv.decode(Csv.encode(Tensor(vector: [0.1], .f32)), precision: .f32)
    #expect(single.values.precision == .f32 && single.values.shape == [1, 1])
    #expect(throws: DatasetError.notATable([2, 2, 2])) { try Csv.encode(Tensor(repeating: 0, [2, 2, 2])) }
    #expect(throws: DatasetError.notATable([])) { try Csv.encode(Tensor(scalar: 1)) }
    #expect(throws: DatasetError.columnNamesMismatch(expected: 2, found: 1)) {
      try Csv.encode(Tensor(repeating: 0, [1, 2]), columnNames: ["a"])
    }
  }
}
