import CKernels
import Testing

/// Reading and adding through tables of indices against plain loops.
@Suite struct IndexedTests {
  private let rows = 40
  private let extent = 7
  private var table: [Double] { (0..<rows).map { Double(($0 * 5) % 14 - 7) } }
  private var matrix: [Double] { (0..<(rows * extent)).map { Double($0) / 3 } }
  private var description: hk_indexed {
    hk_indexed(
      count: Int64(rows), dense: 2, indexed: Int64(extent), table: 1, stride: 1, extent: Int64(extent),
      rows: 1,
      dense_row: 0, indexed_row: 0)
  }

  private func place(_ row: Int) -> Int { row * extent + (Int(table[row]) + extent) % extent }

  @Test func gather() {
    var p = description
    var dense = [Double](repeating: -1, count: 2 * rows)
    #expect(hk_gather_f64(&p, matrix, table, &dense) == Int64(rows))
    var single = [Float](repeating: -1, count: 2 * rows)
    #expect(hk_gather_f32(&p, matrix.map(Float.init), table.map(Float.init), &single) == Int64(rows))
    for row in 0..<rows {
      #expect(dense[2 * row] == matrix[place(row)] && dense[2 * row + 1] == -1)
      #expect(single[2 * row] == Float(matrix[place(row)]) && single[2 * row + 1] == -1)
    }
  }

  /// Entries that meet in one place are added up in their order.
  @Test func scatter() {
    var p = description
    p.indexed = 0
    let dense = (0..<(2 * rows)).map { 1 / Double($0 + 1) }
    var (sums, expected) = ([Double](repeating: 0, count: extent), [Double](repeating: 0, count: extent))
    #expect(hk_scatter_add_f64(&p, &sums, table, dense) == Int64(rows))
    for row in 0..<rows { expected[place(row) % extent] += dense[2 * row] }
    #expect(sums == expected)
    var single = [Float](repeating: 0, count: extent)
    #expect(hk_scatter_add_f32(&p, &single, table.map(Float.init), dense.map(Float.init)) == Int64(rows))
    #expect(zip(single, sums).allSatisfy { (Double($0) - $1).magnitude < 1e-5 })
  }

  /// Rows that share a table longer than what is looked up at once.
  @Test func rowsOfOneTable() {
    let (count, rows) = (700, 3)
    let table = (0..<count).map { Double(($0 * $0) % 14 - 7) }
    let matrix = (0..<(rows * extent * count)).map { Double(($0 * 37) % 1009) }
    func place(_ row: Int, _ i: Int) -> Int { (row * count + i) * extent + (Int(table[i]) + extent) % extent }
    var p = hk_indexed(
      count: Int64(count), dense: 1, indexed: Int64(extent), table: 1, stride: 1, extent: Int64(extent),
      rows: Int64(rows), dense_row: Int64(count), indexed_row: Int64(count * extent))
    var dense = [Double](repeating: 0, count: rows * count)
    #expect(hk_gather_f64(&p, matrix, table, &dense) == Int64(count))
    let places = (0..<rows).flatMap { row in (0..<count).map { place(row, $0) } }
    #expect(dense == places.map { matrix[$0] })
    // Every place is met once: adding back doubles what was read.
    var sums = matrix
    #expect(hk_scatter_add_f64(&p, &sums, table, dense) == Int64(count))
    var expected = matrix
    for k in places { expected[k] *= 2 }
    #expect(sums == expected)
    var wrong = table
    wrong[650] = 7
    #expect(hk_gather_f64(&p, matrix, wrong, &dense) == 650)
  }

  @Test(arguments: [7, -8, 0.5, -0.5, -7.5, 6.5, 1e300, -1e300, .infinity, -.infinity, .nan])
  func noPlace(value: Double) {
    var p = description
    var (wrong, dense) = (table, [Double](repeating: 0, count: 2 * rows))
    wrong[23] = value
    #expect(hk_gather_f64(&p, matrix, wrong, &dense) == 23)
    var single = [Float](repeating: 0, count: 2 * rows)
    #expect(hk_gather_f32(&p, matrix.map(Float.init), wrong.map(Float.init), &single) == 23)
    var sums = matrix
    #expect(hk_scatter_add_f64(&p, &sums, wrong, dense) == 23)
  }
}
