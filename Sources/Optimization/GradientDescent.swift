/// x − lr·∇f. Without a fixed step size, Armijo's backtracking from twice the last accepted step.
public struct GradientDescent: Method {
  public static let name = "gd"
  public let learningRate: Double?
  private var last = 1.0

  public init(learningRate: Double?) { self.learningRate = learningRate }

  public var order: DerivativeOrder { .gradient }

  public mutating func step(_ at: Evaluation, value: ([Double]) throws -> Double) throws -> Move {
    func point(_ t: Double) -> [Double] { zip(at.x, at.gradient).map { $0 - t * $1 } }
    if let learningRate { return Move(x: point(learningRate)) }
    let slope = -at.gradient.reduce(0) { $0 + $1 * $1 }
    if slope == 0 { return Move(x: at.x, notes: ["the gradient is zero"]) }
    var search = Backtracking()
    search.initial = 2 * last
    guard let found = try search.search(from: at.value, slope: slope, { try value(point($0)) }) else {
      throw Refusal(
        "no step along −∇f decreases the function",
        hint: "the point may be a minimum to machine precision; lr=… takes a fixed step")
    }
    last = found.step
    return Move(x: point(found.step), notes: ["step size \(found.step.short)"])
  }
}

extension Double {
  /// Three significant digits, for notes.
  var short: String {
    guard isFinite, self != 0 else { return "\(self)" }
    var scale = 1.0
    while (magnitude * scale) < 100 && scale < 1e12 { scale *= 10 }
    let rounded = (self * scale).rounded() / scale
    return Int(exactly: rounded).map(String.init) ?? "\(rounded)"
  }
}
