import Syntax
import Tensors

extension Statement {
  /// Made of other statements: each of those stands or falls by itself.
  var isCompound: Bool {
    switch kind {
    case .forLoop, .whileLoop, .repeatLoop, .conditional: return true
    default: return false
    }
  }
}

extension Interpreter {
  /// Runs one simple statement, or one step of a command: when it fails, the session is as it was before it, and
  /// what was done earlier in the same loop or procedure is kept.
  ///
  /// What changes the state before it can still fail says so with `willChange()`.
  func atom<T>(_ body: () throws -> T) throws -> T {
    let outer = rescue
    let (generator, changes) = (state.generator, changeCount)
    rescue = nil
    isSettled = false
    defer { rescue = outer }
    do {
      return try body()
    } catch {
      guard !isSettled, !(error is Quit) else { throw error }
      isSettled = true
      if let before = rescue {
        restore(before)
        changeCount = changes
      }
      state.generator = generator
      throw error
    }
  }

  /// Keeps the present state for the case that the statement being run fails.
  func willChange() {
    if rescue == nil { rescue = state }
  }
}
