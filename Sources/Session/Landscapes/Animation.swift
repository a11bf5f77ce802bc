import Engine
import Plotting
import Syntax
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension Commands {
  static var animateCommand: CommandDefinition {
    CommandDefinition(
      verb: "animate", usage: "animate [FORMULA] [along D1, D2] [range A..B [, C..D]]",
      summary:
        "Steps through the path walked, over the contour lines of two params or of a plane; save plot \"x.svg\" then writes a moving picture.",
      options: [
        ("seconds", "for the whole path, 4 unless given"), ("kind", "contour, heat or filled"),
        ("steps", "points along each axis"), ("levels", "about how many contour lines"),
        ("filters", "what random directions are scaled by: columns or rows"),
      ] + figureOptions,
      example: "repeat 3 { step newton }; animate f; save plot \"/tmp/hlab-animation.svg\""
    ) { call in
      let seconds = try call.number("seconds", default: 4)
      guard seconds > 0, seconds <= 600 else {
        throw Diagnostic(
          .domain, "'seconds' is above 0 and at most 600", at: call.command.option("seconds")?.value.span)
      }
      var figure = try call.animatedFigure()
      figure.duration = seconds
      try call.play(figure, seconds)
      try call.show(figure)
      return .nothing
    }
  }
}

extension CommandCall {
  /// The landscape with the path; over a plane unless the formula has two numbers and no directions are given.
  fileprivate func animatedFigure() throws -> Figure {
    let landscape = try formulaLandscape()
    let walk = walked(landscape)
    guard walk.count > 1 else {
      throw Diagnostic(
        .domain, "nothing has been walked yet", at: command.span, hint: "walk first: step, minimize or train")
    }
    if landscape.count == 2, command.clause("along") == nil {
      return try map(
        landscape, paths: [NamedPath(points: walk)], ranges: try ranges(axes: 2), count: try stepCount(81))
    }
    return try figure(LandscapeCommand(self).surfaceCut())
  }

  /// Shows the path point by point where the screen can be drawn again.
  fileprivate func play(_ figure: Figure, _ seconds: Double) throws {
    guard interpreter.options.isInteractive, !isAssigned else { return }
    let text = try textOptions(columns: columns())
    let longest = figure.marks.reduce(0) { longest, mark in
      if case .path(let series) = mark { return max(longest, series.xs.count) }
      return longest
    }
    let frames = min(longest, Int(seconds * Self.framesPerSecond))
    guard frames > 1 else { return }
    let (start, pause) = (Machine.now, seconds / Double(frames))
    var frame = 1
    while frame <= frames {
      let shown = max(1, (longest * frame + frames - 1) / frames)
      interpreter.output(.progress(interpreter.rendered(figure.path(upTo: shown), text)))
      repeat {
        try Interruption.check()
        usleep(5000)
      } while Machine.now - start < pause * Double(frame)
      // Where drawing takes longer than a frame lasts, some are left out.
      frame = max(frame + 1, Int((Machine.now - start) / pause))
    }
  }

  private static var framesPerSecond: Double { 15 }
}

extension Figure {
  /// The figure with the first points of its paths.
  fileprivate func path(upTo count: Int) -> Figure {
    var result = self
    result.marks = marks.map { mark in
      guard case .path(let series) = mark else { return mark }
      return .path(
        Series(Array(series.xs.prefix(count)), Array(series.ys.prefix(count)), name: series.name))
    }
    return result
  }
}
