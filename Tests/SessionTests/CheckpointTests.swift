import Foundation
import Testing

@testable import Session

/// `save checkpoint`, `load checkpoint`, and what is written while a run goes on.
@Suite final class CheckpointTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: folder) }

  /// Ten samples of a line in batches of four, and noise.
  private static let setting = """
    data X = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]/9
    data y = 2*X - 1
    param w = 0.5
    param b = [0.25, 0]
    (xb, yb) ~ batch(X, y, 4)
    v ~ rademacher(2)
    f := mean((w*xb + sum(b) - yb)^2) + 0.01*(v[0]*w + v[1]*b[1])^2

    """
  private static let report = "\nz = cat([w], b, v, rand(2))\nh = history.loss"

  /// What moves, before and after the checkpoint.
  @Test(arguments: [
    ("train adam lr=0.1 epochs=2", "train adam lr=0.1 epochs=2"),
    (
      "train momentum lr=0.05 epochs=1\nstep momentum lr=0.01",
      "step momentum lr=0.01\ntrain momentum lr=0.05 epochs=2"
    ),
    ("repeat 3 { step nesterov lr=0.02 }\ntrain sgd epochs=1", "step nesterov lr=0.02\ntrain sgd epochs=1"),
    ("train bfgs epochs=2\nstep trust", "step trust\ntrain bfgs epochs=1"),
  ]) func whatIsGoneOnFromIsTheUninterruptedRun(_ before: String, _ after: String) {
    let (whole, half, rest) = (Desk(), Desk(), Desk())
    let file = path("c.npz")
    whole.run("seed 5\n" + Self.setting + before + "\n" + after + Self.report)
    half.run("seed 5\n" + Self.setting + before + "\nsave checkpoint \"\(file)\"")
    rest.run("seed 77\n" + Self.setting + "w = 9\nload checkpoint \"\(file)\"\n" + after + Self.report)
    for desk in [whole, half, rest] { #expect(desk.errors.isEmpty, "\(desk.errors)") }
    #expect(whole.values("z").count == 7 && rest.values("z") == whole.values("z"))
    #expect(rest.values("h") == whole.values("h") && !rest.values("h").isEmpty)
  }

  /// In a loop of the same script, and in one that stands elsewhere.
  @Test(arguments: ["", "repeat 2 { step gd lr=0.01 }\n"]) func loopsGoOn(_ other: String) {
    let (whole, rest) = (Desk(), Desk())
    let file = path("loop.npz")
    whole.run(
      "seed 5\n" + Self.setting
        + "for k in 0..6 { step momentum lr=0.02; if k == 2 { save checkpoint \"\(file)\" } }"
        + "\nz = cat([w], b)")
    rest.run(
      "seed 6\n" + Self.setting + other
        + "load checkpoint \"\(file)\"\nrepeat 3 { step momentum lr=0.02 }\nz = cat([w], b)")
    #expect(whole.errors.isEmpty && rest.errors.isEmpty, "\(whole.errors) \(rest.errors)")
    #expect(whole.values("z").count == 3 && rest.values("z") == whole.values("z"))
  }

  /// One file for both ways of writing it.
  @Test func trainGoesOnFromWhatWasSavedByHand() {
    let (whole, half, rest, back) = (Desk(), Desk(), Desk(), Desk())
    let file = path("t.npz")
    whole.run("seed 5\n" + Self.setting + "train adam lr=0.1 epochs=5 track w" + Self.report)
    half.run("seed 5\n" + Self.setting + "train adam lr=0.1 epochs=2 track w\nsave checkpoint \"\(file)\"")
    rest.run(Self.setting + "train adam lr=0.1 epochs=5 track w checkpoint=\"\(file)\"" + Self.report)
    back.run(Self.setting + "load checkpoint \"\(file)\"" + Self.report)
    #expect(whole.values("z").count == 7 && rest.values("z") == whole.values("z"))
    #expect(rest.values("h") == whole.values("h") && back.values("h") == whole.values("h"))
    #expect(back.values("z") == whole.values("z"))
  }

  @Test func loadingIsAStatementLikeOthers() {
    let desk = Desk()
    let file = path("u.npz")
    desk.run(Self.setting + "train adam lr=0.1 epochs=2\nsave checkpoint \"\(file)\"\nsaved = w + 0\nreset")
    #expect(
      desk.printed("load checkpoint \"\(file)\"")
        == ["\(file) : 3 entries in w, b; 2 epochs of f; memory of train f adam lr=0.1"])
    desk.run("loaded = w + 0")
    #expect(desk.values("loaded") == desk.values("saved"))
    // Momentum of weights that are drawn anew is forgotten, though the method has not been asked for yet.
    desk.run(
      "reinit top 100% of w by magnitude using zeros\nsave checkpoint \"\(file)\"\nm = load \"\(file)\"")
    let first = desk.values("m", "memory/0/first")
    #expect(first.count == 3 && first[0] == 0 && first[1] != 0)
    desk.run("undo 4\nback = w + 0")
    #expect(desk.errors.isEmpty, "\(desk.errors)")
    #expect(desk.values("back") == [0.5])
  }

  @Test func foreignAndDamagedFilesLoseNothing() throws {
    let file = path("d.npz")
    let writer = Desk()
    writer.run(Self.setting + "train adam lr=0.1 epochs=2\nsave checkpoint \"\(file)\"")
    let good = try #require(FileManager.default.contents(atPath: file))
    func refusal(_ setting: String, _ text: String = "load checkpoint") -> String {
      let desk = Desk()
      desk.run("seed 3\n" + setting)
      desk.run("train adam lr=0.2 epochs=1\nz = cat(flatten(w), flatten(b), flatten(xb))\nh = history.loss")
      let before = desk.values("z") + desk.values("h")
      #expect(desk.errors.isEmpty, "\(desk.errors)")
      desk.run("\(text) \"\(file)\"")
      desk.run("z = cat(flatten(w), flatten(b), flatten(xb))\nh = history.loss")
      #expect(desk.values("z") + desk.values("h") == before && before.count > 3)
      return desk.errors.count == 1 ? desk.errors[0] : "\(desk.errors)"
    }
    for length in [0, 1, 30, good.count / 2, good.count - 1] {
      try good.prefix(length).write(to: URL(fileURLWithPath: file))
      #expect(refusal(Self.setting).hasPrefix("error: '\(file)': "), "the first \(length) bytes")
    }
    for place in stride(from: 40, to: good.count, by: max(1, good.count / 60)) {
      var bytes = good
      bytes[place] ^= 0x10
      try bytes.write(to: URL(fileURLWithPath: file))
      let desk = Desk()
      desk.run(Self.setting)
      desk.run("load checkpoint \"\(file)\"\nz = w + 0")
      // A changed date in a header changes nothing.
      #expect(desk.errors.count <= 1 && (desk.errors.isEmpty || desk.values("z").isEmpty))
    }
    try good.write(to: URL(fileURLWithPath: file))
    for (old, new, reason) in [
      ("param b = [0.25, 0]", "param b = [0.25, 0, 0]", "its b has shape 2, not 3"),
      ("param w = 0.5", "param w = 0.5\nparam u = 1", "its params are w, b, those here w, u, b"),
      ("v ~ rademacher(2)", "v ~ rademacher(3)", "its draw of v has another shape"),
      ("v ~ rademacher(2)", "v = [1, 1]", "its random leaves are v; xb, yb, here xb, yb"),
      ("/9\n", "[0:9]/9\n", "its batches of xb, yb are of 10 rows"),
      ("param w = 0.5", "param w = 0 in -0.1..0.1", "its w is outside the bounds"),
      ("data X", "set precision f32\ndata X", "its w is f64, and the precision here is f32"),
    ] {
      #expect(refusal(Self.setting.replacingOccurrences(of: old, with: new)).contains(reason), "\(new)")
    }
    try Data("no archive".utf8).write(to: URL(fileURLWithPath: file))
    #expect(refusal(Self.setting).contains("no .npz file"))
    writer.run("save \"\(file)\" params")
    #expect(refusal(Self.setting).contains("it is no checkpoint"))
  }

  /// What could not be written is told before anything has run.
  @Test(arguments: [
    "train adam lr=0.1 epochs=3 checkpoint=\"/nowhere/c.npz\" { w = 7 }",
    "train adam epochs=3 log=\"/nowhere/l\" { w = 7 }",
    "train adam epochs=3 checkpoint=\"/\" { w = 7 }",
    "tune a in 1..2 trials=3 study=\"/nowhere/s\" { assert false; return a }",
    "save checkpoint \"/nowhere/c.npz\"", "load checkpoint \"/nowhere/c.npz\"",
  ]) func unwritableFilesAreNoticedBefore(_ command: String) {
    let desk = Desk()
    desk.run(Self.setting)
    desk.run(command)
    #expect(desk.errors.count == 1 && desk.errors[0].contains("cannot "), "\(desk.errors)")
    desk.run("z = w + 0")
    #expect(desk.values("z") == [0.5] && desk.lines.isEmpty)
  }

  @Test func trainingKeepsALog() throws {
    let file = path("run.log")
    let desk = Desk()
    desk.run(
      "seed 5\noption rate = 0.1\n" + Self.setting
        + "h = train adam lr=rate epochs=2 track w log=\"\(file)\";")
    desk.run("train adam lr=0.1 epochs=2 log=\"\(file)\" on log(w - 100)")
    let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map(String.init)
    #expect(lines[0].hasPrefix("# hlab \(hlabVersion), 20") && lines[1].hasPrefix("# train adam lr=rate"))
    #expect(lines[2...3] == ["# seed 5", "# option rate = 0.1"])
    let losses = lines[4...5].map { $0.split(separator: " ").map(String.init) }
    #expect(losses.map { Double($0[3]) } == desk.values("h", "loss").map { $0 })
    #expect(losses[1][0...1] == ["epoch", "2"] && losses[1][4] == "w" && losses[1][6] == "rate")
    #expect(lines[6].hasPrefix("# adam: 2 epochs, 6 steps"))
    #expect(lines.last == "# error: log(w - 100) is nan here")
  }

  @Test func archivesOfParamsComeBack() {
    let desk = Desk()
    let file = path("p.npz")
    desk.run(
      Self.setting
        + "save \"\(file)\" params\nr = load \"\(file)\"\nz = cat([r.w], r.b)\n(w, b) = (0, [0, 0])\nparams = r\nq = cat([w], b)"
    )
    #expect(desk.errors.isEmpty, "\(desk.errors)")
    #expect(desk.values("z") == [0.5, 0.25, 0] && desk.values("q") == [0.5, 0.25, 0])
    for text in ["save \"\(file)\" \"text\"", "save \"\(file)\" (w, b)", "params = 3"] { desk.run(text) }
    #expect(desk.errors.count == 3)
  }
}
