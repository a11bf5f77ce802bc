import CKernels

extension LoopFusion {
  /// Small products begin with the array that they are added to, so that neither is read again: biases of a layer, whose
  /// rows are all the same, and what a layer is added to.
  ///
  /// - Parameter isOwn: buffers that only these steps see.
  mutating func addToProducts(isOwn: (Int) -> Bool) {
    var accesses = Accesses(slots)
    for place in slots.indices {
      switch slots[place].step {
      case .loop:
        // One sum after the other: each changes the loop.
        while let joined = joined(place, accesses, isOwn) {
          put(.other(joined.product), at: joined.made)
          for (reader, loop, count) in joined.readers {
            put(loop.isIdle ? .nothing : .loop(loop, count: count), at: reader)
          }
          accesses.noteReads(of: joined.product, at: joined.made)
        }
      case .other(let instruction):
        guard let gemm = instruction as? GemmInstruction, let joined = copied(gemm, place, accesses) else {
          continue
        }
        put(.other(joined.product), at: place)
        put(.nothing, at: joined.made)
        accesses.noteReads(of: joined.product, at: place)
      case .nothing: continue
      }
    }
  }

  /// Products that may skip columns take over the loop that opens and closes these, where nothing else reads what it
  /// makes: the products are not made unless they are all needed.
  mutating func gateProducts(isOwn: (Int) -> Bool) throws {
    let accesses = Accesses(slots)
    for place in slots.indices {
      guard case .other(let instruction) = slots[place].step, let gemm = instruction as? GemmInstruction,
        gemm.skipping != nil, isOwn(gemm.a.buffer),
        let made = accesses.lastWriter(of: gemm.a.buffer, before: place),
        accesses.writers[gemm.a.buffer] == [made], accesses.readers[gemm.a.buffer] == [place],
        case .loop(let loop, _) = slots[made].step,
        !loop.reads.contains(where: { accesses.isWritten($0, from: made, before: place) }),
        let gated = try gemm.gated(by: loop)
      else { continue }
      put(.other(gated), at: place)
      put(.nothing, at: made)
    }
  }

  private mutating func put(_ step: Step, at place: Int) {
    switch step {
    case .other(let instruction):
      slots[place] = Slot(step: step, reads: Set(instruction.reads), writes: Set(instruction.writes))
    case .loop(let loop, _): slots[place] = Slot(step: step, reads: loop.reads, writes: loop.writes)
    case .nothing: slots[place] = Slot(step: step, reads: [], writes: [])
    }
  }

  /// Where buffers are read and written, or were before steps were joined.
  private struct Accesses {
    private(set) var readers: [Int: [Int]] = [:]
    private(set) var writers: [Int: [Int]] = [:]

    init(_ slots: [Slot]) {
      for (place, slot) in slots.enumerated() {
        for buffer in slot.reads { readers[buffer, default: []].append(place) }
        for buffer in slot.writes { writers[buffer, default: []].append(place) }
      }
    }

    func isRead(_ buffer: Int, after first: Int, before last: Int) -> Bool {
      readers[buffer]?.contains { $0 > first && $0 < last } ?? false
    }
    func readers(of buffer: Int, after place: Int) -> [Int] {
      Set(readers[buffer, default: []]).filter { $0 > place }.sorted()
    }
    func isWritten(_ buffer: Int, from first: Int, before last: Int) -> Bool {
      writers[buffer]?.contains { $0 >= first && $0 < last } ?? false
    }
    mutating func noteReads(of product: GemmInstruction, at place: Int) {
      for buffer in product.reads { readers[buffer, default: []].append(place) }
    }
    func lastWriter(of buffer: Int, before place: Int) -> Int? { writers[buffer]?.last { $0 < place } }
  }

  /// A product with what it is added to, and what is left of the loops that read it.
  private struct Joined {
    var made: Int
    var product: GemmInstruction
    var readers: [(place: Int, loop: FusedLoop, count: Int)]
  }

  /// The first sum of a loop that can go into a product, where every loop that reads the product makes that sum.
  private func joined(_ place: Int, _ accesses: Accesses, _ isOwn: (Int) -> Bool) -> Joined? {
    guard case .loop(let loop, _) = slots[place].step else { return nil }
    for sum in loop.sums {
      let buffer = sum.product.buffer
      guard let (made, gemm) = product(sum.product, before: place, accesses),
        !accesses.isRead(buffer, after: made, before: place)
      else { continue }
      // Once the sum has taken the product's place, others read the sum.
      let isReplaced = loop.overwrites(sum.product)
      let others =
        isReplaced
        ? [] : accesses.readers(of: buffer, after: place).filter { slots[$0].reads.contains(buffer) }
      guard isReplaced || isOwn(buffer),
        let joined = gemm.added(to: sum.base, at: sum.product, sizes: loop.sizes)
      else { continue }
      let rests = ([place] + others).compactMap {
        rest(of: $0, adding: sum, gemm, joined, accesses, from: made)
      }
      if rests.count == others.count + 1 { return Joined(made: made, product: joined, readers: rests) }
    }
    return nil
  }

  /// What is left of a loop that reads a product and adds the same array to it.
  private func rest(
    of place: Int, adding sum: FusedLoop.ProductSum, _ gemm: GemmInstruction, _ joined: GemmInstruction,
    _ accesses: Accesses, from made: Int
  ) -> (place: Int, loop: FusedLoop, count: Int)? {
    guard case .loop(var loop, let count) = slots[place].step,
      accesses.lastWriter(of: sum.product.buffer, before: place) == made,
      // What the product begins with must be there when it runs.
      !accesses.isWritten(sum.base.buffer, from: made, before: place),
      let own = loop.sums.first(where: { own in
        own.product.buffer == sum.product.buffer && own.base.buffer == sum.base.buffer
          && gemm.added(to: own.base, at: own.product, sizes: loop.sizes)?.base == joined.base
      })
    else { return nil }
    loop.take(own)
    return (place, loop, count)
  }

  /// The product that a loop reads, and where it is made.
  private func product(
    _ place: FusedLoop.Place, before reader: Int, _ accesses: Accesses
  ) -> (made: Int, gemm: GemmInstruction)? {
    guard let made = accesses.lastWriter(of: place.buffer, before: reader),
      case .other(let instruction) = slots[made].step, let gemm = instruction as? GemmInstruction,
      gemm.beta == 0
    else { return nil }
    return (made, gemm)
  }

  /// A product that is added to a copy of an array, made just for that: added to the array itself.
  private func copied(
    _ gemm: GemmInstruction, _ place: Int, _ accesses: Accesses
  ) -> (made: Int, product: GemmInstruction)? {
    let buffer = gemm.c.buffer
    guard gemm.beta == 1, let made = accesses.lastWriter(of: buffer, before: place),
      case .loop(let loop, _) = slots[made].step, loop.ops.isEmpty, loop.inputs.count == 1,
      loop.outputs.count == 1, loop.outputs[0].mode == HK_STORE,
      loop.outputs[0].register == loop.inputs[0].register,
      !accesses.isRead(buffer, after: made, before: place),
      !accesses.isWritten(loop.inputs[0].place.buffer, from: made, before: place),
      let joined = gemm.added(to: loop.inputs[0].place, at: loop.outputs[0].place, sizes: loop.sizes)
    else { return nil }
    return (made, joined)
  }
}

extension FusedLoop.Place {
  /// By how much this array moves in a nest of these sizes where another one moves by `stride`, `count` times; nil where
  /// that is no even step of the nest.
  func step(where other: FusedLoop.Place, moves stride: Int, times count: Int, sizes: [Int]) -> Int? {
    if count == 1 { return 0 }
    for (extent, (own, otherStride)) in zip(sizes, zip(strides, other.strides)) where extent > 1 {
      guard otherStride > 0 else { return nil }
      let steps = stride / otherStride
      if stride % otherStride == 0, steps * (count - 1) < extent { return own * steps }
    }
    return nil
  }
}

extension FusedLoop {
  /// The product of two arrays, entry by entry, and where it is stored, when the loop does nothing else.
  var soleProduct: (made: Place, factors: [Place])? {
    guard ops.count == 1, ops[0].code == Int32(HK_MUL.rawValue), inputs.count == 2, outputs.count == 1,
      outputs[0].mode == HK_STORE, outputs[0].register == Int(ops[0].dst), !inputs.contains(where: \.isLate),
      Set([Int(ops[0].a), Int(ops[0].b)]) == Set(inputs.map(\.register))
    else { return nil }
    return (outputs[0].place, inputs.map(\.place))
  }

  /// The sum of an array that this alone reads, as it stands, and of another one.
  fileprivate struct ProductSum {
    var product: Place
    var base: Place
    var register: Int32
    var sum: hk_op
  }

  fileprivate var sums: [ProductSum] {
    ops.filter { $0.code == Int32(HK_ADD.rawValue) }.flatMap { sum in
      [(sum.a, sum.b), (sum.b, sum.a)].compactMap { left, right in
        guard let product = soleInput(left), let base = input(right) else { return nil }
        return ProductSum(product: product, base: base, register: left, sum: sum)
      }
    }
  }

  /// The array that stands in a register as it was read.
  fileprivate func input(_ register: Int32) -> Place? {
    inputs.first { $0.register == Int(register) && !$0.isLate }?.place
  }

  /// The same, where one operation alone reads the register and no other input its buffer.
  fileprivate func soleInput(_ register: Int32) -> Place? {
    guard let place = input(register), inputs.count(where: { $0.place.buffer == place.buffer }) == 1,
      !outputs.contains(where: {
        $0.register == Int(register) || $0.place.buffer == place.buffer && $0.mode != HK_STORE
      })
    else { return nil }
    let uses = ops.reduce(0) { total, op in
      total + RegisterAssignment.sources(op).count { $0 == Int(register) }
    }
    return uses == 1 ? place : nil
  }

  /// Whether a result takes the place of an array, entry by entry.
  fileprivate func overwrites(_ place: Place) -> Bool {
    outputs.contains { $0.place == place && $0.mode == HK_STORE }
  }

  /// Whether nothing is left to do: an array is written to where it has been read.
  fileprivate var isIdle: Bool {
    ops.isEmpty
      && outputs.allSatisfy { output in
        output.mode == HK_STORE
          && inputs.contains { $0.place == output.place && $0.register == output.register }
      }
  }

  /// The product's register in place of the sum.
  fileprivate mutating func take(_ found: ProductSum) {
    let (register, sum) = (found.register, found.sum)
    func renamed(_ own: Int32) -> Int32 { own == sum.dst ? register : own }
    ops = ops.filter { $0.code == Int32(HK_EMIT.rawValue) || $0.dst != sum.dst }.map { op in
      let used = LoopInstruction.operandCount(hk_opcode(UInt32(op.code)))
      var op = op
      if used > 0 { op.a = renamed(op.a) }
      if used > 1 { op.b = renamed(op.b) }
      if used > 2 { op.c = renamed(op.c) }
      return op
    }
    for k in outputs.indices where outputs[k].register == Int(sum.dst) { outputs[k].register = Int(register) }
    removeUnused()
  }
}

extension GemmInstruction {
  /// The product of the operands added to an array, both as a loop walks them; nil where the kernels cannot.
  fileprivate func added(
    to array: FusedLoop.Place, at product: FusedLoop.Place, sizes: [Int]
  ) -> GemmInstruction? {
    guard base == nil, isSmall, product.offset == c.offset, array.buffer != c.buffer,
      sizes.elementCount == m * n * batch.elementCount
    else { return nil }
    func step(_ stride: Int, _ size: Int) -> Int? {
      array.step(where: product, moves: stride, times: size, sizes: sizes)
    }
    guard let column = step(1, n), column == 1 || n == 1, let row = step(c.leading, m) else { return nil }
    let steps = zip(c.batchStrides, batch).map { step($0, $1) }
    guard !steps.contains(nil) else { return nil }
    return GemmInstruction(
      a, b, c, m: m, n: n, k: k, batch: batch, alpha: alpha, accumulate: false,
      base: Base(
        buffer: array.buffer, offset: array.offset, rowStride: row, batchStrides: steps.compactMap { $0 }))
  }
}
