import CKernels
import Testing

/// Products that skip columns that are zero in all rows of a group, against the definition.
@Suite struct SkippingTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var groups, members, k, n: Int
    /// Rows of a group follow each other, or every row of the first member comes before those of the second.
    var isInner = true
    var isColumnMajor = false
    var isTransposed = false
    var alpha = 1.0
    var adds = false
    var testDescription: String {
      "\(groups)·\(members)×\(k)·\(k)×\(n) \(isInner) \(isColumnMajor) \(isTransposed) \(alpha) \(adds)"
    }

    var rows: Int { groups * members }
    func row(_ group: Int, _ member: Int) -> Int {
      isInner ? group * members + member : member * groups + group
    }
    func left(_ row: Int, _ column: Int) -> Int { isColumnMajor ? column * rows + row : row * k + column }
    func right(_ row: Int, _ column: Int) -> Int { isTransposed ? column * k + row : row * n + column }

    var description: hk_skipping {
      let (group, member) = isInner ? (members, 1) : (1, groups)
      let step = isColumnMajor ? 1 : k
      return hk_skipping(
        groups: Int64(groups), members: Int64(members), n: Int64(n), k: Int64(k),
        a_group: Int64(group * step),
        a_member: Int64(member * step), a_column: Int64(isColumnMajor ? rows : 1),
        gate_group: Int64(isInner ? k : 1), gate_column: Int64(isInner ? 1 : groups),
        b_row: Int64(isTransposed ? 1 : n), b_column: Int64(isTransposed ? k : 1), c_group: Int64(group * n),
        c_member: Int64(member * n), alpha: alpha, adds: adds ? 1 : 0)
    }

    /// Every other column of a group is zero, roughly.
    var leftValues: [Double] {
      var a = [Double](repeating: 0, count: rows * k)
      for g in 0..<groups {
        for column in 0..<k where (g * 7 + column * column * 3) % 5 < 2 {
          for m in 0..<members { a[left(row(g, m), column)] = Double((g + 3 * m + 5 * column) % 11) - 5 }
        }
      }
      return a
    }
    var rightValues: [Double] { (0..<(k * n)).map { Double(($0 * 13) % 17) - 8 } }

    /// Whole numbers: exact in both precisions, in any order.
    func product(_ a: [Double], _ b: [Double], onto c: [Double]) -> [Double] {
      var result = adds ? c : [Double](repeating: 0, count: rows * n)
      for i in 0..<rows {
        for p in 0..<k where a[left(i, p)] != 0 {
          let factor = alpha * a[left(i, p)]
          for j in 0..<n { result[i * n + j] += factor * b[right(p, j)] }
        }
      }
      return result
    }
  }

  static let cases: [Case] =
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 17, 20, 24].map { Case(groups: 3, members: $0, k: 40, n: 37) }
    + [(1, 1), (2, 16), (300, 32), (513, 70), (5, 400)].flatMap { k, n in
      [
        Case(groups: 5, members: 10, k: k, n: n, isInner: false),
        Case(groups: 5, members: 10, k: k, n: n, isColumnMajor: true, isTransposed: true),
        Case(groups: 4, members: 5, k: k, n: n, isInner: false, isColumnMajor: true, alpha: -2, adds: true),
        Case(groups: 4, members: 4, k: k, n: n, isTransposed: true, alpha: 0.5, adds: true),
      ]
    }

  /// A workspace with entries behind it that nobody may write.
  private func guarded<T: BinaryFloatingPoint>(_ count: Int, _ filler: T) -> [T] {
    [T](repeating: filler, count: count) + [T](repeating: 12_345, count: Self.guardCount)
  }

  private func isUntouched<T: BinaryFloatingPoint>(_ room: [T]) -> Bool {
    room.suffix(Self.guardCount).allSatisfy { $0 == 12_345 }
  }

  private static let guardCount = 64

  @Test(arguments: cases) func products(_ x: Case) {
    let (a, b) = (x.leftValues, x.rightValues)
    var p = x.description
    var c = [Double](repeating: 3, count: x.rows * x.n)
    let expected = x.product(a, b, onto: c)
    var room = guarded(Int(hk_skipping_room_f64(&p)), Double.nan)
    #expect(hk_skipping_f64(&p, a, nil, b, &room, &c) == 1)
    #expect(c == expected && isUntouched(room))
    var single = [Float](repeating: 3, count: x.rows * x.n)
    var smallRoom = guarded(Int(hk_skipping_room_f32(&p)), Float.nan)
    #expect(hk_skipping_f32(&p, a.map(Float.init), nil, b.map(Float.init), &smallRoom, &single) == 1)
    #expect(single.map(Double.init) == expected && isUntouched(smallRoom))
  }

  /// Entries are multiplied by the gates of their group and column; what is closed may be anything but infinite or NaN.
  @Test(arguments: cases) func gates(_ x: Case) {
    var p = x.description
    func place(_ g: Int, _ column: Int) -> Int { x.isInner ? g * x.k + column : column * x.groups + g }
    var gates = [Double](repeating: 0, count: x.groups * x.k)
    var (a, open) = ([Double](repeating: 0, count: x.rows * x.k), [Double](repeating: 0, count: x.rows * x.k))
    for g in 0..<x.groups {
      for column in 0..<x.k {
        let gate = Double((g * 5 + column * column) % 4 - 1)
        gates[place(g, column)] = gate
        for m in 0..<x.members {
          let entry = x.left(x.row(g, m), column)
          a[entry] = Double((g + 3 * m + 5 * column) % 11) - 5
          open[entry] = a[entry] * gate
        }
      }
    }
    let b = x.rightValues
    var c = [Double](repeating: 3, count: x.rows * x.n)
    let expected = x.product(open, b, onto: c)
    var room = guarded(Int(hk_skipping_room_f64(&p)), Double.nan)
    #expect(hk_skipping_f64(&p, a, gates, b, &room, &c) == 1)
    #expect(c == expected && isUntouched(room))
    var single = [Float](repeating: 3, count: x.rows * x.n)
    var smallRoom = guarded(Int(hk_skipping_room_f32(&p)), Float.nan)
    #expect(
      hk_skipping_f32(
        &p, a.map(Float.init), gates.map(Float.init), b.map(Float.init), &smallRoom, &single) == 1)
    #expect(single.map(Double.init) == expected && isUntouched(smallRoom))
    #expect(hk_zero_share_f64(&p, a, gates) == hk_zero_share_f64(&p, open, nil))
    let closed = [Double](repeating: 0, count: gates.count)
    #expect(hk_zero_share_f64(&p, a, closed) == 1)
    a[x.left(x.row(0, 0), 0)] = .infinity
    #expect(hk_zero_share_f64(&p, a, closed) < 1)
  }

  @Test func shareOfZeros() {
    let x = Case(groups: 40, members: 10, k: 100, n: 8)
    var p = x.description
    // Of the groups 0, 10, 20 and 30, all of which have the same columns.
    let open = (0..<x.k).count { $0 * $0 * 3 % 5 < 2 }
    #expect(hk_zero_share_f64(&p, x.leftValues, nil) == 1 - Double(open) / Double(x.k))
    #expect(hk_zero_share_f64(&p, [Double](repeating: 0, count: x.rows * x.k), nil) == 1)
    #expect(hk_zero_share_f64(&p, [Double](repeating: .nan, count: x.rows * x.k), nil) == 0)
    // One row that is not zero is enough.
    var a = [Double](repeating: 0, count: x.rows * x.k)
    for g in 0..<x.groups { for column in 0..<x.k { a[x.left(x.row(g, 9), column)] = 1e-300 } }
    #expect(hk_zero_share_f64(&p, a, nil) == 0)
  }

  /// Zero times what is not finite is no zero: nothing is done. NaN and infinities on the left are entries like others.
  @Test func valuesThatAreNotFinite() {
    let x = Case(groups: 6, members: 10, k: 50, n: 45)
    var p = x.description
    var room = [Double](repeating: 0, count: Int(hk_skipping_room_f64(&p)))
    for special in [Double.nan, .infinity, -.infinity] {
      for place in [0, 44, 45, 1000, 50 * 45 - 1] {
        var b = x.rightValues
        b[place] = special
        var c = [Double](repeating: 7, count: x.rows * x.n)
        #expect(hk_skipping_f64(&p, x.leftValues, nil, b, &room, &c) == 0)
        #expect(c.allSatisfy { $0 == 7 })
      }
      var a = x.leftValues
      a[x.left(23, 31)] = special
      var c = [Double](repeating: 7, count: x.rows * x.n)
      let b = x.rightValues.map { $0 == 0 ? 1 : $0 }
      #expect(hk_skipping_f64(&p, a, nil, b, &room, &c) == 1)
      for row in 0..<x.rows {
        #expect(c[(row * x.n)..<((row + 1) * x.n)].allSatisfy { $0.isFinite == (row != 23) })
      }
    }
  }

  /// Sums of many f32 numbers of one sign are blocked: their error does not grow with their number as that of one chain
  /// does, 7e-6 here.
  @Test func longSums() {
    let (groups, members, n, k) = (2, 5, 8, 40_000)
    var p = hk_skipping(
      groups: Int64(groups), members: Int64(members), n: Int64(n), k: Int64(k), a_group: Int64(members * k),
      a_member: Int64(k), a_column: 1, gate_group: 0, gate_column: 0, b_row: Int64(n), b_column: 1,
      c_group: Int64(members * n),
      c_member: Int64(n), alpha: 1, adds: 0)
    func uniform(_ i: Int) -> Float { Float((i * 7919 + 13) % 10007) / 10007 }
    let a = (0..<(groups * members * k)).map { $0 % k % 3 == 0 ? 0 : uniform($0) }
    let b = (0..<(k * n)).map { uniform(3 * $0 + 1) }
    var room = [Float](repeating: 0, count: Int(hk_skipping_room_f32(&p)))
    var c = [Float](repeating: 0, count: groups * members * n)
    #expect(hk_skipping_f32(&p, a, nil, b, &room, &c) == 1)
    for row in 0..<(groups * members) {
      for column in 0..<n {
        var exact = 0.0
        for i in 0..<k { exact += Double(a[row * k + i]) * Double(b[i * n + column]) }
        #expect((Double(c[row * n + column]) - exact).magnitude < 1e-6 * exact)
      }
    }
  }

  @Test func sizes() {
    var p = Case(groups: 3, members: 4, k: 10, n: 10).description
    #expect(hk_can_skip(&p) == 1)
    for change in [\hk_skipping.groups, \.members, \.n, \.k] {
      var q = p
      q[keyPath: change] = 0
      #expect(hk_can_skip(&q) == 0 && hk_skipping_f64(&q, [0], nil, [0], nil, nil) == 0)
    }
    p.members = 25
    #expect(hk_can_skip(&p) == 0)
  }
}
