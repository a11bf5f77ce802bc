import Tensors

extension SparseMatrix {
  /// x with self·x = b for a vector b, and whether the matrix was found positive definite. The pattern keeps its
  /// solver, so that elimination orders are found once. Not for use by two threads at once.
  ///
  /// Throws `notSquare`, `shapeMismatch`, `singular`, `notFinite`, `tooLarge`, `unavailable`.
  public func solve(_ b: Tensor) throws(LinearAlgebraError) -> (x: Tensor, isPositiveDefinite: Bool) {
    guard b.shape == [pattern.rows] else { throw .shapeMismatch(shape, b.shape) }
    let solver = try self.solver()
    var x = Tensor(uninitialized: b.shape)
    let (right, stored) = (b.converted(to: .f64), values.converted(to: .f64))
    let outcome = x.withMutable(Double.self) { target in
      right.withEntries(Double.self) { source in
        stored.withEntries(Double.self) { entries -> Result<Bool, LinearAlgebraError> in
          guard let from = source.baseAddress, let to = target.baseAddress else { return .success(true) }
          return Result { () throws(LinearAlgebraError) in
            try solver.solve(entries, from, to, count: 1)
          }
        }
      }
    }
    return (x.converted(to: b.precision), try outcome.get())
  }

  /// The signs of the eigenvalues of a symmetric matrix; nil where they are not to be had from its factors.
  public var inertia: Inertia? {
    guard pattern.isSymmetric, let solver = try? self.solver() else { return nil }
    return values.converted(to: .f64).withEntries(Double.self) { solver.inertia($0) }
  }

  private func solver() throws(LinearAlgebraError) -> SparseSolver {
    do {
      return try pattern.analysis { try SparseSolver($0) }
    } catch let error as LinearAlgebraError { throw error } catch { throw .notSquare(shape) }
  }
}
