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

  private func product(_ gemm: GemmInstruction) -> hk_skipping {
    hk_skipping(
      groups: Int64(groups), members: Int64(members), n: Int64(gemm.n), k: Int64(gemm.k),
      a_group: Int64(groupStep * gemm.a.rowStride), a_member: Int64(memberStep * gemm.a.rowStride),
      a_column: Int64(gemm.a.columnStride), b_row: Int64(gemm.b.rowStride),
      b_column: Int64(gemm.b.columnStride), c_group: Int64(groupStep * gemm.c.leading),
      c_member: Int64(memberStep * gemm.c.leading), alpha: gemm.alpha, adds: gemm.beta == 0 ? 0 : 1)
  }

  /// The product, where skipping pays; false when nothing was done.
  fileprivate func multiply(_ gemm: GemmInstruction, room: Int, _ memory: Memory) -> Bool {
    var product = product(gemm)
    func place<T>(_ x: GemmInstruction.Matrix, _: T.Type) -> UnsafeMutablePointer<T> {
      memory.pointer(x.buffer, T.self) + x.offset
    }
    switch memory.precision {
    case .f64:
      let (a, b, c) = (place(gemm.a, Double.self), place(gemm.b, Double.self), place(gemm.c, Double.self))
      return hk_zero_share_f64(&product, a) >= Self.leastShare
        && hk_skipping_f64(&product, a, b, memory.pointer(room, Double.self), c) != 0
    case .f32:
      let (a, b, c) = (place(gemm.a, Float.self), place(gemm.b, Float.self), place(gemm.c, Float.self))
      return hk_zero_share_f32(&product, a) >= Self.leastShare
        && hk_skipping_f32(&product, a, b, memory.pointer(room, Float.self), c) != 0
    }
  }
}

/// What a product needs to skip zeros.
struct ZeroSkipping {
  /// Tried one after the other.
  let ways: [RowGroups]
  /// The buffer that it works in.
  let room: Int

  /// - Parameter rows: sizes of the axes that the rows are of, outermost first.
  init?(rows: [Int], n: Int, k: Int, _ precision: Precision, newBuffer: (Int) -> Int) {
    let found = RowGroups.ways(rows, n: n, k: k).compactMap { way in
      way.room(n: n, k: k, precision).map { (way: way, room: $0) }
    }
    guard let most = found.map(\.room).max() else { return nil }
    ways = found.map(\.way)
    room = newBuffer(most)
  }

  /// The product without the columns that are zero in groups of rows; false where nothing was done.
  func multiply(_ gemm: GemmInstruction, _ memory: Memory) -> Bool {
    ways.contains { $0.multiply(gemm, room: room, memory) }
  }
}
