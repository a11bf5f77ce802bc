import Tensors

/// start + Σ steps · parameters.
struct AffineLabel: Hashable {
  var start = 0
  var steps: [Label: Int] = [:]

  /// The parameter that this is, when it is nothing else.
  var plain: Label? { start == 0 && steps.count == 1 && steps.first?.value == 1 ? steps.first?.key : nil }

  mutating func substitute(_ label: Label, by other: AffineLabel) {
    guard let step = steps.removeValue(forKey: label) else { return }
    start += step * other.start
    for (parameter, inner) in other.steps {
      let total = (steps[parameter] ?? 0) + step * inner
      steps[parameter] = total == 0 ? nil : total
    }
  }
}

/// One term of a sparse matrix: values over a box of parameters, and the row and the column of each as affine
/// functions of them. An index table makes a parameter a look-up of others.
struct SparseTerm {
  /// The numeric operands and tables, with labels that `images` explains.
  private(set) var factors: [Operand] = []
  let scale: Double
  private(set) var sizes: [Label: Int] = [:]
  private var images: [Label: AffineLabel] = [:]
  /// Parameters that an index table gives: the table, its index tensor and the labels of that.
  private(set) var lookups: [Label: Lookup] = [:]
  private(set) var next: Label
  private var replaced = Set<Label>()
  /// Two selectors never meet.
  private var isEmpty = false

  struct Lookup {
    let table: NodeID
    let indices: NodeID
    let labels: [Label]
  }

  /// Resolves the selectors of a product over labels 0 and 1; nil when one of them ties what cannot be told apart.
  init?(_ product: Product, _ shape: Shape, _ graph: TensorGraph) {
    scale = product.scale
    next = (product.factors.flatMap(\.labels).max() ?? 1) + 1
    sizes = [0: shape[0], 1: shape[1]]
    var selectors: [(Selector, [Label], Shape)] = []
    var tables: [Operand] = []
    for factor in product.factors {
      for (label, size) in zip(factor.labels, graph.shape(factor.node)) { sizes[label] = size }
      switch graph[factor.node].op {
      case .selector(let s): selectors.append((s, factor.labels, graph.shape(factor.node)))
      case .table: tables.append(factor)
      default: factors.append(factor)
      }
    }
    for label in sizes.keys { images[label] = AffineLabel(steps: [label: 1]) }
    guard resolve(&selectors), attach(tables, graph) else { return nil }
  }

  // MARK: Selectors

  /// Selectors whose labels are all free go first, and of these the ones that leave most labels of others free.
  private mutating func resolve(_ pending: inout [(Selector, [Label], Shape)]) -> Bool {
    while !pending.isEmpty {
      let free = pending.indices.filter { canReplace(pending[$0].1) }
      if let k = free.first(where: { leavesOthers($0, pending) }) ?? free.first {
        let (s, labels, _) = pending.remove(at: k)
        guard tie(s, labels) else { return false }
      } else {
        let before = self
        guard
          let k = pending.indices.first(where: { index in
            self = before
            return tie(pending[index].0, pending[index].1)
          })
        else { return false }
        pending.remove(at: k)
      }
    }
    return true
  }

  /// The parameter that a label is, whole: one that was cut to a part of the label's places is not.
  private func plain(_ label: Label) -> Label? {
    guard let root = images[label]?.plain, sizes[root] == sizes[label] else { return nil }
    return root
  }

  private func canReplace(_ labels: [Label]) -> Bool {
    let roots = labels.compactMap { plain($0) }
    return roots.count == labels.count && Set(roots).count == labels.count
  }

  private func leavesOthers(_ index: Int, _ all: [(Selector, [Label], Shape)]) -> Bool {
    let (s, labels, shape) = all[index]
    let spoilt = labels.indices.filter { s.renamedParameter(axis: $0, size: shape[$0]) == nil }.map {
      images[labels[$0]]
    }
    return all.indices.allSatisfy { other in
      other == index || !all[other].1.contains { spoilt.contains(images[$0]) }
    }
  }

  /// Each label of a selector is the affine function of the selector's parameters that its axis is; false when an
  /// equation between two such functions has no solution of this form.
  private mutating func tie(_ s: Selector, _ labels: [Label]) -> Bool {
    let parameters = s.extents.indices.map { next + $0 }
    next += parameters.count
    for (p, label) in parameters.enumerated() { sizes[label] = s.extents[p] }
    if s.extents.contains(0) { isEmpty = true }
    var targets = labels.indices.map { affine(s, $0, parameters) }
    for (axis, label) in labels.enumerated() where !equate(label, axis, &targets) { return false }
    return true
  }

  private func affine(_ s: Selector, _ axis: Int, _ parameters: [Label]) -> AffineLabel {
    var result = AffineLabel(start: s.starts[axis])
    for (p, label) in parameters.enumerated() where s.steps[axis][p] != 0 {
      result.steps[label] = s.steps[axis][p]
    }
    return result
  }

  private mutating func equate(_ label: Label, _ axis: Int, _ targets: inout [AffineLabel]) -> Bool {
    let (image, target) = (image(label), targets[axis])
    if image == target { return true }
    if let root = plain(label), target.steps[root] == nil {
      substitute(root, by: target, &targets)
      return true
    }
    guard image.steps.count <= 1, target.steps.count <= 1 else { return false }
    let (root, step) = image.steps.first ?? (-1, 0)
    let (other, otherStep) = target.steps.first ?? (-1, 0)
    if root == other {
      // start + step·t = start' + step'·t: one t, or none.
      let (rise, gap) = (step - otherStep, target.start - image.start)
      guard rise != 0, gap % rise == 0, gap / rise >= 0, gap / rise < (sizes[root] ?? 1) else {
        isEmpty = true
        return true
      }
      substitute(root, by: AffineLabel(start: gap / rise), &targets)
      return true
    }
    guard
      let cut = meet(image.start, step, sizes[root] ?? 1, target.start, otherStep, sizes[other] ?? 1)
    else { return false }
    if cut.count == 0 {
      isEmpty = true
      return true
    }
    let parameter = next
    next += 1
    sizes[parameter] = cut.count
    func along(_ start: Int, _ step: Int) -> AffineLabel {
      AffineLabel(start: start, steps: step == 0 ? [:] : [parameter: step])
    }
    if root >= 0 { substitute(root, by: along(cut.t0, cut.dt), &targets) }
    if other >= 0 { substitute(other, by: along(cut.u0, cut.du), &targets) }
    return true
  }

  private mutating func substitute(_ root: Label, by other: AffineLabel, _ targets: inout [AffineLabel]) {
    replaced.insert(root)
    for label in images.keys { images[label]?.substitute(root, by: other) }
    for axis in targets.indices { targets[axis].substitute(root, by: other) }
  }

  // MARK: Tables

  /// Each table explains one parameter of its own.
  private mutating func attach(_ tables: [Operand], _ graph: TensorGraph) -> Bool {
    for table in tables {
      guard let label = table.labels.first, let root = plain(label), lookups[root] == nil else {
        return false
      }
      lookups[root] = Lookup(
        table: table.node, indices: graph[table.node].operands[0].node,
        labels: Array(table.labels.dropFirst()))
    }
    // A table of a table's label would need both at once.
    for operand in lookups.values {
      for label in operand.labels {
        for root in images[label]?.steps.keys.map({ $0 }) ?? [] where lookups[root] != nil { return false }
      }
    }
    return true
  }

  // MARK: Places

  func image(_ label: Label) -> AffineLabel { images[label] ?? AffineLabel(steps: [label: 1]) }

  /// Not replaced by a selector's parameters.
  func isParameter(_ label: Label) -> Bool { !replaced.contains(label) }

  var row: AffineLabel { image(0) }
  var column: AffineLabel { image(1) }

  /// Parameters that tell the entries of the term apart, ascending.
  var free: [Label] {
    var result = Set<Label>()
    for root in Set(row.steps.keys).union(column.steps.keys) {
      guard let table = lookups[root] else {
        result.insert(root)
        continue
      }
      for label in table.labels { result.formUnion(image(label).steps.keys) }
    }
    return result.sorted()
  }

  var hasLookups: Bool {
    row.steps.keys.contains { lookups[$0] != nil } || column.steps.keys.contains { lookups[$0] != nil }
  }

  /// Entries that the term writes.
  var volume: Int {
    if isEmpty { return 0 }
    return free.reduce(1) { total, label in
      let (product, overflow) = total.multipliedReportingOverflow(by: sizes[label] ?? 1)
      return overflow ? .max : product
    }
  }

  /// row − column, when it is the same for every entry.
  var offset: Int? {
    guard !hasLookups, row.steps == column.steps else { return nil }
    return row.start - column.start
  }

  /// The least and the greatest row − column; nil with index tables.
  var offsets: ClosedRange<Int>? {
    guard !hasLookups else { return nil }
    var low = row.start - column.start
    var high = low
    for label in free {
      let step = (row.steps[label] ?? 0) - (column.steps[label] ?? 0)
      let reach = step * ((sizes[label] ?? 1) - 1)
      if reach < 0 { low += reach } else { high += reach }
    }
    return low...high
  }

  /// The values of a label's image over all points of the free parameters, row-major.
  func walk(_ image: AffineLabel, _ tableValues: [Label: [Int]]) -> [Int] {
    let free = self.free
    let shape = free.map { sizes[$0] ?? 1 }
    var result = [Int](repeating: image.start, count: shape.elementCount)
    for (root, step) in image.steps {
      if let table = lookups[root], let values = tableValues[root] {
        // The place in the table of each point.
        var place = AffineLabel()
        let strides = table.labels.map { sizes[$0] ?? 1 }.rowMajorStrides
        for (label, stride) in zip(table.labels, strides) {
          let inner = self.image(label)
          place.start += stride * inner.start
          for (parameter, s) in inner.steps { place.steps[parameter, default: 0] += stride * s }
        }
        let places = walk(place, [:])
        for k in result.indices { result[k] += step * values[places[k]] }
      } else if let axis = free.firstIndex(of: root) {
        let inner = shape[(axis + 1)...].reduce(1, *)
        let size = shape[axis]
        var k = 0
        while k < result.count {
          for coordinate in 0..<size {
            let value = step * coordinate
            for _ in 0..<inner {
              result[k] += value
              k += 1
            }
          }
        }
      }
    }
    return result
  }
}
