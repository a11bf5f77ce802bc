import Foundation
import Testing

@testable import Session

@Suite struct BatchTests {
  /// Every row once in an epoch, the last batch smaller, the next epoch in another order.
  @Test func epochsHaveEveryRowOnce() {
    let talk = Conversation()
    talk.say("seed 3; data X = range(10); y = 2*X; (xb, yb) ~ batch(X, y, 4)")
    var epochs: [[Double]] = []
    for _ in 0..<3 {
      var rows: [Double] = []
      var sizes: [Int] = []
      for batch in 0..<3 {
        let feed = talk.interpreter.feeds[0].feed
        #expect(feed.batch == batch && feed.batchesPerEpoch == 3 && feed.epoch == epochs.count + 1)
        #expect(feed.endsEpoch == (batch == 2))
        let part = talk.values("xb")
        #expect(talk.values("yb") == part.map { 2 * $0 })
        sizes.append(part.count)
        rows += part
        talk.say("draw")
      }
      #expect(sizes == [4, 4, 2])
      #expect(rows.sorted() == (0..<10).map(Double.init))
      epochs.append(rows)
    }
    #expect(epochs[0] != epochs[1] && epochs[1] != epochs[2])
  }

  /// Means are over the true size, in value, gradient and Hessian, also when sizes alternate.
  @Test func formulasFollowTheSize() {
    let talk = Conversation()
    talk.say(
      """
      seed 1; param w = [0.5, -1]; (X, y) = regression(7, w=[2, -3], noise=0.1)
      (xb, yb) ~ batch(X, y, 3); f := mse(xb @ w, yb)
      """)
    for _ in 0..<8 {
      let said = talk.say(
        """
        n = len(yb); r = xb @ w - yb
        print abs(f - sum(r^2)/n) < 1e-12, max(abs(grad(f, w) - 2/n*(xb' @ r))) < 1e-12
        print max(abs(hessian(f, w) - 2/n*(xb' @ xb))) < 1e-12
        draw
        """)
      #expect(said == "1 1\n1")
    }
  }

  /// Two sizes, two plans: after the first epoch nothing is compiled any more.
  @Test func plansOfBothSizesAreKept() {
    let talk = Conversation()
    talk.say(
      "param w = zeros(2); (X, y) = regression(7, w=[2, -3]); (xb, yb) ~ batch(X, y, 3); f := mse(xb @ w, yb)"
    )
    let program = "repeat 3 { step gd lr=0.01 }"
    talk.say(program)
    let nodes = talk.interpreter.graph.nodes.count
    talk.say("for k in 0..9 { step gd lr=0.01 }")
    let more = talk.interpreter.graph.nodes.count
    talk.say("draw; draw; draw")
    #expect(more - nodes <= nodes)
    #expect(talk.interpreter.feeds[0].feed.epoch == 6)
  }

  @Test func undoAndFailureRestoreTheDraw() {
    let talk = Conversation()
    talk.say("seed 2; param w = 0; data X = range(5); xb ~ batch(X, 2); f := mean((w - xb)^2)")
    let first = talk.drawn("xb")
    var seen: [[Double]] = []
    for _ in 0..<4 {
      talk.say("step gd lr=0.1")
      seen.append(talk.drawn("xb"))
    }
    talk.say("undo 4")
    #expect(talk.drawn("xb") == first)
    for k in 0..<4 {
      talk.say("step gd lr=0.1")
      #expect(talk.drawn("xb") == seen[k])
    }
    talk.say("undo 3 steps")
    #expect(talk.drawn("xb") == seen[0])
    // A step that fails draws nothing.
    talk.say("step gd lr=1e300")
    let shown = talk.drawn("xb")
    talk.say("step gd lr=1e300")
    #expect(talk.outcome != .ok)
    #expect(talk.drawn("xb") == shown)
  }

  /// A source is read at each draw; another number of rows begins an epoch.
  @Test func sourcesMayChange() {
    let talk = Conversation()
    talk.say("X = zeros(6); xb ~ batch(X, 4); X = ones(6); draw")
    #expect(talk.values("xb") == [1, 1])
    talk.say("xb ~ batch(X, 4); X = 2*ones(3); draw")
    #expect(talk.values("xb") == [2, 2, 2])
    #expect(talk.interpreter.feeds[0].feed.epoch == 2)
    talk.say("d = load mnist1d samples=50; (a, b) ~ batch(d.x, d.y, 8)")
    #expect(talk.say("print shape(a), shape(b)") == "[8, 40] [8]")
    talk.say("z ~ batch(2*X, 2); set precision f32; draw; print z")
    #expect(talk.outcome == .ok)
  }

  @Test func beginningAnEpoch() throws {
    let talk = Conversation()
    talk.say("X = range(9); xb ~ batch(X, 4); draw")
    try talk.interpreter.beginEpoch(size: 3)
    let feed = talk.interpreter.feeds[0].feed
    #expect(feed.batch == 0 && feed.batchesPerEpoch == 3 && feed.epoch == 2)
    #expect(talk.values("xb").count == 3)
  }

  @Test func testSetsReplaceBatches() {
    let talk = Conversation()
    let said = talk.say(
      """
      d = load mnist1d samples=100
      param W = 0.1*randn(40, 10); param b = zeros(10)
      (xb, yb) ~ batch(d.x, d.y, 32)
      net(x) := x @ W + b
      ce := crossentropy(net(xb), yb)
      all = ce(xb = d.x_test, yb = d.y_test)
      print abs(all - crossentropy(d.x_test @ W + b, d.y_test)) < 1e-12
      z = d.x_test @ W + b
      print accuracy(net(d.x_test), d.y_test) == mean(argmax(z, axis=1) == d.y_test)
      print shape(hessian(ce, b)(xb = d.x_test, yb = d.y_test))
      """)
    #expect(said == "1\n1\n[10, 10]")
  }

  @Test func whatIsShown() {
    let talk = Conversation(isInteractive: true)
    let said = talk.say("X = range(5);\nxb ~ batch(X, 2)\nshow xb")
    #expect(said.contains("xb : random 2"))
    #expect(said.contains("batch 1 of 3 in epoch 1, of 5 rows"))
  }

  @Test(arguments: [
    Failure("x = batch(range(4), 2)", "batch is drawn: it stands alone after ~", at: "batch(range(4), 2)"),
    Failure("x ~ batch(2)", "batch takes tensors and the rows of a batch", at: "batch(2)"),
    Failure("x ~ batch(ones(3), 0)", "the rows of a batch are a whole number of at least 1, not 0", at: "0"),
    Failure("x ~ batch(ones(3), ones(3))", "the rows of a batch are a whole number", at: "ones(3)"),
    Failure(
      "(x, y) ~ batch(ones(3), ones(4), 2)", "tensors with 3 and 4 rows do not make batches", at: "ones(4)"),
    Failure("x ~ batch(3, 2)", "there are no rows to draw", at: "3"),
    Failure("x ~ batch(\"a\", 2)", "a batch has rows of a tensor, not of a string", at: "\"a\""),
    Failure("x ~ batch(ones(3), 2, seed=1)", "batch has no argument 'seed'", at: "seed=1"),
    Failure("(x, y) ~ batch(ones(3), 2)", "2 names need a tuple", at: "batch(ones(3), 2)"),
    Failure("y := moons(3)", "moons runs when a statement does", at: "moons(3)"),
    Failure("x = moons(0)", "'n' of moons is a whole number", at: "0"),
    Failure("x = moons(4, nois=1)", "moons has no argument 'nois'", at: "nois=1", "did you mean 'noise'?"),
    Failure("x = moons(4, noise=-1)", "'noise' of moons is a number, at least 0", at: "-1"),
    Failure(
      "x = shuffle(ones(3), ones(2))", "shuffle takes tensors with the same number of rows", at: "ones(3)"),
    Failure("x = shuffle()", "shuffle needs its argument 'tensors'", at: "shuffle()"),
    Failure("x = split(ones(3), share=2)", "'share' of split is a number, 0 to 1", at: "2"),
    Failure(
      "x = standardize(ones(3, 2), like=ones(3, 4))", "shapes 3×2 and 3×4 do not fit", at: "ones(3, 4)"),
    Failure(
      "load mnist \"/nowhere\"", "MNIST is not in '/nowhere'", at: "\"/nowhere\"",
      "put train-images-idx3-ubyte"),
    Failure("load mnist1d samples=3", "samples are 10 to", at: "3"),
    Failure("load mnist1d train=3", "mnist1d has no option 'train'", at: "train=3"),
  ])
  func badInput(_ failure: Failure) { failure.check() }
}

@Suite final class LoadingTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)

  init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: folder) }

  @Test func columnsOfTables() throws {
    let file = folder.appendingPathComponent("t.csv").path
    try "height,body mass,2nd\n1,2,3\n4,5,6\n".write(toFile: file, atomically: true, encoding: .utf8)
    let talk = Conversation()
    talk.say("d = load \"\(file)\" columns=true")
    #expect(talk.say("print d.height, d.body_mass, d._2nd") == "[1, 4] [2, 5] [3, 6]")
    talk.say("A = load \"\(file)\"")
    #expect(talk.say("print shape(A)") == "[2, 3]")
  }

  @Test func setsDrawFromTheSession() {
    let talk = Conversation()
    talk.say("seed 4; (X, y) = moons(20, noise=0.3)")
    let first = talk.values("X")
    talk.say("(Z, y) = moons(20, noise=0.3)")
    #expect(talk.values("Z") != first)
    talk.say("seed 4; (Z, y) = moons(20, noise=0.3)")
    #expect(talk.values("Z") == first)
    talk.say("(A, B, a, b) = split(X, y, share=0.7); (P, p) = shuffle(X, y)")
    #expect(
      talk.say("print shape(A), shape(B), len(a), len(b), sum(P) - sum(X) + sum(p) - sum(y) < 1e-12")
        == "[14, 2] [6, 2] 14 6 1")
  }

  @Test func standardColumns() {
    let talk = Conversation()
    let said = talk.say(
      """
      seed 1; X = [5, 0.1] + [3, 0]*randn(50, 2); T = 4 + randn(9, 2)
      Z = standardize(X)
      print max(abs(mean(Z, axis=0))) < 1e-12, abs(std(Z[:, 0]) - 1) < 1e-12, max(abs(Z[:, 1]))
      print max(abs(standardize(T, like=X)[:, 0] - (T[:, 0] - mean(X[:, 0]))/std(X[:, 0]))) < 1e-12
      """)
    #expect(said == "1 1 0\n1")
  }
}

extension Conversation {
  /// What a random leaf holds; looking changes nothing.
  func drawn(_ name: String) -> [Double] {
    guard case .random(let leaf)? = interpreter.lookup(name) else { return [] }
    return leaf.value.tensor?.doubles ?? []
  }

  /// The entries of what an expression gives.
  func values(_ expression: String) -> [Double] {
    say("the_values = \(expression)")
    guard case .variable(let v)? = interpreter.lookup("the_values") else { return [] }
    return v.value.tensor?.doubles ?? []
  }
}
