import Tensors

/// Tables of numbers as text: fields separated by commas, semicolons, tabs or spaces, a record a line, as RFC 4180
/// describes them.
///
/// Blanks around fields, a byte order mark, blank lines and lines that begin with `#` are skipped; lines may end in
/// LF, CR LF or CR. A field in double quotes may hold separators, line ends and doubled quotes. `inf` and `nan` are
/// numbers.
public enum Csv {
  public enum Separator: Sendable, CaseIterable {
    case comma, semicolon, tab
    /// Any run of spaces and tabs.
    case space

    var byte: UInt8 {
      switch self {
      case .comma: return UInt8(ascii: ",")
      case .semicolon: return UInt8(ascii: ";")
      case .tab: return UInt8(ascii: "\t")
      case .space: return UInt8(ascii: " ")
      }
    }
  }

  public enum Header: Sendable {
    case present, absent
    /// The first record is a header when none of its fields is a number.
    case detect
  }

  /// Reads a file; see `decode`. Throws `cannotRead` and what `decode` throws.
  public static func read(
    _ path: String, separator: Separator? = nil, header: Header = .detect,
    precision: Precision = .f64
  ) throws(DatasetError) -> Table {
    try decode(readFile(path), separator: separator, header: header, precision: precision)
  }

  /// Writes a tensor of rank 1 (as a column) or 2 atomically; see `encode`. Throws `cannotWrite` and what `encode`
  /// throws.
  public static func write(
    _ tensor: Tensor, columnNames: [String] = [], separator: Separator = .comma, to path: String
  ) throws(DatasetError) {
    try writeFile(path, encode(tensor, columnNames: columnNames, separator: separator))
  }

  /// The table in the bytes of a file. Without a separator, the first of semicolon, tab, comma and space that the
  /// first record holds outside quotes is taken.
  ///
  /// Throws `noRecords`, `notANumber`, `raggedRow`, `unterminatedQuote` and `textAfterQuote`.
  public static func decode(
    _ bytes: [UInt8], separator: Separator? = nil, header: Header = .detect,
    precision: Precision = .f64
  ) throws(DatasetError) -> Table {
    var reader = CsvReader(bytes, separator: separator)
    guard let first = try reader.nextRecord() else { throw .noRecords }
    let columns = first.fields.count
    var names: [String] = []
    var values: [Double] = []
    let hasHeader =
      switch header {
      case .present: true
      case .absent: false
      case .detect: first.fields.allSatisfy { CsvNumber.parse(bytes, $0) == nil }
      }
    if hasHeader {
      names = first.fields.map { $0.text(bytes) }
    } else {
      try append(first, bytes, to: &values)
    }
    while let record = try reader.nextRecord() {
      guard record.fields.count == columns else {
        throw .raggedRow(line: record.line, expected: columns, found: record.fields.count)
      }
      try append(record, bytes, to: &values)
    }
    return Table(
      values: Tensor(values, [values.count / columns, columns], precision), columnNames: names)
  }

  private static func append(
    _ record: CsvRecord, _ bytes: [UInt8], to values: inout [Double]
  ) throws(DatasetError) {
    for (index, field) in record.fields.enumerated() {
      guard let value = CsvNumber.parse(bytes, field) else {
        throw .notANumber(line: record.line, column: index + 1, text: field.text(bytes))
      }
      values.append(value)
    }
  }

  /// The text of a file: a header when there are names, then a line for each row. Numbers are the shortest that
  /// read back the same. Throws `notATable` and `columnNamesMismatch`.
  public static func encode(
    _ tensor: Tensor, columnNames: [String] = [], separator: Separator = .comma
  ) throws(DatasetError) -> [UInt8] {
    guard tensor.rank == 1 || tensor.rank == 2 else { throw .notATable(tensor.shape) }
    let (rows, columns) = (tensor.shape[0], tensor.rank == 1 ? 1 : tensor.shape[1])
    guard columnNames.isEmpty || columnNames.count == columns else {
      throw .columnNamesMismatch(expected: columns, found: columnNames.count)
    }
    var bytes: [UInt8] = []
    func line(_ fields: some Sequence<String>) {
      for (index, field) in fields.enumerated() {
        if index > 0 { bytes.append(separator.byte) }
        bytes += field.utf8
      }
      bytes.append(UInt8(ascii: "\n"))
    }
    if !columnNames.isEmpty { line(columnNames.map(quoted)) }
    func body<T: TensorScalar & LosslessStringConvertible>(_ entries: UnsafeBufferPointer<T>) {
      for row in 0..<rows { line(entries[row * columns..<(row + 1) * columns].lazy.map { $0.description }) }
    }
    switch tensor.precision {
    case .f64: tensor.withEntries(Double.self) { body($0) }
    case .f32: tensor.withEntries(Float.self) { body($0) }
    }
    return bytes
  }

  /// A name, in quotes when it holds anything that has a meaning in a file.
  private static func quoted(_ name: String) -> String {
    let special = name.utf8.contains { ",;\t \"\r\n#".utf8.contains($0) }
    guard special || name.isEmpty else { return name }
    let doubled = name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
    return "\"\(doubled)\""
  }
}
