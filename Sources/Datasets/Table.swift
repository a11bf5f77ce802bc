import Tensors

/// Numbers in rows and columns, as text files hold them.
public struct Table: Sendable {
  /// rows×columns.
  public let values: Tensor
  /// The names in the header, one for each column; empty when the file has none.
  public let columnNames: [String]

  public init(values: Tensor, columnNames: [String] = []) {
    self.values = values
    self.columnNames = columnNames
  }

  /// The index of a column by its name; the first one when several have it.
  public func column(named name: String) -> Int? { columnNames.firstIndex(of: name) }
}
