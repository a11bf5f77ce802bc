import Tensors

/// A matrix as terms that each write few of its entries.
public struct SparseForm {
  public let node: NodeID
  public let rows: Int
  public let columns: Int
  public let isSymmetric: Bool
  let terms: [SparseTerm]
  /// Stored already: the pattern and the values.
  let view: (pattern: SparsePattern, values: NodeID)?

  /// Entries written by all terms, at most: terms on one diagonal share its places.
  public var volume: Int {
    if let view { return view.pattern.nonZeros }
    var diagonals: [Int: Int] = [:]
    var total = 0
    func add(_ volume: Int, to sum: inout Int) {
      let (result, overflow) = sum.addingReportingOverflow(volume)
      sum = overflow ? .max : result
    }
    for term in terms {
      if let offset = term.offset {
        add(term.volume, to: &diagonals[offset, default: 0])
      } else {
        add(term.volume, to: &total)
      }
    }
    for volume in diagonals.values { add(min(volume, rows, columns), to: &total) }
    return total
  }

  /// Sparse storage pays: the matrix is not small, and at most a tenth of it is there.
  public var isWorthStoring: Bool {
    let entries = Double(rows) * Double(columns)
    return entries >= Self.smallest && Double(volume) <= Self.density * entries
  }

  /// Matrices with fewer entries are shown and computed whole.
  static let smallest = 4096.0
  static let density = 0.1

  /// Only the diagonal is there.
  public var isDiagonal: Bool {
    if let view { return view.pattern.isDiagonal }
    return rows == columns && terms.allSatisfy { $0.offset == 0 }
  }

  /// Index tensors whose values the pattern depends on.
  var tables: [(indices: NodeID, extent: Int)] {
    terms.flatMap { term in
      Set(term.row.steps.keys).union(term.column.steps.keys).compactMap { root in
        term.lookups[root].map { ($0.indices, term.sizes[root] ?? 0) }
      }
    }
  }
}

/// What a sparse matrix becomes in a plan: its pattern, and a node of one axis with the values.
public struct CompressedMatrix {
  public let pattern: SparsePattern
  public let values: NodeID
}

extension SparseForm {
  /// The form of a matrix; nil when one of its terms ties neither rows to columns nor the like.
  public init?(of id: NodeID, _ graph: TensorGraph, _ products: inout SparseProducts) {
    let shape = graph.shape(id)
    guard shape.count == 2 else { return nil }
    (node, rows, columns) = (id, shape[0], shape[1])
    if let view = graph.sparseViews[id] {
      (self.view, terms, isSymmetric) = (view, [], view.pattern.isSymmetric)
      return
    }
    guard let found = products.terms(of: id) else { return nil }
    view = nil
    isSymmetric = shape[0] == shape[1] && graph.isSymmetric(id)
    let entries = shape.elementCount
    var resolved: [SparseTerm] = []
    for product in found {
      guard let term = SparseTerm(product, shape, graph) else { return nil }
      let volume = term.volume
      if volume == 0 { continue }
      guard volume < entries || entries <= 1 else { return nil }
      resolved.append(term)
    }
    // Mirror images of terms of the lower half go, when each term is wholly on one side.
    let lower = resolved.filter { ($0.offsets?.upperBound ?? 0) >= 0 }
    let isSplit = isSymmetric && lower.allSatisfy { ($0.offsets?.lowerBound ?? -1) >= 0 }
    terms = isSplit ? lower : resolved
  }

  /// The pattern and the values. `tableValues` gives the entries of index tensors; nil when one is not known while
  /// the plan is made.
  public func compressed(
    _ graph: TensorGraph, _ tableValues: (NodeID) throws -> [Double]?
  ) throws -> CompressedMatrix? {
    if let view { return CompressedMatrix(pattern: view.pattern, values: view.values) }
    if let diagonals = byDiagonals() {
      return CompressedMatrix(
        pattern: diagonals,
        values: sum(graph, diagonals.count) { placeOnDiagonal($0, diagonals, graph) })
    }
    var places: [[(row: Int, column: Int)]] = []
    var largest = 0
    for term in terms {
      guard let entries = try entries(of: term, tableValues) else { return nil }
      places.append(entries)
      largest += entries.count
    }
    return byColumns(places, graph)
  }

  // MARK: Diagonals

  private static let diagonalLimit = 64

  /// A pattern of whole diagonals, when that wastes at most half.
  private func byDiagonals() -> SparsePattern? {
    var offsets: [Int: Int] = [:]
    for term in terms {
      guard let offset = term.offset else { return nil }
      offsets[offset, default: 0] += term.volume
    }
    guard offsets.count <= Self.diagonalLimit else { return nil }
    let isLower = isSymmetric && offsets.keys.allSatisfy { $0 >= 0 }
    // A diagonal that is there is worth its place: solvers start from it.
    let all = Set(offsets.keys).union(isSymmetric && rows > 1 && offsets.keys.contains(1) ? [0] : [])
    let pattern = SparsePattern(
      rows: rows, columns: columns, isSymmetric: isSymmetric, isLowerHalf: isLower,
      .diagonals(all.sorted()))
    let used = offsets.reduce(0) { $0 + min($1.value, pattern.length(ofDiagonal: $1.key)) }
    return used * 2 >= pattern.count || pattern.count <= 64 ? pattern : nil
  }

  private func placeOnDiagonal(_ term: SparseTerm, _ pattern: SparsePattern, _ graph: TensorGraph) -> Operand?
  {
    guard case .diagonals(let offsets) = pattern.layout, let offset = term.offset,
      let k = offsets.firstIndex(of: offset)
    else { return nil }
    // The first entry of a diagonal stands in column max(−offset, 0).
    let first = pattern.diagonalStarts[k] - max(-offset, 0) + term.column.start
    let free = term.free
    let extents = free.map { term.sizes[$0] ?? 1 }
    let steps =
      [free.map { term.column.steps[$0] ?? 0 }]
      + free.indices.map { p in free.indices.map { $0 == p ? 1 : 0 } }
    let selector = Selector(extents: extents, starts: [first] + free.map { _ in 0 }, steps: steps)
    return Operand(graph.selector(selector, [pattern.count] + extents), [-1] + free)
  }

  // MARK: Columns

  private func entries(of term: SparseTerm, _ tableValues: (NodeID) throws -> [Double]?) throws
    -> [(row: Int, column: Int)]?
  {
    var values: [Label: [Int]] = [:]
    for root in Set(term.row.steps.keys).union(term.column.steps.keys) {
      guard let lookup = term.lookups[root] else { continue }
      guard let found = try tableValues(lookup.indices) else { return nil }
      let extent = term.sizes[root] ?? 0
      var whole: [Int] = []
      whole.reserveCapacity(found.count)
      for value in found {
        // What is no place is found out, with its message, by the plan that looks it up.
        guard let index = Int(exactly: value), index >= -extent, index < extent else { return nil }
        whole.append(index < 0 ? index + extent : index)
      }
      values[root] = whole
    }
    return Array(zip(term.walk(term.row, values), term.walk(term.column, values))).map { ($0, $1) }
  }

  /// Compressed columns, duplicates one entry.
  private func byColumns(_ places: [[(row: Int, column: Int)]], _ graph: TensorGraph) -> CompressedMatrix? {
    let isLower = isSymmetric && places.allSatisfy { $0.allSatisfy { $0.row >= $0.column } }
    // Keys column·rows + row, sorted: the place of an entry is its rank.
    var keys: [Int] = []
    for entries in places { for (i, j) in entries { keys.append(j * rows + i) } }
    keys.sort()
    var unique: [Int] = []
    unique.reserveCapacity(keys.count)
    for key in keys where key != unique.last { unique.append(key) }
    var starts = [Int](repeating: 0, count: columns + 1)
    for key in unique { starts[key / rows + 1] += 1 }
    for j in 0..<columns { starts[j + 1] += starts[j] }
    let pattern = SparsePattern(
      rows: rows, columns: columns, isSymmetric: isSymmetric, isLowerHalf: isLower,
      .columns(starts: starts, rows: unique.map { $0 % rows }))
    func place(_ i: Int, _ j: Int) -> Int {
      let key = j * rows + i
      var (low, high) = (starts[j], starts[j + 1])
      while low < high {
        let middle = (low + high) / 2
        if unique[middle] < key { low = middle + 1 } else { high = middle }
      }
      return low
    }
    var index = 0
    let values = sum(graph, pattern.count) { term in
      let map = places[index].map { Double(place($0.row, $0.column)) }
      index += 1
      let free = term.free
      let tensor = graph.constant(Tensor(map, free.map { term.sizes[$0] ?? 1 }))
      return Operand(graph.table(pattern.count, tensor), [-1] + free)
    }
    return CompressedMatrix(pattern: pattern, values: values)
  }

  // MARK: Values

  /// Σ of the terms' values, each at the places that `place` gives (its first label, −1, is the result's).
  private func sum(_ graph: TensorGraph, _ count: Int, _ place: (SparseTerm) -> Operand?) -> NodeID {
    var summands: [Summand] = []
    for term in terms {
      guard let target = place(term) else { continue }
      let node = term.values(at: target, count, graph)
      summands.append(Summand(1, Operand(node, [0])))
    }
    return graph.add(summands, shape: [count])
  }
}

extension SparseTerm {
  /// The values put where `target` says: a node of one axis.
  func values(at target: Operand, _ count: Int, _ graph: TensorGraph) -> NodeID {
    var fresh = next + 1
    var operands: [Operand] = []
    var links: [Label: Label] = [:]
    var reached = Set<Label>()
    var pendingTables: [Label] = []
    /// The label that stands for a factor's label: its parameter, or one that a selector ties to parameters.
    func linked(_ label: Label) -> Label {
      let image = self.image(label)
      reached.formUnion(image.steps.keys)
      for root in image.steps.keys where lookups[root] != nil { pendingTables.append(root) }
      if let plain = image.plain, sizes[plain] == sizes[label] { return plain }
      if let known = links[label] { return known }
      let parameters = image.steps.keys.sorted()
      let extents = parameters.map { sizes[$0] ?? 1 }
      let selector = Selector(
        extents: extents, starts: [image.start] + parameters.map { _ in 0 },
        steps: [parameters.map { image.steps[$0] ?? 0 }]
          + parameters.indices.map { p in parameters.indices.map { $0 == p ? 1 : 0 } })
      let made = fresh
      fresh += 1
      links[label] = made
      operands.append(Operand(graph.selector(selector, [sizes[label] ?? 1] + extents), [made] + parameters))
      return made
    }
    for factor in factors { operands.append(Operand(factor.node, factor.labels.map(linked))) }
    var done = Set<Label>()
    while let root = pendingTables.popLast() {
      guard done.insert(root).inserted, let lookup = lookups[root] else { continue }
      operands.append(Operand(lookup.table, [root] + lookup.labels.map(linked)))
    }
    // Sums over what no factor has count its size; a table's own label is one place for each index.
    for (label, size) in sizes where isSummedAlone(label, reached) {
      operands.append(Operand(graph.ones(size), [label]))
    }
    // Label −1 is the place among the values.
    let result = fresh
    let moved = Operand(target.node, target.labels.map { $0 == -1 ? result : $0 })
    return graph.contract(scale, operands + [moved], to: [result], sizes: [result: count])
  }

  private func isSummedAlone(_ label: Label, _ reached: Set<Label>) -> Bool {
    isParameter(label) && !reached.contains(label) && !free.contains(label) && lookups[label] == nil
  }
}
