import Syntax
import Tensors

/// What each epoch of training was like, a column a quantity.
struct TrainingHistory {
  /// The formula that was trained.
  let objective: String
  /// `epoch`, the objective as `loss`, what is tracked, the step size and the seconds since the start.
  private(set) var columns: [(name: String, values: [Double])]

  init(_ objective: String, _ names: [String]) {
    self.init(objective, columns: names.map { ($0, []) })
  }

  init(_ objective: String, columns: [(name: String, values: [Double])]) {
    self.objective = objective
    self.columns = columns
  }

  var names: [String] { columns.map(\.name) }
  var count: Int { columns.first?.values.count ?? 0 }

  subscript(name: String) -> [Double] { columns.first { $0.name == name }?.values ?? [] }

  mutating func append(_ row: [Double]) {
    for k in columns.indices { columns[k].values.append(row[k]) }
  }

  /// A record of vectors.
  var value: Value { .record(columns.map { ($0.name, .tensor(Tensor(vector: $0.values))) }) }

  /// Columns that a plot shows over the epochs.
  var shown: [(name: String, values: [Double])] {
    columns.filter { !["epoch", "rate", "seconds"].contains($0.name) }
  }
}
