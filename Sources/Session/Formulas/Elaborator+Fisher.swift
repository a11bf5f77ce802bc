import Calculus
import Graph
import Syntax
import Tensors

/// Which expectation a Fisher matrix is.
private enum FisherKind: String, CaseIterable {
  /// Over the labels that the model itself gives: Jᵀ·Cov·J, which for these losses is the Gauss–Newton matrix.
  case exact
  /// Over the labels of the data.
  case empirical
  /// Over labels drawn from the model, for each sample anew.
  case sampled
}

extension Elaborator {
  /// `fisher(f, wrt, kind, draws, error)` of a cross-entropy or logistic loss: Σᵢ wᵢ·E[∇ℓᵢ·∇ℓᵢᵀ] for f = Σᵢ wᵢ·ℓᵢ over samples.
  ///
  /// Sources: Martens, *New insights and perspectives on the natural gradient method* (JMLR 21, 2020), sections 5 and 9;
  /// Kunstner, Balles and Hennig, *Limitations of the empirical Fisher approximation* (NeurIPS 2019).
  func fisher(_ f: PlacedNode, _ targets: Targets, _ call: CalculusCall) throws -> Meaning {
    let kind = try fisherKind(call["kind"])
    if kind != .sampled, let extra = call["draws"] ?? call["error"] {
      throw Diagnostic(
        .type, "only a sampled Fisher matrix has draws and an error", at: extra.span,
        hint: "kind=\"sampled\"; the exact one needs no draws")
    }
    guard targets.part == nil else { throw Diagnostic(.type, "fisher takes whole params", at: call.span) }
    guard graph.shape(f.node).isEmpty else {
      throw Diagnostic(
        .shape, "fisher needs a scalar function, not one of shape \(graph.shape(f.node).shapeDescription)",
        at: f.span)
    }
    let loss = try likelihood(f, targets, call.span)
    switch kind {
    case .exact: return try gaussNewton(f.node, targets, at: nil, call.span)
    case .empirical: return matrix(empirical(f.node, loss), loss, targets)
    case .sampled: return try sampled(f.node, loss, targets, call)
    }
  }

  /// Σᵢ JᵢᵀrᵢrᵢᵀJᵢ for residuals r of the samples, from the gradients of all samples.
  private func matrix(_ residuals: NodeID, _ loss: LossRecognition.Part, _ targets: Targets) -> Meaning {
    let shapes = targets.leaves.map(graph.shape)
    let gradients = sampleGradients(loss, residuals, targets.leaves)
    let samples = graph.shape(loss.function)
    let blocks = shapes.indices.map { i in
      (0...i).map { j -> NodeID in
        let (p, q, s) = (shapes[i].count, shapes[j].count, samples.count)
        let (rows, columns) = (Array(0..<p), Array(p..<p + q))
        let summed = Array(p + q..<p + q + s)
        return graph.contract(
          1, [Operand(gradients[i], rows + summed), Operand(gradients[j], columns + summed)],
          to: rows + columns)
      }
    }
    return matrix(blocks, targets)
  }

  private func matrix(_ blocks: [[NodeID]], _ targets: Targets) -> Meaning {
    let shapes = targets.leaves.map(graph.shape)
    if targets.isSingle && shapes[0].count <= 1 { return .node(blocks[0][0]) }
    let matrix = graph.assembled(blocks, shapes)
    if targets.isSingle { return .node(matrix) }
    return .blockMatrix(matrix, names: targets.names, sizes: shapes.map(\.elementCount))
  }

  private func fisherKind(_ expr: Expr?) throws -> FisherKind {
    guard let expr else { return .exact }
    let known = FisherKind.allCases.map(\.rawValue)
    if case .string(let text) = try meaning(expr) {
      if let kind = FisherKind(rawValue: text) { return kind }
      throw Diagnostic(
        .name, "there is no kind of Fisher matrix '\(text)'", at: expr.span,
        hint: closestMatch(to: text, in: known).map { "did you mean '\($0)'?" }
          ?? "kinds are \(known.joined(separator: ", "))")
    }
    throw Diagnostic(
      .type, "'kind' is a string", at: expr.span,
      hint: "\"exact\", \"empirical\" or \"sampled\"")
  }

  /// The only term of a loss that is a log-likelihood of labels.
  private func likelihood(_ f: PlacedNode, _ targets: Targets, _ span: Span) throws -> LossRecognition.Part {
    var recognition = LossRecognition(graph)
    let terms = recognition.terms(of: f.node, wrt: targets.leaves) ?? []
    guard terms.count == 1, isSoftplus(terms[0].function) || isLogSum(terms[0].function) else {
      throw Diagnostic(
        .domain, "fisher needs the log-likelihood of a model: one cross-entropy or logistic loss", at: span,
        hint: "ggn takes sums of squares as well; drop penalties, they are no part of the model")
    }
    return terms[0]
  }

  private func isSoftplus(_ node: NodeID) -> Bool {
    if case .map(.softplus) = graph[node].op { return true }
    return false
  }

  private func isLogSum(_ node: NodeID) -> Bool {
    if case .map(.log) = graph[node].op { return true }
    return false
  }

  // MARK: Residuals: √wᵢ times the gradient of ℓᵢ by the model's output

  /// A leaf in the place of the model's output, and the weights of the samples.
  private func opened(_ f: NodeID, _ loss: LossRecognition.Part) -> (output: NodeID, weights: NodeID) {
    let shape = graph.shape(loss.output)
    let y = graph.leaf(interpreter.placeholderLeaf("y", shape, function: -5, depth: depth))
    return (y, graph.grad(f, wrt: [loss.function])[0])
  }

  private func empirical(_ f: NodeID, _ loss: LossRecognition.Part) -> NodeID {
    let (y, weights) = opened(f, loss)
    let slope = graph.grad(graph.substitute([f], [loss.output: y])[0], wrt: [y])[0]
    let inverse = graph.map(.reciprocal, graph.map(.sqrt, weights))
    return graph.substitute([times(slope, inverse)], [y: loss.output])[0]
  }

  /// The mean over draws of the labels: the matrix, or with `error` a record of it and of the standard errors of its
  /// entries, from the spread of the draws.
  private func sampled(_ f: NodeID, _ loss: LossRecognition.Part, _ targets: Targets, _ call: CalculusCall)
    throws
    -> Meaning
  {
    let draws = try call["draws"].map { try staticInteger($0, "'draws'") } ?? 1
    let wantsError = try call["error"].map { try staticTruth($0, "'error'") } ?? false
    let least = wantsError ? 2 : 1
    guard draws >= least else {
      throw Diagnostic(
        .domain, "'draws' is at least \(least)\(wantsError ? " for an error" : ""), not \(draws)",
        at: call["draws"]?.span ?? call.span)
    }
    let shape = graph.shape(loss.function)
    let chance = graph.leaf(interpreter.placeholderLeaf("chance", shape, function: -8, depth: depth))
    let all = try draw(.uniform(0, 1), [draws] + shape, call.span)
    let residual = drawnResidual(f, loss, chance)
    func batch(_ node: NodeID) -> NodeID { graph.batched([node], [chance: all], count: draws)[0] }
    guard wantsError else {
      let residuals = batch(residual)
      return matrix(blocks(loss, spread(residuals, draws, loss), targets), targets)
    }
    let single = graph.batched([residual], [:], count: 1)[0]
    let one = matrix(blocks(loss, spread(single, 1, loss), targets), targets)
    let values = batch(asMatrix(try asNode(one, call.span)))
    let mean = averaged(values, values: draws)
    let squares = averaged(
      graph.map(.power(2), graph.difference(values, repeated(mean, draws))), values: draws - 1)
    let error = graph.map(.sqrt, graph.scaled(1 / Double(draws), squares))
    return .record([("value", like(one, mean)), ("error", like(one, error))])
  }

  /// The sum over the first axis, over a count.
  private func averaged(_ node: NodeID, values count: Int) -> NodeID {
    graph.contract(1 / Double(count), [Operand(node, [2, 0, 1])], to: [0, 1])
  }

  private func repeated(_ matrix: NodeID, _ count: Int) -> NodeID {
    graph.contract(1, [Operand(matrix, [1, 2])], to: [0, 1, 2], sizes: [0: count])
  }

  /// A matrix with the names of another one's blocks.
  private func like(_ meaning: Meaning, _ matrix: NodeID) -> Meaning {
    if case .blockMatrix(_, let names, let sizes) = meaning {
      return .blockMatrix(matrix, names: names, sizes: sizes)
    }
    return .node(matrix)
  }

  /// For each sample the mean over draws (the first axis) of rrᵀ: the samples' axes, then those of the output twice.
  private func spread(_ residuals: NodeID, _ draws: Int, _ loss: LossRecognition.Part) -> NodeID {
    let (rank, samples) = (graph.shape(loss.output).count, graph.shape(loss.function).count)
    let (shared, rows) = (Array(0..<samples), Array(samples..<rank))
    let columns = rows.map { $0 + rank - samples }
    let draw = 2 * rank
    return graph.contract(
      1 / Double(draws),
      [Operand(residuals, [draw] + shared + rows), Operand(residuals, [draw] + shared + columns)],
      to: shared + rows + columns)
  }

  /// Σᵢ JᵢᵀMᵢJᵢ for a matrix Mᵢ by the output of each sample: the Gauss–Newton matrix of a quadratic function of the
  /// output.
  private func blocks(_ loss: LossRecognition.Part, _ curvature: NodeID, _ targets: Targets) -> [[NodeID]] {
    let (rank, samples) = (graph.shape(loss.output).count, graph.shape(loss.function).count)
    let (shared, rows) = (Array(0..<samples), Array(samples..<rank))
    let columns = rows.map { $0 + rank - samples }
    let y = graph.leaf(stand(0, loss))
    let quadratic = graph.contract(
      0.5,
      [
        Operand(y, shared + rows), Operand(graph.stop(curvature), shared + rows + columns),
        Operand(y, shared + columns),
      ], to: [])
    return gaussNewtonBlocks(
      [LossRecognition.Part(loss: quadratic, output: loss.output, function: quadratic)], targets.leaves)
  }

  /// √wᵢ times the gradient of ℓᵢ by the output for labels drawn from the model, by uniform numbers.
  private func drawnResidual(_ f: NodeID, _ loss: LossRecognition.Part, _ chance: NodeID) -> NodeID {
    let (y, weights) = opened(f, loss)
    let function = graph.substitute([loss.function], [loss.output: y])[0]
    let total = graph.summed(function, over: graph.axes(function))
    // The gradient of the log-partition function is the mean of the labels.
    let mean = graph.substitute([graph.grad(total, wrt: [y])[0]], [y: loss.output])[0]
    let labels = isSoftplus(loss.function) ? graph.map(.less, chance, mean) : oneHot(mean, chance)
    return times(graph.difference(mean, labels), graph.map(.sqrt, weights))
  }

  /// The class in which a uniform number falls, for probabilities along the last axis.
  private func oneHot(_ probabilities: NodeID, _ chance: NodeID) -> NodeID {
    let shape = graph.shape(probabilities)
    let (axes, last, classes) = (Array(shape.indices), shape.count - 1, shape[shape.count - 1])
    func matrix(_ entry: (Int, Int) -> Double) -> NodeID {
      graph.constant(
        Tensor((0..<classes).flatMap { i in (0..<classes).map { entry(i, $0) } }, [classes, classes]))
    }
    func along(_ node: NodeID, _ matrix: NodeID) -> NodeID {
      let inner = Array(axes.dropLast()) + [shape.count]
      return graph.contract(1, [Operand(node, inner), Operand(matrix, [shape.count, last])], to: axes)
    }
    let sums = along(probabilities, matrix { $0 <= $1 ? 1 : 0 })
    let passed = graph.map(
      .less, [Operand(chance, Array(axes.dropLast())), Operand(sums, axes)], shape: shape)
    return along(passed, matrix { $0 == $1 ? 1 : $0 + 1 == $1 ? -1 : 0 })
  }

  /// An output's entries, each times its sample's number.
  private func times(_ node: NodeID, _ samples: NodeID) -> NodeID {
    let axes = Array(graph.shape(node).indices)
    return graph.contract(
      1, [Operand(node, axes), Operand(samples, Array(axes.prefix(graph.shape(samples).count)))], to: axes)
  }

  /// For each leaf the gradients Jᵢᵀ·rᵢ of all samples: the leaf's axes, then the samples'.
  private func sampleGradients(_ loss: LossRecognition.Part, _ residuals: NodeID, _ leaves: [NodeID])
    -> [NodeID]
  {
    let shape = graph.shape(loss.function)
    let one = graph.leaf(interpreter.placeholderLeaf("one", shape, function: -6, depth: depth))
    let r = graph.leaf(
      interpreter.placeholderLeaf("r", graph.shape(loss.output), function: -7, depth: depth))
    // Σᵢ oneᵢ·(Jᵢᵀ·rᵢ), whose derivative by oneᵢ is one sample's gradient.
    let pulled = graph.vjp(of: [loss.output], [times(r, one)], wrt: leaves)
    return graph.substitute(graph.jacobians(of: pulled, wrt: one), [r: residuals])
  }
}
