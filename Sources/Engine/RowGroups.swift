import CKernels
import Tensors

/// The rows of a product's left side in groups that may share zeros: the outputs of a network, for each sample. Columns
/// that are zero in all rows of a group are skipped (`hk_skipping`), where enough of them are.
///
/// Zeros are looked for in the values, a few of them each time: behind rectifiers about half of all columns are zero, and
/// nothing in the formula promises it.
struct RowGroups {
  var groups: Int
  var members: Int
  /// In rows.
  var groupStep: Int
  var memberStep: Int
  /// What the rows are products of, where they are not made yet.
  var gated: GatedRows?

  /// Multiplications from which looking costs next to nothing; the smallest sides.
  private static let (leastWork, leastSide, leastGroups) = (1 << 25, 64, 8)
  /// Few rows of a group read what BLAS would have kept in registers.
  private static let members = 4...Int(HK_SKIPPING_MEMBERS)
  /// Zero columns from which skipping them pays: BLAS's kernels are a little faster.
  private static let leastShare = 0.25

  /// The ways to take rows, which are of axes of these sizes, outermost first.
  static func ways(_ sizes: [Int], n: Int, k: Int) -> [RowGroups] {
    let rows = sizes.elementCount
    guard sizes.count > 1, n >= leastSide, k >= leastSide, rows * n * k >= leastWork else { return [] }
    var found: [RowGroups] = []
    func add(_ size: Int, _ make: (Int) -> RowGroups) {
      if members.contains(size), rows / size >= leastGroups { found.append(make(rows / size)) }
    }
    add(sizes[sizes.count - 1]) {
      RowGroups(groups: $0, members: rows / $0, groupStep: rows / $0, memberStep: 1)
    }
    add(sizes[0]) { RowGroups(groups: $0, members: rows / $0, groupStep: 1, memberStep: $0) }
    return found
  }

  /// Entries of the workspace for a product of this size; nil where that is too large to skip columns.
  func room(n: Int, k: Int, _ precision: Precision) -> Int? {
    var sizes = hk_skipping()
    (sizes.groups, sizes.members) = (Int64(groups), Int64(members))
    (sizes.n, sizes.k) = (Int64(n), Int64(k))
    guard hk_can_skip(&sizes) != 0 else { return nil }
    return Int(precision == .f64 ? hk_skipping_room_f64(&sizes) : hk_skipping_room_f32(&sizes))
  }

  /// The rows as the product reads them.
  private func rows(_ gemm: GemmInstruction) -> GatedRows.Source {
    GatedRows.Source(
      buffer: gemm.a.buffer, offset: gemm.a.offset, group: groupStep * gemm.a.rowStride,
      member: memberStep * gemm.a.rowStride, column: gemm.a.columnStride)
  }

  private func product(_ gemm: GemmInstruction) -> hk_skipping {
    let a = gated?.values ?? rows(gemm)
    return hk_skipping(
      groups: Int64(groups), members: Int64(members), n: Int64(gemm.n), k: Int64(gemm.k),
      a_group: Int64(a.group), a_member: Int64(a.member), a_column: Int64(a.column),
      gate_group: Int64(gated?.gates.group ?? 0), gate_column: Int64(gated?.gates.column ?? 0),
      b_row: Int64(gemm.b.rowStride), b_column: Int64(gemm.b.columnStride),
      c_group: Int64(groupStep * gemm.c.leading), c_member: Int64(memberStep * gemm.c.leading),
      alpha: gemm.alpha, adds: gemm.beta == 0 ? 0 : 1)
  }

  /// The rows as products that a loop would make of values and of gates that the rows of a group share; nil where it
  /// does anything else.
  fileprivate func gated(_ gemm: GemmInstruction, by loop: FusedLoop) -> RowGroups? {
    guard let (made, factors) = loop.soleProduct, made.buffer == gemm.a.buffer, made.offset == gemm.a.offset,
      loop.sizes.elementCount == gemm.m * gemm.k
    else { return nil }
    let own = rows(gemm)
    let sources = factors.compactMap { factor -> GatedRows.Source? in
      let steps = [(own.group, groups), (own.member, members), (own.column, gemm.k)].compactMap {
        factor.step(where: made, moves: $0, times: $1, sizes: loop.sizes)
      }
      guard steps.count == 3 else { return nil }
      return GatedRows.Source(
        buffer: factor.buffer, offset: factor.offset, group: steps[0], member: steps[1], column: steps[2])
    }
    guard sources.count == 2, let gate = sources.firstIndex(where: { $0.member == 0 }) else { return nil }
    var result = self
    result.gated = GatedRows(values: sources[1 - gate], gates: sources[gate])
    return result
  }

  /// The product, where skipping pays; false when nothing was done.
  fileprivate func multiply(_ gemm: GemmInstruction, room: Int, _ memory: Memory) -> Bool {
    switch memory.precision {
    case .f64: return multiply(gemm, room, memory, hk_zero_share_f64, hk_skipping_f64)
    case .f32: return multiply(gemm, room, memory, hk_zero_share_f32, hk_skipping_f32)
    }
  }

  private func multiply<T>(
    _ gemm: GemmInstruction, _ room: Int, _ memory: Memory,
    _ share: (UnsafePointer<hk_skipping>, UnsafePointer<T>, UnsafePointer<T>?) -> Double,
    _ skipping: (
      UnsafePointer<hk_skipping>, UnsafePointer<T>, UnsafePointer<T>?, UnsafePointer<T>,
      UnsafeMutablePointer<T>, UnsafeMutablePointer<T>
    ) -> Int32
  ) -> Bool {
    var product = product(gemm)
    let a = gated?.values ?? rows(gemm)
    let left = memory.pointer(a.buffer, T.self) + a.offset
    let gates = gated.map { UnsafePointer(memory.pointer($0.gates.buffer, T.self) + $0.gates.offset) }
    guard share(&product, left, gates) >= Self.leastShare else { return false }
    return skipping(
      &product, left, gates, memory.pointer(gemm.b.buffer, T.self) + gemm.b.offset,
      memory.pointer(room, T.self), memory.pointer(gemm.c.buffer, T.self) + gemm.c.offset) != 0
  }
}

/// Rows of a product's left side that are not made yet: values times gates that all rows of a group share, those that a
/// sample leaves open.
struct GatedRows: Equatable {
  /// A place in a buffer, and the entries between neighbouring groups, rows of a group, and columns.
  struct Source: Equatable {
    var buffer, offset, group, member, column: Int
  }

  var values: Source
  var gates: Source
}

/// What a product needs to skip zeros.
struct ZeroSkipping {
  /// Tried one after the other.
  private(set) var ways: [RowGroups]
  /// The buffer that it works in.
  let room: Int
  /// Makes the left side for a product that skips nothing, where it is not made before. Its memory is there all the
  /// same.
  private(set) var prepare: LoopInstruction?

  /// - Parameter rows: sizes of the axes that the rows are of, outermost first.
  init?(rows: [Int], n: Int, k: Int, _ precision: Precision, newBuffer: (Int) -> Int) {
    let found = RowGroups.ways(rows, n: n, k: k).compactMap { way in
      way.room(n: n, k: k, precision).map { (way: way, room: $0) }
    }
    guard let most = found.map(\.room).max() else { return nil }
    ways = found.map(\.way)
    room = newBuffer(most)
  }

  /// The same for rows that a loop would make; nil where it makes anything but gated rows.
  func gated(_ gemm: GemmInstruction, by loop: FusedLoop) throws -> ZeroSkipping? {
    let found = ways.compactMap { $0.gated(gemm, by: loop) }
    guard !found.isEmpty else { return nil }
    var result = self
    result.ways = found
    result.prepare = try loop.instruction()
    return result
  }

  /// The product without the columns that are zero in groups of rows; false where nothing was done.
  func multiply(_ gemm: GemmInstruction, _ memory: Memory) -> Bool {
    ways.contains { $0.multiply(gemm, room: room, memory) }
  }
}
