import Plotting
import Syntax

/// A plot that is drawn again while the params move: in place on a terminal, and once more when the statement that moved
/// them has ended.
struct LivePlot {
  let command: Command
  var isDrawing = false
  /// Where the params were when it became part of the output last.
  fileprivate var place: ParamPlace
  fileprivate var drawn = 0.0
  /// Seconds that a drawing takes.
  fileprivate var cost = 0.0
  /// As it stands on the screen while a statement runs, and the line below that says how far the statement is.
  fileprivate var picture: String?
  fileprivate var line = ""

  init(_ command: Command, _ place: ParamPlace) { (self.command, self.place) = (command, place) }
}

/// Where the params are, and after how many moves.
struct ParamPlace {
  private let moves: Int
  private let params: [String: Binding]

  fileprivate init(_ state: State) {
    moves = state.path.count
    params = state.globals.filter { _, binding in
      if case .param = binding { return true }
      return false
    }
  }

  /// Whether params have moved on the way to another place, be it back to where they were. Those that only one of the
  /// places knows have not.
  fileprivate func isLeft(for other: ParamPlace) -> Bool {
    other.moves > moves
      || params.contains { name, binding in other.params[name].map { !binding.isWhere($0) } ?? false }
  }
}

extension CommandCall {
  /// After `plot … live` the plot follows the params; any other plot ends that.
  func keepLive() {
    guard interpreter.live?.isDrawing != true else { return }
    interpreter.live =
      command.clause("live") != nil && !isAssigned ? LivePlot(command, ParamPlace(interpreter.state)) : nil
  }
}

extension Interpreter {
  /// Seconds between drawings, and how much of the time they may take.
  private static var liveInterval: Double { 0.1 }
  private static var liveShare: Double { 0.25 }

  /// The params have moved.
  func redrawLive() {
    guard let plot = live, !plot.isDrawing, options.isInteractive, !movesAreQuiet,
      Machine.now - plot.drawn > max(Self.liveInterval, plot.cost / Self.liveShare)
    else { return }
    let start = Machine.now
    live?.isDrawing = true
    drawLive(plot.command)
    live?.isDrawing = false
    live?.cost = Machine.now - start
    live?.drawn = Machine.now
  }

  /// How far a statement is: a line, below a live plot.
  func showProgress(_ line: String) {
    guard let picture = live?.picture else { return output(.progress(line)) }
    // A line that wraps would move the picture.
    let line = String(line.prefix(options.width - 1))
    live?.line = line
    output(.progress("\(picture)\n\(line)"))
  }

  /// The live plot as it is now.
  func showLive(_ picture: String) {
    live?.picture = picture
    output(.progress("\(picture)\n\(live?.line ?? "")"))
  }

  /// A statement has ended: where the params are elsewhere than before, the plot becomes part of the output.
  func finishLive() {
    guard let plot = live, !movesAreQuiet else { return }
    let here = ParamPlace(state)
    live?.picture = nil
    live?.line = ""
    live?.place = here
    if plot.place.isLeft(for: here) { drawLive(plot.command) }
  }

  /// A plot that fails is no longer live; what it draws at random does not count.
  private func drawLive(_ command: Command) {
    guard let definition = Commands.table["plot"] else { return }
    let generator = state.generator
    defer { state.generator = generator }
    do {
      let call = CommandCall(
        interpreter: self, command: command, definition: definition, isAssigned: false)
      _ = try call.plotCommand()
    } catch let diagnostic as Diagnostic {
      live = nil
      output(.diagnostic("warning: the live plot ends: \(diagnostic.message)"))
    } catch {
      // An interrupt is met by what moves the params, too; a history may have yet to begin.
    }
  }
}
