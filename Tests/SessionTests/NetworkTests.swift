import Testing

@testable import Session

@Suite struct NetworkTests {
  private static let setting = """
    seed 5
    (X, y) = blobs(12, classes=3, features=4)
    (xb, yb) ~ batch(X, y, 5)
    seed 7

    """
  private static let byHand = """
    param W1 = uniform(-1/sqrt(4), 1/sqrt(4), 4, 6)
    param b1 = uniform(-1/sqrt(4), 1/sqrt(4), 6)
    param W2 = uniform(-1/sqrt(6), 1/sqrt(6), 6, 3)
    param b2 = uniform(-1/sqrt(6), 1/sqrt(6), 3)
    net(x) := tanh(x @ W1 + b1) @ W2 + b2

    """
  private static let loss = "ce := crossentropy(net(xb), yb) + 1e-3*norm(params)^2\n"

  /// Five lines by hand and `mlp` are one graph, with the same numbers everywhere.
  @Test func aNetworkByHandIsTheSame() {
    let (short, long) = (Conversation(), Conversation())
    short.say(Self.setting + "net = mlp([4, 6, 3], tanh)\n" + Self.loss)
    long.say(Self.setting + Self.byHand + Self.loss)
    #expect(short.outcome == .ok && long.outcome == .ok)
    let question = "graph ce; show net; print ce, W1, b2; print hessian(ce); print accuracy(net(X), y)"
    let answer = short.say(question)
    #expect(answer == long.say(question))
    #expect(answer.contains("net(x) := tanh(x @ W1 + b1) @ W2 + b2") && answer.count > 1000)
    let steps = "repeat 4 { step sgd lr=0.1 }; reset fresh; print ce(xb = X, yb = y), W2"
    #expect(short.say(steps) == long.say(steps))
  }

  @Test func freshInitialisersAreDrawnAnew() {
    let talk = Conversation()
    talk.say("net = mlp([3, 5, 2], relu)")
    let first = talk.values("W1")
    talk.say("reset fresh")
    #expect(talk.values("W1") != first)
    talk.say("reset")
    #expect(talk.values("W1") == first)
    #expect(talk.values("b1").allSatisfy { abs($0) <= 1 / 3.0.squareRoot() })
    #expect(talk.values("b1").contains { $0 != 0 })
  }

  /// Standard deviations of W1 from 400 to 100.
  private static let deviations: [(String, Double)] = {
    let torch = (1.0 / 1200).squareRoot()
    let (glorot, he) = ((2.0 / 500).squareRoot(), (2.0 / 400).squareRoot())
    let uniform = 0.1 / 3.0.squareRoot()
    return [
      ("torch", torch), ("glorot", glorot), ("he", he), ("zeros", 0), ("uniform", uniform), ("normal", 0.1),
      ("own", 3),
    ]
  }()

  @Test(arguments: deviations)
  func initialisers(_ name: String, _ deviation: Double) {
    let talk = Conversation()
    talk.say("own(n, m) := normal(0, 3, n, m); net = mlp([400, 100, 2], init=\(name))")
    #expect(talk.outcome == .ok)
    #expect(abs(talk.values("std(W1)")[0] - deviation) <= 0.03 * deviation)
    #expect((talk.values("max(abs(b1))")[0] == 0) == (name != "torch"))
  }

  @Test func options() {
    let talk = Conversation()
    talk.say(
      "swish(z) := z*sigmoid(z); one = mlp([2, 3, 1], swish, output=sigmoid, bias=false, prefix=\"c_\")")
    #expect(talk.say("show one").contains("one(x) := sigmoid(swish(x @ c_W1) @ c_W2)"))
    talk.say("two = mlp([2, 1])")
    #expect(talk.say("print shape(two(ones(2))), shape(one(ones(7, 2)))") == "[1] [7, 1]")
    // The same statement again is no clash, and keeps the order of the params.
    talk.say("repeat 2 { two = mlp([2, 1]) }")
    #expect(talk.outcome == .ok)
    let echo = Conversation(isInteractive: true)
    #expect(
      echo.say("net = mlp([40, 32, 10], tanh)")
        == "net : network 40 → 32 → 10, 1642 entries in W1, b1, W2, b2")
  }

  @Test(arguments: [
    Failure(
      "W1 = 3; net = mlp([2, 1])", "'W1' is bound already", at: "mlp([2, 1])", "prefix=\"net_\""),
    Failure("net = mlp([2])", "the sizes of a network are two or more", at: "[2]"),
    Failure("net = mlp([2, 0])", "the sizes of a network are two or more", at: "[2, 0]"),
    Failure("net = mlp([2, 1], rleu)", "there is no function 'rleu'", at: "rleu", "did you mean 'relu'?"),
    Failure("net = mlp([2, 1], sum)", "there is no function 'sum'", at: "sum"),
    Failure("f(a, b) := a*b; net = mlp([2, 1], f)", "an activation takes 1 argument", at: "f"),
    Failure(
      "net = mlp([2, 1], init=xaver)", "there is no initialiser 'xaver'", at: "xaver",
      "did you mean 'xavier'?"),
    Failure("net = mlp([2, 1], relu, scale=-1)", "the scale of weights", at: "-1"),
    Failure("net = mlp([2, 1], activatoin=relu)", "mlp does not take this argument", at: "activatoin=relu"),
    Failure("net := mlp([2, 1])", "mlp declares params: it stands alone", at: "mlp([2, 1])"),
    Failure("g() { net = mlp([2, 1]) }\ng()", "params are declared at the top level", at: "mlp([2, 1])"),
    Failure("(a, b) = mlp([2, 1])", "a network has one name", at: "a"),
    Failure("net = mlp()", "mlp needs the sizes", at: "mlp()"),
  ])
  func badInput(_ failure: Failure) { failure.check() }

  /// A network that is refused declares nothing.
  @Test func refusedNetworksLeaveNothing() {
    let talk = Conversation()
    talk.say("b2 = 1; net = mlp([2, 3, 1])")
    #expect(talk.outcome != .ok && talk.interpreter.lookup("W1") == nil)
  }
}
