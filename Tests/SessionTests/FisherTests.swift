import Testing

@testable import Session

/// Fisher matrices against their definition, sample by sample.
@Suite struct FisherTests {
  private static let softmax = """
    data X = reshape(sin(range(0, 40)), 10, 4)
    data y = range(0, 10) % 3
    param W = reshape(cos(range(0, 12)), 4, 3)
    param b = [0.1, -0.2, 0.3]
    loss := crossentropy(tanh(X@W) + b, y)
    flat(g) := cat(flatten(g.W), g.b)

    """
  private static let logistic = """
    data X = reshape(sin(range(0, 40)), 10, 4)
    data y = range(0, 10) % 2
    param w = [1, -2, 0.5, 1]
    z := X@w
    loss := mean(softplus(z) - y*z)

    """

  private func run(_ text: String) -> Conversation {
    let lab = Conversation()
    lab.say(text)
    #expect(lab.outcome == .ok)
    return lab
  }

  @Test func exactIsTheGaussNewtonMatrix() {
    #expect(run(Self.softmax).say("print max(abs(fisher(loss) - ggn(loss))) < 1e-15") == "1")
    #expect(run(Self.logistic).say("print max(abs(fisher(loss, w) - ggn(loss, w))) < 1e-15") == "1")
  }

  @Test func empiricalSumsSquaresOfTheSamplesGradients() {
    let lab = run(Self.softmax)
    lab.say(
      """
      F = zeros(15, 15)
      for i in 0..10 {
        g = grad(crossentropy(tanh(X[i:i+1]@W) + b, y[i:i+1]))
        v = cat(flatten(g.W), g.b)
        F = F + outer(v, v)/10
      }
      """)
    #expect(lab.say("print max(abs(fisher(loss, kind=\"empirical\") - F)) < 1e-15") == "1")
    // A sum instead of a mean weighs every sample with 1.
    #expect(
      lab.say("total := 10*loss; print max(abs(fisher(total, kind=\"empirical\") - 10*F)) < 1e-14") == "1")
    let binary = run(Self.logistic)
    binary.say(
      "F = zeros(4, 4)\nfor i in 0..10 { v = (sigmoid(dot(X[i], w)) - y[i])*X[i]; F = F + outer(v, v)/10 }")
    #expect(binary.say("print max(abs(fisher(loss, w, kind=\"empirical\") - F)) < 1e-15") == "1")
  }

  @Test(arguments: [softmax, logistic]) func sampledHasTheExactMean(_ text: String) {
    let lab = run(text + "G = fisher(loss); seed 4")
    lab.say(
      "n = 400; F = 0*G; S = 0*G\nfor k in 0..n { A = fisher(loss, kind=\"sampled\"); F = F + A/n; S = S + A^2/n }"
    )
    // Each entry's mean within five standard errors of its expectation.
    #expect(lab.say("print max(abs(F - G)/(sqrt((S - F^2)/n) + 1e-12)) < 5") == "1")
    #expect(lab.say("print max(abs(F - G)) > 1e-8") == "1")
  }

  /// The mean of many draws, and the standard error of each entry: over 200 seeds the exact entry lies within Student's
  /// interval of the mean in 90 to 99 of 100 cases.
  @Test(arguments: [softmax, logistic]) func drawsHaveAnHonestError(_ text: String) {
    let lab = run(text + "G = fisher(loss); seed 11; hits = 0*G")
    lab.say(
      """
      for s in 0..200 {
        e = fisher(loss, kind="sampled", draws=25, error=true)
        hits = hits + (abs(e.value - G) <= 2.064*e.error + 1e-15)
      }
      share = mean(hits)/200
      """)
    #expect(lab.outcome == .ok)
    #expect(lab.say("print share > 0.9 and share < 0.99") == "1")
    #expect(lab.say("A = fisher(loss, kind=\"sampled\", draws=4000); print max(abs(A - G)) < 0.02") == "1")
  }

  @Test(arguments: [
    Failure(
      "param x = [1, 2]; print fisher(mean(softplus(x)), draws=5)",
      "only a sampled Fisher matrix has draws and an error", at: "5", "needs no draws"),
    Failure(
      "param x = [1, 2]; print fisher(mean(softplus(x)), kind=\"sampled\", draws=0)",
      "'draws' is at least 1, not 0", at: "0"),
    Failure(
      "param x = [1, 2]; A = fisher(mean(softplus(x)), kind=\"sampled\", error=true)",
      "'draws' is at least 2 for an error, not 1",
      at: "fisher(mean(softplus(x)), kind=\"sampled\", error=true)"),
    Failure(
      "param x = [1, 2]; print fisher(mean(softplus(x)), kind=\"sampled\", draws=1e12)",
      "this needs 16",
      at: "print fisher(mean(softplus(x)), kind=\"sampled\", draws=1e12)"),
    Failure(
      "param x = [1, 2]; print fisher(sum(x^2))", "fisher needs the log-likelihood of a model",
      at: "fisher(sum(x^2))", "ggn takes"),
    Failure(
      "param x = [1, 2]; print fisher(mean(softplus(x)), kind=\"empircal\")",
      "there is no kind of Fisher matrix 'empircal'",
      at: "\"empircal\"", "did you mean 'empirical'?"),
    Failure(
      "param x = [1, 2]; print fisher(softplus(x))", "fisher needs a scalar function", at: "softplus(x)"),
    Failure("param x = [1, 2]; print fisher(mean(softplus(x)), kind=3)", "'kind' is a string", at: "3"),
    Failure(
      "param x = [1, 2]; F := fisher(mean(softplus(x)), kind=\"sampled\"); print F",
      "random numbers cannot be part of a live formula", at: "fisher(mean(softplus(x)), kind=\"sampled\")"),
  ]) func badInput(_ failure: Failure) { failure.check() }
}
