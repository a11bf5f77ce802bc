import Graph
import Tensors

/// Factors of a layer's block of the Gauss–Newton matrix (Martens and Grosse, *Optimizing neural networks with
/// Kronecker-factored approximate curvature*, ICML 2015; for shared weights the variant "expand" of Eschenhagen et al.,
/// NeurIPS 2023). For f = Σₙ ℓₙ the block is Σₙ aₙaₙᵀ ⊗ Sₙ; A ⊗ S puts the mean of aₙaₙᵀ in the place of each. It is exact
/// where all aₙaₙᵀ or all Sₙ are the same: for one sample, and for a linear model with a squared loss.
extension TensorGraph {
  /// How many samples a layer sees.
  public func sampleCount(_ layer: DenseLayer) -> Int {
    Array(shape(layer.input).prefix(layer.sampleAxes.count)).elementCount
  }

  /// A: the mean over the samples of aaᵀ, inputs flattened row-major, with a last row and column for the bias if the
  /// layer has one. There must be samples.
  public func inputFactor(_ layer: DenseLayer) -> NodeID {
    let (s, n) = (layer.sampleAxes.count, layer.inputAxes.count)
    let samples = sampleCount(layer)
    let summed = Array(2 * n..<2 * n + s)
    let (rows, columns) = (Array(0..<n), Array(n..<2 * n))
    func mean(_ scale: Double, _ factors: [Operand], to result: [Label]) -> NodeID {
      contract(scale / Double(samples), factors, to: result)
    }
    let squares = mean(
      1, [Operand(layer.input, summed + rows), Operand(layer.input, summed + columns)], to: rows + columns)
    let inputs = layer.inputAxes.map { shape(layer.weight)[$0] }
    guard let bias = layer.bias else { return assembled([[squares]], [inputs]) }
    let first = mean(bias.factor, [Operand(layer.input, summed + rows)], to: rows)
    return assembled([[squares], [first, fill(bias.factor * bias.factor)]], [inputs, []])
  }

  /// S: the diagonal blocks over the samples of the Gauss–Newton matrix by the layer's z, added up, outputs flattened
  /// row-major; `f` is split at `output` as in `ggnBlocks`.
  public func outputFactor(
    _ layer: DenseLayer, _ f: NodeID, at output: NodeID, placeholder: Leaf, y: Leaf
  ) -> NodeID {
    let stand = leaf(y)
    let terms = ggnTerms(
      f, at: output, wrt: [layer.activation], placeholder: leaf(placeholder), output: stand)[0][0]
    let shape = self.shape(layer.activation)
    let (rank, n) = (shape.count, layer.outputAxes.count)
    let outputs = layer.outputAxes.map { self.shape(layer.weight)[$0] }
    // Rows and columns of one sample: their samples' labels are equated before anything is multiplied out.
    func label(_ old: Label) -> Label {
      let axis = old % rank
      return layer.outputs[axis].map { old < rank ? $0 : n + $0 } ?? 2 * n + axis
    }
    var sizes: [Label: Int] = [:]
    for k in 0..<2 * n { sizes[k] = outputs[k % n] }
    let summands = terms.map { term -> Summand in
      var factors = term.factors.map { Operand($0.node, $0.labels.map(label)) }
      for axis in layer.sampleAxes where !factors.contains(where: { $0.labels.contains(2 * n + axis) }) {
        factors.append(Operand(ones(shape[axis]), [2 * n + axis]))
      }
      return Summand(
        1, Operand(contract(term.scale, factors, to: Array(0..<2 * n), sizes: sizes), Array(0..<2 * n)))
    }
    let block = add(summands, shape: outputs + outputs)
    return assembled([[substitute([block], [stand: output])[0]]], [outputs])
  }

  /// ρ, where the Hessian of f by an input is ρ·I by its form, as of a penalty on the squares of its entries.
  public func ridge(_ f: NodeID, of input: NodeID) -> NodeID? {
    let rank = shape(input).count
    let pairs = Set((0..<rank).map { [$0, rank + $0] })
    var summands: [Summand] = []
    for term in jacobianTerms(of: grad(f, wrt: [input]), wrt: input)[0] {
      let (numbers, deltas) = (
        term.factors.filter(\.labels.isEmpty), term.factors.filter { !$0.labels.isEmpty }
      )
      guard Set(deltas.map { $0.labels.sorted() }) == pairs, deltas.count == pairs.count,
        deltas.allSatisfy({ isIdentity($0.node) })
      else { return nil }
      summands.append(Summand(1, Operand(contract(term.scale, numbers, to: []), [])))
    }
    return add(summands, shape: [])
  }

  private func isIdentity(_ id: NodeID) -> Bool {
    if case .selector(let selector) = self[id].op { return selector.isIdentity(shape(id)) }
    return false
  }

  /// A ⊗ S + ρ·I of a layer's params as blocks like `hessianBlocks`: of the weight, and of the bias where there is one.
  public func layerBlocks(_ layer: DenseLayer, input: NodeID, output: NodeID, ridges: [NodeID?]) -> [[NodeID]]
  {
    let params = [layer.weight] + (layer.bias.map { [$0.leaf] } ?? [])
    let places = params.map { layer.place(of: $0, in: self) }
    return params.indices.map { i in
      (0...i).map { j in
        let (p, q) = (shape(params[i]).count, shape(params[j]).count)
        let (rows, columns) = (Array(0..<p), Array(p..<p + q))
        let labels = (a: [p + q, p + q + 1], s: [p + q + 2, p + q + 3])
        let product = contract(
          1,
          [Operand(input, labels.a), Operand(output, labels.s)]
            + selectors(places[i], labels.a[0], labels.s[0], rows, params[i])
            + selectors(places[j], labels.a[1], labels.s[1], columns, params[j]),
          to: rows + columns)
        guard i == j, let ridge = ridges[i] else { return product }
        let shape = self.shape(params[i])
        let deltas = rows.indices.map { Operand(delta(shape[$0]), [rows[$0], columns[$0]]) }
        let identity = contract(1, [Operand(ridge, [])] + deltas, to: rows + columns)
        return add([product, identity], shape: shape + shape)
      }
    }
  }

  /// δ between a row of A or S and the entry of a param that it speaks of.
  private func selectors(
    _ place: DenseLayer.Place, _ a: Label, _ s: Label, _ axes: [Label], _ param: NodeID
  ) -> [Operand] {
    let shape = self.shape(param)
    func flattened(_ row: Label, _ count: Int, _ offset: Int, _ own: [Int]) -> Operand {
      let sizes = own.map { shape[$0] }
      return Operand(selector(.flatten(offset: offset, sizes), [count] + sizes), [row] + own.map { axes[$0] })
    }
    return [
      flattened(a, place.inputCount, place.offset, place.inputs),
      flattened(s, place.outputCount, 0, place.outputs),
    ]
  }
}

extension DenseLayer {
  /// Where a param stands in the rows of A and S.
  struct Place {
    let inputCount: Int
    let outputCount: Int
    /// Its first row of A.
    let offset: Int
    /// Its axes that are flattened into rows of A, and of S.
    let inputs: [Int]
    let outputs: [Int]
  }

  func place(of param: NodeID, in graph: TensorGraph) -> Place {
    let shape = graph.shape(weight)
    let width = inputAxes.map { shape[$0] }.elementCount
    let outputCount = outputAxes.map { shape[$0] }.elementCount
    let inputCount = width + (bias == nil ? 0 : 1)
    guard let bias, bias.leaf == param else {
      return Place(
        inputCount: inputCount, outputCount: outputCount, offset: 0, inputs: inputAxes, outputs: outputAxes)
    }
    // The axes of the bias in the order of the outputs.
    let axes = outputAxes.indices.compactMap { output in bias.outputs.firstIndex(of: output) }
    return Place(
      inputCount: inputCount, outputCount: outputCount, offset: width, inputs: [], outputs: axes)
  }

  /// For each row of A and, within it, of S, the entry that it speaks of: the param (0 the weight, 1 the bias) and its
  /// row-major place.
  public func entries(in graph: TensorGraph) -> [(param: Int, place: Int)] {
    let params = [weight] + (bias.map { [$0.leaf] } ?? [])
    return params.enumerated().flatMap { k, param -> [(param: Int, place: Int)] in
      let place = place(of: param, in: graph)
      let shape = graph.shape(param)
      let strides = shape.rowMajorStrides
      func places(_ axes: [Int]) -> [Int] {
        axes.reduce([0]) { partial, axis in
          partial.flatMap { base in (0..<shape[axis]).map { base + $0 * strides[axis] } }
        }
      }
      let columns = places(place.outputs)
      return places(place.inputs).flatMap { row in columns.map { (k, row + $0) } }
    }
  }
}
