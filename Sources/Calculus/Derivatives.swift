import Graph
import Tensors

extension TensorGraph {
  /// Jacobian-vector products: tangents of `outputs` for tangents of `inputs` (nodes of the inputs' shapes).
  public func jvp(of outputs: [NodeID], wrt inputs: [NodeID], _ directions: [NodeID]) -> [NodeID] {
    var seeds: [NodeID: Tangent] = [:]
    for (input, direction) in zip(inputs, directions) {
      seeds[input] =
        normalized(1, [Operand(direction, Array(shape(input).indices))], to: Array(shape(input).indices))
        .map { [$0] } ?? []
    }
    var forward = ForwardMode(self, seeds: seeds, seedShape: [])
    return zip(outputs, forward.tangents(of: outputs)).map { node(of: $1, shape(of: $0, [])) }
  }

  /// ∂outputs/∂input, each with the output's axes first, then the input's. The seed is a symbolic delta, so the
  /// structure of the derivative survives and nothing is filled in that the result does not need.
  public func jacobians(of outputs: [NodeID], wrt input: NodeID) -> [NodeID] {
    let seedShape = shape(input)
    return zip(outputs, jacobianTerms(of: outputs, wrt: input)).map { node(of: $1, shape(of: $0, seedShape)) }
  }

  /// The same as term lists over (output axes, input axes).
  public func jacobianTerms(of outputs: [NodeID], wrt input: NodeID) -> [Tangent] {
    let shape = self.shape(input)
    var forward = ForwardMode(self, seeds: [input: [identitySeed(shape)]], seedShape: shape)
    return forward.tangents(of: outputs)
  }

  /// δ(axis, seed axis) for each axis of a leaf.
  private func identitySeed(_ shape: Shape) -> Product {
    let deltas = shape.indices.map { Operand(delta(shape[$0]), [$0, shape.count + $0]) }
    return normalized(1, deltas, to: Array(0..<(2 * shape.count))) ?? Product(scale: 1, factors: [])
  }

  private func shape(of output: NodeID, _ seedShape: Shape) -> Shape { shape(output) + seedShape }

  /// Σ of terms as a node.
  func node(of terms: Tangent, _ shape: Shape) -> NodeID {
    let axes = Array(shape.indices)
    var sizes: [Label: Int] = [:]
    for axis in axes { sizes[axis] = shape[axis] }
    let parts = terms.map {
      Summand(1, Operand(contract($0.scale, $0.factors, to: axes, sizes: sizes), axes))
    }
    return add(parts, shape: shape)
  }

  /// Blocks ∂²f/∂pᵢ∂pⱼ, shape pᵢ.shape + pⱼ.shape, for i ≥ j; `blocks[i][j]`. The blocks above the diagonal are
  /// these, mirrored.
  public func hessianBlocks(_ f: NodeID, wrt inputs: [NodeID]) -> [[NodeID]] {
    let gradients = grad(f, wrt: inputs)
    var blocks = inputs.map { _ in [NodeID]() }
    for j in inputs.indices {
      let column = jacobians(of: Array(gradients[j...]), wrt: inputs[j])
      for (offset, block) in column.enumerated() { blocks[j + offset].append(block) }
      if shape(inputs[j]).count == 1 { symmetricNodes.insert(column[0]) }
    }
    return blocks
  }

  /// The Hessian over all inputs as a P×P matrix: params in order, each flattened row-major.
  public func hessianMatrix(_ f: NodeID, wrt inputs: [NodeID]) -> NodeID {
    assembled(hessianBlocks(f, wrt: inputs), inputs.map(shape))
  }

  /// Puts lower-triangle blocks (and their mirror images) into their places of a symmetric matrix.
  public func assembled(_ blocks: [[NodeID]], _ shapes: [Shape]) -> NodeID {
    var offsets = [0]
    for shape in shapes { offsets.append((offsets.last ?? 0) + shape.elementCount) }
    let total = offsets.last ?? 0
    var summands: [Summand] = []
    for i in blocks.indices {
      for j in blocks[i].indices {
        let (p, q) = (shapes[i], shapes[j])
        let rows = p.indices.map { 2 + $0 }
        let columns = q.indices.map { 2 + p.count + $0 }
        let block = Operand(blocks[i][j], rows + columns)
        let r = selector(.flatten(offset: offsets[i], p), [total] + p)
        let c = selector(.flatten(offset: offsets[j], q), [total] + q)
        for (row, column) in i == j ? [(0, 1)] : [(0, 1), (1, 0)] {
          let placed = contract(
            1, [block, Operand(r, [row] + rows), Operand(c, [column] + columns)], to: [0, 1],
            sizes: [0: total, 1: total])
          summands.append(Summand(1, Operand(placed, [0, 1])))
        }
      }
    }
    let matrix = add(summands, shape: [total, total])
    symmetricNodes.insert(matrix)
    return matrix
  }

  /// Several tensors as one vector: each flattened row-major, in order.
  public func concatenated(_ parts: [NodeID]) -> NodeID {
    let total = parts.reduce(0) { $0 + shape($1).elementCount }
    var offset = 0
    let summands = parts.map { part -> Summand in
      let s = shape(part)
      let place = selector(.flatten(offset: offset, s), [total] + s)
      offset += s.elementCount
      let axes = s.indices.map { 1 + $0 }
      return Summand(
        1,
        Operand(
          contract(1, [Operand(part, axes), Operand(place, [0] + axes)], to: [0], sizes: [0: total]), [0]))
    }
    return add(summands, shape: [total])
  }

  /// H·v without H: the jvp of the gradient. `directions` have the inputs' shapes.
  public func hvp(_ f: NodeID, wrt inputs: [NodeID], _ directions: [NodeID]) -> [NodeID] {
    jvp(of: grad(f, wrt: inputs), wrt: inputs, directions)
  }

  /// tr ∇²f: the diagonal's labels are equated before anything is multiplied out.
  public func laplacian(_ f: NodeID, wrt inputs: [NodeID]) -> NodeID {
    var summands: [Summand] = []
    for (input, terms) in zip(inputs, diagonalTerms(f, wrt: inputs)) {
      let rank = shape(input).count
      for term in terms {
        var factors = term.factors
        for axis in 0..<rank where !factors.contains(where: { $0.labels.contains(axis) }) {
          factors.append(Operand(ones(shape(input)[axis]), [axis]))
        }
        summands.append(Summand(1, Operand(contract(term.scale, factors, to: []), [])))
      }
    }
    return add(summands, shape: [])
  }

  /// ∂²f/∂pₖ² for every entry of every input, in the inputs' shapes; the Hessian is not built.
  public func hessianDiagonals(_ f: NodeID, wrt inputs: [NodeID]) -> [NodeID] {
    zip(inputs, diagonalTerms(f, wrt: inputs)).map { node(of: $1, shape($0)) }
  }

  /// The diagonal of each input's block as terms over the input's axes.
  private func diagonalTerms(_ f: NodeID, wrt inputs: [NodeID]) -> [Tangent] {
    zip(inputs, grad(f, wrt: inputs)).map { input, gradient in
      let rank = shape(input).count
      return jacobianTerms(of: [gradient], wrt: input)[0].map { term in
        Product(
          scale: term.scale,
          factors: term.factors.map { Operand($0.node, $0.labels.map { $0 < rank ? $0 : $0 - rank }) })
      }
    }
  }

  /// The product of the generalised Gauss–Newton matrix, as `ggnBlocks` has it, with directions of the inputs' shapes.
  public func ggnProduct(
    _ f: NodeID, at z: NodeID, wrt inputs: [NodeID], _ directions: [NodeID], output: Leaf
  ) -> [NodeID] {
    let y = leaf(output)
    let moved = jvp(of: [z], wrt: inputs, directions)
    let curved = hvp(substitute([f], [z: y])[0], wrt: [y], moved)
    return vjp(of: [z], substitute(curved, [y: z]), wrt: inputs)
  }

  /// The generalised Gauss–Newton matrix Jᵀ·(∂²f/∂z²)·J with J = ∂z/∂inputs, as blocks like `hessianBlocks`. Only
  /// the path through z counts (Schraudolph 2002). Inputs may be inner nodes.
  public func ggnBlocks(_ f: NodeID, at z: NodeID, wrt inputs: [NodeID], placeholder: Leaf, output: Leaf)
    -> [[NodeID]]
  {
    let y = leaf(output)
    let columns = ggnTerms(f, at: z, wrt: inputs, placeholder: leaf(placeholder), output: y)
    var blocks = inputs.map { _ in [NodeID]() }
    for j in inputs.indices {
      for (offset, terms) in columns[j].enumerated() {
        let block = node(of: terms, shape(of: inputs[j + offset], shape(inputs[j])))
        blocks[j + offset].append(substitute([block], [y: z])[0])
      }
    }
    return blocks
  }

  /// The blocks as term lists, by columns from the diagonal down, with `output` in the place of z.
  func ggnTerms(
    _ f: NodeID, at z: NodeID, wrt inputs: [NodeID], placeholder w: NodeID, output y: NodeID
  ) -> [[Tangent]] {
    let pulled = vjp(of: [z], [w], wrt: inputs)
    // A leaf in the place of z: constructors would splice z into sums and products, and lose it.
    let outer = grad(substitute([f], [z: y])[0], wrt: [y])
    return inputs.indices.map { j in
      let seedShape = shape(inputs[j])
      let moved = jacobianTerms(of: [z], wrt: inputs[j])[0]
      var second = ForwardMode(self, seeds: [y: moved], seedShape: seedShape)
      let curved = second.tangents(of: outer)[0]
      var third = ForwardMode(self, seeds: [w: curved], seedShape: seedShape)
      return third.tangents(of: Array(pulled[j...]))
    }
  }
}
