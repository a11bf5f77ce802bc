import Optimization
import Plotting
import Syntax
import Tensors

/// Everything that a statement can change. A value: a copy taken before a statement restores the session when
/// the statement fails, and is what `undo` goes back to.
struct State {
  var globals: [String: Binding] = [:]
  /// Local names of the procedures being run, innermost last.
  var frames: [Frame] = []
  var objective: String?
  /// The user chose the objective; new definitions do not replace it.
  var objectiveIsChosen = false
  var generator = CounterGenerator(seed: 0)
  var settings = Settings()
  /// Values of the objective and params, one entry a move.
  var path = Path()
  var stepsTaken = 0
  /// What methods remember between steps, by place in the text and options.
  var methods: [MethodKey: any Method] = [:]
  /// What a checkpoint holds of methods that have not been asked for since it was loaded.
  var keptMemories: [KeptMemory] = []
  /// What the epochs of training were like, since the last reset.
  var training: TrainingHistory?
  var watched: [Expr] = []
  var answer: Value?
  var declarations = 0
  /// What `plot` drew last.
  var figure: Figure?
}

struct Frame {
  /// Identity of the procedure, so that its locals are the same slots in every call.
  let tag: Int
  /// The procedure that this one was declared in; its names are in reach.
  var parent: Int?
  var locals: [String: Binding]
}

struct Settings: Equatable {
  var precision = Precision.f64
  var digits = 6
  var isASCII = false
  /// Bytes that one computation may take; nil: three quarters of the machine's memory.
  var memoryLimit: Int?
}

/// What a name stands for.
enum Binding {
  /// `name = e`
  case variable(Variable)
  case param(LeafBinding)
  case data(LeafBinding)
  /// `name ~ e`
  case random(RandomBinding)
  /// `name := e`; the number of an entry in the table of definitions.
  case definition(Int)
  case function(FunctionBinding)
}

struct Variable {
  let id: Int
  var value: Value
  /// A loop's variable: definitions capture its value.
  var isLoopVariable = false
}

struct LeafBinding {
  let id: Int
  var value: Tensor
  /// The expression that it was declared with, for `reset`.
  let declaration: Expr
  let initial: Tensor
  /// Place in the order of declaration.
  let order: Int
  var bounds: LeafBounds?
}

/// What a param's entries stay within: tensors of its shape, and the text of the declaration.
struct LeafBounds {
  let lower: [Double]
  let upper: [Double]
  let text: String

  /// The place of the first entry that is not within them.
  func firstOutside(_ tensor: Tensor) -> Int? {
    let values = tensor.doubles
    return values.indices.first { values[$0] < lower[$0] || values[$0] > upper[$0] }
  }
}

struct RandomBinding {
  let id: Int
  var value: Value
  let source: Expr
  /// Which of several names drawn together this is.
  let place: Int?
  /// Where its batches come from, when it is drawn in batches.
  var feed: BatchFeed?
}

final class FunctionBinding: Sendable {
  let id: Int
  let declaration: FunctionDeclaration
  /// The procedure that it was declared in; nil for a global one.
  let frameTag: Int?
  init(id: Int, declaration: FunctionDeclaration, frameTag: Int?) {
    self.id = id
    self.declaration = declaration
    self.frameTag = frameTag
  }
}
