import Foundation
import Testing

@testable import Session

/// Ten samples of a line, in batches of four.
private let line = """
  seed 5
  data X = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]/9
  data y = 2*X - 1
  param w = 0.5
  param b = 0.25
  (xb, yb) ~ batch(X, y, 4)
  f := mean((w*xb + b - yb)^2)

  """

private func temporary(_ name: String) -> String {
  FileManager.default.temporaryDirectory.appendingPathComponent("hlab-\(UUID().uuidString)-\(name)").path
}

@Suite struct TrainingTests {
  /// An epoch is as many steps as there are batches, the last smaller one included.
  @Test(arguments: [
    "adam lr=0.1", "adamw lr=0.1 decay=0.5", "sgd lr=0.1", "momentum lr=0.05", "nesterov lr=0.05", "rmsprop",
  ])
  func anEpochIsItsStepsByHand(_ method: String) {
    let (trained, stepped) = (Desk(), Desk())
    trained.run(line + "train \(method) epochs=3\nz = [w, b]")
    stepped.run(line + "repeat 9 { step \(method); }\nz = [w, b]")
    #expect(trained.errors.isEmpty && stepped.errors.isEmpty)
    #expect(trained.values("z") == stepped.values("z"))
    #expect(trained.values("z").count == 2)
  }

  /// The same place in the text, with other values of its options each time.
  @Test func aLoopOverStepSizesIsItsRuns() {
    let (loop, single) = (Desk(), Desk())
    loop.run(
      line
        + "z = zeros(3)\nfor k in 0..3 { reset; seed 1; train adam lr=[0.1, 0.02, 0.3][k] epochs=2; z[k] = w }"
        + "\nt = tune lr in [0.1, 0.02] trials=2 by grid { train adam lr=lr epochs=2; return f };")
    single.run(line + "z = zeros(3)")
    for (k, rate) in ["0.1", "0.02", "0.3"].enumerated() {
      single.run("reset; seed 1; train adam lr=\(rate) epochs=2; z[\(k)] = w")
    }
    #expect(loop.errors.isEmpty && single.errors.isEmpty, "\(loop.errors) \(single.errors)")
    #expect(loop.values("z") == single.values("z") && Set(loop.values("z")).count == 3)
  }

  /// What a plan was made for with one value of an option holds for all.
  @Test func aLoopOverDecaysIsItsRuns() {
    let (loop, single) = (Desk(), Desk())
    let body = "reset; seed 1; train adamw lr=0.1 epochs=2"
    loop.run(line + "z = zeros(3)\nfor k in 0..3 { \(body) decay=[0, 0.5, 0.1][k]; z[k] = w }")
    single.run(line + "z = zeros(3)")
    for (k, decay) in ["0", "0.5", "0.1"].enumerated() { single.run("\(body) decay=\(decay); z[\(k)] = w") }
    #expect(loop.errors.isEmpty && single.errors.isEmpty, "\(loop.errors) \(single.errors)")
    #expect(loop.values("z") == single.values("z") && Set(loop.values("z")).count == 3)
  }

  /// Without a move the loss of an epoch is the mean over all samples, whatever the batches.
  @Test func lossIsTheMeanOverSamples() {
    let desk = Desk()
    desk.run(line + "h = train sgd lr=1e-300 epochs=2\ng = mean((w*X + b - y)^2)")
    #expect(agree(desk.values("h", "loss"), [desk.values("g")[0], desk.values("g")[0]], 1e-14))
    #expect(desk.values("h", "epoch") == [1, 2])
  }

  @Test func historyHoldsWhatIsTracked() {
    let desk = Desk()
    let lines = desk.printed(
      line + "train gd lr=0.1 epochs=2 validate w^2 track b, w*2\nz = history\nq = w^2")
    #expect(lines.first?.split(separator: " ").map(String.init) == ["epoch", "f", "validation", "b", "w_2"])
    #expect(desk.values("z", "validation").last == desk.values("q").first)
    #expect(desk.values("z", "w_2").count == 2)
    desk.run("train gd lr=0.1 epochs=1 validate w^2 track b, w*2\nz = history")
    #expect(desk.values("z", "epoch") == [1, 2, 3])
    // Another formula, another history.
    desk.run("g := f + w^2\ntrain gd lr=0.1 epochs=1 validate w^2 track b, w*2 on g\nz = history")
    #expect(desk.values("z", "epoch") == [1])
    desk.run("reset\nz = history")
    #expect(desk.errors.count == 1)
  }

  /// f = 3·x: every step is lr times the gradient's norm, cut to 1, times the schedule's factor.
  @Test func clippingAndSchedules() {
    let steps: [(String, Double)] = [
      ("clip=1", 4), ("clip=5", 12), ("clip=1 schedule=linear", 1 + 0.75 + 0.5 + 0.25),
      ("clip=1 schedule=cosine", 2.5), ("clip=1 schedule=0.5^epoch", 0.9375), ("clip=1 warmup=2", 3.5),
      ("clip=1 schedule=\"cosine\"", 2.5),
    ]
    for (options, moved) in steps {
      let desk = Desk()
      desk.run("param x = 0.0\nf := 3*x\ntrain sgd lr=0.1 epochs=4 \(options)\ny = x + 0")
      #expect(agree(desk.values("y"), [-0.1 * moved], 1e-12), "\(options): \(desk.values("y"))")
    }
  }

  @Test func whatEndsTraining() {
    let desk = Desk()
    desk.run("param x = 1.0\nf := x^2\nh = train sgd lr=0.25 epochs=50 until f < 1e-3")
    // x halves: f = 4^-k.
    #expect(desk.values("h", "epoch").count == 5)
    desk.run("reset\nh = train sgd lr=0.25 epochs=50 { if epoch == 3 { break } }")
    #expect(desk.values("h", "epoch") == [1, 2, 3])
    // Steps of −4x: the validation value is best at the start, x = 1 → −1.5·… grows.
    desk.run("reset\nh = train sgd lr=1.5 epochs=50 validate x^2 patience=3 best=true\ny = x + 0")
    #expect(desk.values("h", "epoch").count == 4)
    #expect(desk.values("y") == [-2])
  }

  /// Where f turns into nan the step that led there is taken back.
  @Test func theLastGoodPointIsKept() {
    let desk = Desk()
    desk.run("param x = 1.0\nf := sqrt(x) + x\ntrain sgd lr=0.4 epochs=10")
    #expect(desk.errors.count == 1 && desk.errors[0].contains("nan"))
    desk.run("y = x + 0")
    #expect(agree(desk.values("y"), [1 - 0.4 * 1.5], 1e-12))
  }

  @Test func batchesByOptionAreThoseByHand() {
    let plain = line.replacingOccurrences(of: "(xb, yb) ~ batch(X, y, 4)\n", with: "")
      .replacingOccurrences(of: "w*xb + b - yb", with: "w*X + b - y")
    let (option, hand) = (Desk(), Desk())
    let lines = option.printed(plain + "train adam lr=0.1 epochs=2 batch=4\nz = [w, b]")
    hand.run(line + "train adam lr=0.1 epochs=2\nz = [w, b]")
    #expect(option.errors.isEmpty)
    #expect(lines.first == "(X_batch, y_batch) ~ batch(X, y, 4)")
    #expect(option.values("z") == hand.values("z"))
  }

  // MARK: Checkpoints

  @Test(arguments: ["adam lr=0.1", "momentum lr=0.05", "bfgs", "adam lr=0.1 schedule=cosine best=true"])
  func resumedTrainingIsTheUninterruptedOne(_ method: String) {
    let file = temporary("run.npz")
    defer { try? FileManager.default.removeItem(atPath: file) }
    let noise = line + "v ~ rademacher(2)\ng := f + 0.01*(v[0]*w + v[1]*b)^2\nobjective g\n"
    let (whole, half, rest) = (Desk(), Desk(), Desk())
    whole.run(noise + "h = train \(method) epochs=6 track b\nz = [w, b]")
    let isWhole = method.contains("schedule")
    half.run(
      noise + "train \(method) epochs=\(isWhole ? 6 : 3) checkpoint=\"\(file)\" track b"
        + (isWhole ? " { if epoch == 3 { break } }" : ""))
    #expect(half.errors.isEmpty)
    rest.run("seed 77\n" + noise.replacingOccurrences(of: "seed 5", with: "seed 6"))
    let lines = rest.printed("h = train \(method) epochs=6 checkpoint=\"\(file)\" track b\nz = [w, b]")
    #expect(rest.errors.isEmpty)
    #expect(lines.isEmpty)
    #expect(whole.values("z").count == 2 && rest.values("z") == whole.values("z"))
    #expect(rest.values("h", "loss") == whole.values("h", "loss"))
    #expect(rest.values("h", "b") == whole.values("h", "b"))
  }

  @Test func damagedCheckpointsLoseNothing() throws {
    let file = temporary("run.npz")
    defer { try? FileManager.default.removeItem(atPath: file) }
    let writer = Desk()
    writer.run(line + "train adam lr=0.1 epochs=2 checkpoint=\"\(file)\"")
    let good = try #require(FileManager.default.contents(atPath: file))
    let command = "train adam lr=0.1 epochs=4 checkpoint=\"\(file)\""
    func expectRefusal(_ setting: String, _ command: String, _ what: String) {
      let desk = Desk()
      desk.run(setting)
      desk.run("z = [sum(w), b]")
      let before = desk.values("z")
      desk.run(command)
      #expect(desk.errors.count == 1, "\(what)")
      desk.run("z = [sum(w), b]")
      #expect(desk.values("z") == before, "\(what)")
    }
    for length in [0, 1, 30, good.count / 2, good.count - 1] {
      try good.prefix(length).write(to: URL(fileURLWithPath: file))
      expectRefusal(line, command, "the first \(length) bytes")
    }
    for place in stride(from: 40, to: good.count, by: max(1, good.count / 40)) {
      var bytes = good
      bytes[place] ^= 0x10
      try bytes.write(to: URL(fileURLWithPath: file))
      let desk = Desk()
      desk.run(line)
      desk.run(command)
      // A changed date in a header changes nothing.
      #expect(desk.errors.count <= 1)
    }
    try good.write(to: URL(fileURLWithPath: file))
    expectRefusal(line, "train adam lr=0.2 epochs=4 checkpoint=\"\(file)\"", "another step size")
    expectRefusal(line, command + " track w", "other columns")
    expectRefusal(
      line.replacingOccurrences(of: "param w = 0.5", with: "param w = [0.5]"), command, "another shape")
    expectRefusal(line.replacingOccurrences(of: "/9", with: "[0:9]/9"), command, "other data")
    expectRefusal(line, "train adam lr=0.1 checkpoint=\"/nowhere/x.npz\" epochs=0", "no epochs")
  }

  @Test(arguments: [
    "train", "train adam epochs=0", "train adam epochs=1.5", "train adam batch=0", "train adam clip=0",
    "train adam clip=-1", "train adam schedule=cosine", "train adam lr=0.1 schedule=0",
    "train adam lr=0.1 schedule=1/0",
    "train adam patience=0", "train adam track w, w", "train adam track loss", "train nothing",
    "train adam track q",
    "train adam lr=0.1 epoch=4", "train adam lr=0.1 checkpoint=3", "train adam validate [1, 2]",
  ]) func badTrainingIsAnError(_ command: String) {
    let desk = Desk()
    desk.run(line)
    desk.run(command)
    #expect(desk.errors.count == 1, "\(command)")
    desk.run("z = [w, b]")
    #expect(
      desk.values("z") == [0.5, 0.25] || command.contains("schedule=") || command.contains("track q")
        || command.contains("validate"))
  }
}

@Suite struct DeadTermTests {
  @Test func termsWithoutAGradientAreTold() {
    for (term, isDead) in [
      ("stop(norm(hvp(f, params, [1, 1]))^2)", true), ("norm(hvp(f, params, [1, 1]))^2", false),
      ("round(x[0])", true), ("stop(x[0])*x[1]", false), ("sum(X)", false),
      ("3*stop(sum(x^2)) + stop(x[0])", true),
      ("sum(x > 0)", true),
    ] {
      for command in ["train gd lr=0.01 epochs=1", "minimize gd max 1"] {
        let desk = Desk()
        desk.run("data X = [1, 2]\nparam x = [1, 2]\nf := sum(x^4)\nloss := f + 0.1*(\(term))\n\(command)")
        let warnings = desk.errors.filter { $0.hasPrefix("warning") }
        #expect(warnings.isEmpty != isDead, "\(term), \(command): \(desk.errors)")
      }
    }
  }
}

@Suite struct SelectionTests {
  /// f = ½·xᵀAx: the row sums of |A| are 6, 7, 9 and 1.
  private static let quadratic = """
    A = [1, -2, 3, 0; -2, 4, 1, 0; 3, 1, 5, 0; 0, 0, 0, 1]
    param x = [1, 10, 2, 40]
    f := 0.5*dot(x, A@x)

    """

  @Test(arguments: [
    ("reinit top 1 of x using zeros", [1.0, 10, 0, 40]),
    ("reinit top 50% of x by hessian using zeros", [1, 0, 0, 40]),
    ("reinit bottom 1 of x using zeros", [1, 10, 2, 0]),
    ("reinit top 1 of x by magnitude using zeros", [1, 10, 2, 0]),
    // ½·aᵢᵢ·x²: ½, 200, 10, 800.
    ("prune top 2 of x by obd", [1, 0, 2, 0]), ("prune bottom 25% of x by obd", [0, 10, 2, 40]),
    // ∇f = Ax = [-13, 40, 23, 40].
    ("prune bottom 2 of x by gradient", [0, 10, 0, 40]), ("prune top 0% of x", [1, 10, 2, 40]),
    ("prune top 100% of x", [0, 0, 0, 0]), ("prune top 1 of x by -x", [0, 10, 2, 40]),
    ("prune top 1 of x by hessian reduce=mean", [1, 10, 0, 40]),
    ("reinit top 2 of x using declared", [1, 10, 2, 40]),
    // On another formula: x₁⁴ has the greatest curvature at x₁ = 10.
    ("prune top 1 of x on sum(x[0:3]^4)", [1, 0, 2, 40]),
  ]) func weightsAreChosenByTheirScores(_ command: String, _ expected: [Double]) {
    let desk = Desk()
    desk.run(Self.quadratic + "\(command)\ny = x + 0")
    #expect(desk.errors.isEmpty, "\(desk.errors)")
    #expect(desk.values("y") == expected)
  }

  /// obs: w²/(2·[H⁻¹]ᵢᵢ), with H⁻¹ by hand for a 2×2 matrix: [2, 1; 1, 3] has inverse [3, −1; −1, 2]/5.
  @Test func surgeonsSaliency() {
    let desk = Desk()
    // 4·5/(2·3) = 3.33 against 2.25·5/(2·2) = 2.8; obd would say 4 and 3.375.
    desk.run("param x = [2, 1.5]\nf := 0.5*dot(x, [2, 1; 1, 3]@x)\nm = prune bottom 1 of x by obs\ny = x + 0")
    #expect(desk.values("y") == [2, 0])
    #expect(desk.values("m", "x") == [0, 1])
    desk.run("param u = [1, 1]\ng := u[0]^2 - u[1]^2\nobjective g\nprune top 1 of u by obs")
    #expect(desk.errors.last?.contains("not positive definite") == true)
  }

  /// At a minimum of a quadratic the predicted rise is exact: for one weight c_q²/(2[A⁻¹]_qq), for the weights S together
  /// ½·c_Sᵀ([A⁻¹]_SS)⁻¹c_S, and the weights that stay are at the minimum over them (Hassibi and Stork 1993).
  @Test(arguments: [1, 2, 3]) func surgeonMovesTheOthers(_ count: Int) {
    let desk = Desk()
    desk.run(
      """
      A = [4, 1, 0.5, 0; 1, 3, -1, 0.3; 0.5, -1, 2, -0.2; 0, 0.3, -0.2, 5]
      c = [1, -2, 0.5, 0.9]
      param x = [1, -2, 0.5, 0.9]
      f := 0.5*dot(x - c, A@(x - c)) + 3
      B = inv(A)
      m = prune bottom \(count) of x by obs update=true
      rise = f - 3
      S = argsort(m.x, descending=true)[0:\(count)]
      expected = 0.5*dot(c[S], solve(B[S, :][:, S], c[S]))
      left = grad(f, x)*(1 - m.x)
      gone = sum(abs(x*m.x))
      one = c - c[S[0]]/B[S[0], S[0]]*B[:, S[0]]
      y = x + 0
      """)
    #expect(desk.errors.isEmpty, "\(desk.errors)")
    #expect(desk.values("m", "x").reduce(0, +) == Double(count) && desk.values("gone") == [0])
    #expect(agree(desk.values("rise"), desk.values("expected"), 1e-13) && desk.values("rise")[0] > 0.1)
    #expect(desk.values("left").allSatisfy { abs($0) < 1e-14 })
    if count == 1 { #expect(agree(desk.values("y"), desk.values("one"), 1e-14)) }
    let line = desk.printed("reset\nprune bottom \(count) of x by obs update=true").last ?? ""
    let (rises, predicted) = (line.components(separatedBy: "rises by ").last ?? "", desk.values("rise")[0])
    #expect(rises == "\(NumberFormat()(predicted)), predicted \(NumberFormat()(predicted))", "\(line)")
  }

  @Test func unitsAreColumns() {
    let desk = Desk()
    desk.run(
      """
      seed 2
      param W = [1, 5, 1; 1, 5, 1; 3, 1, 3]
      f := sum(W^2)
      reinit top 1 of W by magnitude using xavier unit=true
      y = W + 0
      """)
    let y = desk.values("y")
    #expect([0, 2, 3, 5, 6, 8].allSatisfy { y[$0] == [1, 5, 1, 1, 5, 1, 3, 1, 3][$0] })
    #expect([1, 4, 7].allSatisfy { abs(y[$0]) <= 1 && y[$0] != 5 && y[$0] != 1 })
  }

  /// Momentum of weights that were drawn anew is forgotten, that of the others is not.
  @Test func methodsForgetWhatHasMoved() {
    let desk = Desk()
    desk.run(
      """
      param x = [1.0, 2.0]
      f := sum(x)
      step momentum lr=0.5
      reinit top 1 of x by magnitude using zeros
      step momentum lr=0.5
      y = x + 0
      """)
    // x₀: 1 → 0.5, then velocity 1.9; x₁: 2 → 1.5 → 0, then velocity 1.
    #expect(agree(desk.values("y"), [0.5 - 0.5 * 1.9, -0.5], 1e-12))
  }

  @Test(arguments: [
    "reinit top 10% of q", "reinit of x", "reinit top 10%", "reinit top 110% of x", "reinit top 1.5 of x",
    "reinit top -1 of x", "reinit top 1 of x using magic", "reinit top 1 of x using xavier",
    "prune top 1 of x by [1, 2]",
    "reinit top 1 of x unit=true using zeros", "prune top 1 bottom 1 of x", "reinit top 1 of x by log(-x)",
    "prune bottom 1 of x by obd update=true", "prune bottom 1 of x update=true",
    "reinit bottom 1 of x update=true", "prune bottom 1 of x by obs update=true on -sum(x^2)",
  ]) func badSelectionsAreErrors(_ command: String) {
    let desk = Desk()
    desk.run(Self.quadratic)
    desk.run(command)
    #expect(desk.errors.count == 1, "\(command)")
    desk.run("y = x + 0")
    #expect(desk.values("y") == [1, 10, 2, 40])
  }
}
