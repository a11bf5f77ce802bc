import Tensors

/// Why a data file cannot be read or written. Lines, columns and fields count from 1.
public enum DatasetError: Error, Equatable, Sendable {
  case cannotRead(path: String, reason: String)
  case cannotWrite(path: String, reason: String)

  // .npy
  case notNpy
  case unsupportedNpyVersion(major: Int, minor: Int)
  case malformedNpyHeader(String)
  case unsupportedDtype(String)
  case truncated(expected: Int, found: Int)
  case trailingBytes(Int)

  // .csv
  case noRecords
  case notANumber(line: Int, column: Int, text: String)
  case raggedRow(line: Int, expected: Int, found: Int)
  case unterminatedQuote(line: Int)
  case textAfterQuote(line: Int, column: Int)
  case notATable(Shape)
  case columnNamesMismatch(expected: Int, found: Int)

  // Archives and sets of files
  case cannotInflate(String)
  case malformedZip(String)
  case notIdx
  case unsupportedIdxType(UInt8)
  case missingFiles(folder: String, names: [String])
  /// What is wrong with one file, or one member of an archive.
  case inFile(path: String, String)
}

extension DatasetError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .cannotRead(let path, let reason): return "cannot read '\(path)': \(reason)"
    case .cannotWrite(let path, let reason): return "cannot write '\(path)': \(reason)"
    case .notNpy: return "this is no .npy file: it does not begin with \\x93NUMPY"
    case .unsupportedNpyVersion(let major, let minor):
      return ".npy format \(major).\(minor) is not supported: only 1.0, 2.0 and 3.0 are"
    case .malformedNpyHeader(let detail): return "malformed .npy header: \(detail)"
    case .unsupportedDtype(let name):
      return "dtype \(name) is not supported: only real numbers are (f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1)"
    case .truncated(let expected, let found):
      return "the file is truncated: \(expected) bytes expected, \(found) found"
    case .trailingBytes(let count): return "\(count) unexpected bytes follow the array"
    case .noRecords: return "the file has no rows"
    case .notANumber(let line, let column, let text):
      return text.isEmpty
        ? "line \(line), column \(column): the field is empty"
        : "line \(line), column \(column): '\(text)' is not a number"
    case .raggedRow(let line, let expected, let found):
      return "line \(line) has \(found) \(found == 1 ? "field" : "fields") where \(expected) are expected"
    case .unterminatedQuote(let line): return "line \(line): the quoted field that begins here has no end"
    case .textAfterQuote(let line, let column):
      return "line \(line), column \(column): text follows the closing quote"
    case .notATable(let shape):
      return "a tensor of \(shape.shapeDescription) is no table: rank 1 or 2 is needed"
    case .columnNamesMismatch(let expected, let found):
      return "\(found) column names for \(expected) columns"
    case .cannotInflate(let reason): return "the compressed data cannot be read: \(reason)"
    case .malformedZip(let reason): return "this is no .npz file that can be read: \(reason)"
    case .notIdx: return "this is no IDX file: it does not begin with two zero bytes, a type and a rank"
    case .unsupportedIdxType(let type):
      return "IDX type \(type) is not supported: only unsigned bytes (8) are"
    case .missingFiles(let folder, let names):
      let some = names.count == 4 ? "" : "\(names.joined(separator: " and ")) of "
      return "\(some)MNIST is not in '\(folder)'"
    case .inFile(let path, let problem): return "'\(path)': \(problem)"
    }
  }
}
