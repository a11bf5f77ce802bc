import Foundation
import Tensors
import Testing

@testable import Session

/// Loops compiled and loops interpreted are the same program.
@Suite struct CompiledLoopTests {
  /// A session whose loops are compiled as soon as possible, or never.
  private func session(compiled: Bool) -> Conversation {
    let conversation = Conversation()
    conversation.interpreter.loopThreshold = compiled ? 1 : .max
    return conversation
  }

  /// Everything that a program left behind.
  private struct Trace {
    var text: String
    var values: [String: [Double]]
    var points: [[Double]]
    var moves: Int
    var steps: Int
  }

  private func trace(_ program: String, compiled: Bool) -> (trace: Trace, conversation: Conversation) {
    let conversation = session(compiled: compiled)
    let text = conversation.say(program)
    return (trace(conversation, text), conversation)
  }

  private func trace(_ conversation: Conversation, _ text: String) -> Trace {
    let state = conversation.interpreter.state
    var values: [String: [Double]] = [:]
    for (name, binding) in state.globals { values[name] = binding.tensors.flatMap(\.doubles) }
    let points = state.path.points.map { point in
      point.params.sorted { $0.key < $1.key }.flatMap(\.value.doubles)
    }
    return Trace(
      text: text, values: values, points: points, moves: state.path.count, steps: state.stepsTaken)
  }

  private func isClose(_ a: [Double], _ b: [Double], _ tolerance: Double) -> Bool {
    a.count == b.count
      && zip(a, b).allSatisfy { x, y in
        x == y || x.isNaN && y.isNaN || abs(x - y) <= tolerance * max(1, abs(x), abs(y))
      }
  }

  private func expectEqual(_ a: Trace, _ b: Trace, _ program: String, _ tolerance: Double = 1e-10) {
    if tolerance < 1e-8 { #expect(a.text == b.text, "\(program)") }
    #expect(Set(a.values.keys) == Set(b.values.keys), "\(program)")
    for (name, value) in a.values {
      #expect(isClose(value, b.values[name] ?? [], tolerance), "\(name) of\n\(program)")
    }
    #expect(a.moves == b.moves && a.steps == b.steps, "\(program)")
    #expect(a.points.count == b.points.count, "\(program)")
    for (p, q) in zip(a.points, b.points) { #expect(isClose(p, q, tolerance), "path of\n\(program)") }
  }

  /// Runs a program both ways, then takes it back and does it again both ways.
  private func check(_ program: String, tolerance: Double = 1e-10) {
    let (a, compiled) = trace(program, compiled: true)
    let (b, interpreted) = trace(program, compiled: false)
    expectEqual(a, b, program, tolerance)
    for command in ["undo", "redo"] {
      let (x, y) = (compiled.say(command), interpreted.say(command))
      expectEqual(trace(compiled, x), trace(interpreted, y), "\(command) after\n\(program)", tolerance)
    }
  }

  private static let setting = """
    param x = [-1.2, 1]
    param W = [0.5, -0.25; 1, 2; 0.1, 0.3]
    data D = [1, 2, 3, 4, 5, 6]
    A = [1, 2; 3, 4]
    s = 0; u = [0.5, 0.25]
    f := (1 - x[0])^2 + 100*(x[1] - x[0]^2)^2 + sum((W@x - D[0:3])^2) + 0.1*sum(W^2)

    """

  @Test(arguments: [
    "repeat 30 { x = x - solve(hessian(f, x), grad(f, x)) }",
    "while norm(grad(f, x)) > 1e-6 { x = x - solve(hessian(f, x), grad(f, x)); s = s + 1 }",
    "for k in 0..40 { s = s + D[k % 6]^2; A[k % 2, 1] = s; u = A@u/norm(u) }",
    "for k in 0..20 { step gd lr=1e-4;\n }",
    "for k in 0..20 { s = f\n step newton lr=0.5;\n if s < 1e-2 { break } }",
    "for k in 0..20 { params = params - 1e-4*grad(f, params); if k % 3 == 0 { continue }; s = s + f }",
    "repeat 10 { u = x; step sgd lr=1e-5;\n A = [u[0], x[0]; u[1], x[1]] }",
    "for k in 0..12 { W[k % 3, :] = u; if k % 4 == 1 { print k, W[0, 0], f } else { u = u*0.9 } }",
    "for i in 0..4 { for j in 0..5 { s = s + i*j; if s > 30 { break } }; x[i % 2] = s/100 }",
    "data y = [0, 0]\nfor k in 0..8 { y = D[k % 3 : k % 3 + 2]; s = s + y[0]*y[1] }",
    "c = 0; t = 0; for k in 0..50 { y = 1e-9*k - c; n = 1e3*k + t + y; c = (n - t) - y; t = n }",
    "p(n) { r = 0; for k in 0..n { r = r + k*s; s = 2 }; return r }\nfor k in 3..9 { A[0, 0] = p(k) }",
    "repeat 5 { (s, u) = (s + 1, u*2) }; repeat 5 { s = s + sum(u) }",
    "for k in 0..9 { m = if s > 3 then u else 2*u; s = s + sum(m) }",
    "a = 0; repeat 7 { a = W; W = W*0.5 }",
    "while s < 10 { s = s + 1; while s % 4 != 0 { s = s + 0.5; u = u + s } }",
  ])
  func loopsAreEqual(_ loop: String) {
    check(Self.setting + loop)
    let loops = trace(Self.setting + loop, compiled: true).conversation.interpreter.loops.values
    #expect(loops.contains { $0.compiled != nil })
  }

  @Test(arguments: [
    // A singular matrix, a place outside an axis, a value that is not finite: the statement, and what was done before.
    "for k in 0..9 { s = k; u = solve([1, 1; 1, 6 - k] - [0, 0; 0, 0], [1, 2]) }",
    "for k in 0..9 { s = s + D[k] }",
    "for k in 0..9 { s = s + 1; D[k] = 2*k }",
    "for k in 0..9 { s = s + 1; A[k, 0] = k }",
    "repeat 50 { s = s + 1; step gd lr=0.1;\n }",
    "g := sqrt(x[0] + 3) + x[1]^2; objective g\nrepeat 50 { s = s + 1; step gd lr=2;\n }",
    "for k in 0..9 { s = s + 1; if k == 6 { u = [1, 2, 3] }; u = 2*u; W = W*0.5 }",
    "for k in 0..9 { s = k; assert k < 6, \"too far\"; u = u + k }",
    "for k in 0..12 { u = D[k/2] }",
    "for k in 0..6 { step gd lr=2 - k/2;\n }",
  ])
  func errorsAreEqual(_ loop: String) { check(Self.setting + loop) }

  @Test(arguments: [
    "y = [0]; for k in 0..9 { y = cat(y, [k]) }", "for k in 2..9 { z = zeros(k); s = sum(z) + s }",
    "for k in 0..9 { h := k*x[0]; s = s + h }",
    "for k in 0..6 { f := f + k*x[0]^2; x = x - 1e-3*grad(f, x) }",
    "for k in 0..6 { if k == 4 { set precision f32 }; s = s + 0.1; u = u*1.1 }",
    "for k in 0..8 { s = s + rand(); u = u*s }", "v ~ rademacher(2)\nrepeat 6 { step gd lr=1e-4;\n }",
    "for k in 0..8 { u = [k, k]; objective f; x = x*0.99; undone = 1 }",
    "for r in [1, 2; 3, 4; 5, 6] { s = s + r[0]*r[1] }",
  ])
  func loopsThatChangeTheirNamesAreEqual(_ loop: String) {
    check(Self.setting + loop, tolerance: 1e-6)
  }

  @Test func singlePrecisionIsEqual() {
    check(
      "set precision f32\n" + Self.setting
        + "for k in 0..30 { s = s + D[k % 6]/3; step gd lr=1e-4;\n W[0, 1] = s; u = x }", tolerance: 1e-6)
  }

  @Test func randomProgramsAreEqual() {
    for seed in 0..<60 {
      var generator = LoopGenerator(seed: UInt64(seed))
      check(Self.setting + generator.loop(depth: 2), tolerance: 1e-9)
    }
  }

  @Test func stepsCanBeTakenBackOneByOne() {
    let program = Self.setting + "repeat 12 { s = s + 1; step gd lr=1e-4;\n }"
    let (_, a) = trace(program, compiled: true)
    let (_, b) = trace(program, compiled: false)
    for command in ["undo 1 step", "undo 3 steps", "undo 8 steps", "undo 1 step"] {
      let (x, y) = (a.say(command), b.say(command))
      expectEqual(trace(a, x), trace(b, y), command)
    }
  }

  @Test func updatesAreNotSeenThroughOtherNames() {
    let conversation = session(compiled: true)
    conversation.say("param W = [1, 2, 3]; f := sum(W^2); a = W; b = [7, 8]; c = b")
    conversation.say("for k in 0..10 { d = W; step gd lr=0.1;\n b[0] = k; if k == 4 { e = W; g = b } }")
    let state = conversation.interpreter.state
    func value(_ name: String) -> [Double] { state.globals[name]?.tensors.flatMap(\.doubles) ?? [] }
    func power(_ n: Int) -> [Double] { [1, 2, 3].map { $0 * pow(0.8, Double(n)) } }
    #expect(
      value("a") == [1, 2, 3] && value("c") == [7, 8] && value("b") == [9, 8] && value("g") == [4, 8])
    #expect(isClose(value("d"), power(9), 1e-14) && isClose(value("W"), power(10), 1e-14))
    #expect(isClose(value("e"), power(5), 1e-14))
    conversation.say("undo")
    #expect(conversation.say("print W, b") == "[1, 2, 3] [7, 8]")
    conversation.say("redo")
    #expect(conversation.say("print b, g") == "[9, 8] [4, 8]")
  }

  @Test func aMillionIterationsKeepTheMemoryFlat() {
    let conversation = session(compiled: true)
    conversation.say("x = [1, 2]; y = 0; for i in 0..10 { y = y + x[i % 2]^2 }")
    // Other tests of the process take memory as well, but not each time.
    let growth = (0..<4).map { _ in
      let before = residentBytes()
      conversation.say("y = 25; for i in 0..1000000 { y = y + x[i % 2]^2 }")
      #expect(conversation.say("print y") == "2500025")
      return residentBytes() - before
    }
    #expect(growth.contains { $0 < 30_000_000 }, "\(growth)")
  }

  private func residentBytes() -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
  }
}

/// Random loops over the names of `CompiledLoopTests.setting`. The same for the same seed.
private struct LoopGenerator {
  private var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(state: (seed &+ 1) &* 0x9E37_79B9_7F4A_7C15) }

  private mutating func next(_ bound: Int) -> Int { random.below(bound) }

  private mutating func pick(_ choices: [String]) -> String { choices[next(choices.count)] }

  private mutating func scalar() -> String {
    pick([
      "s", "k", "0.3", "x[0]", "W[k % 3, 1]", "D[k % 6]", "sum(u)", "A[1, 0]", "tanh(s)", "min(s, 2)",
      "norm(x)",
    ])
  }

  private mutating func vector() -> String {
    pick([
      "u", "x", "0.5*u", "A@u/(1 + norm(A@u))", "x*0.9", "sin(u)", "[s, k]/(1 + abs(s))", "W[1, :]", "-u + x",
    ])
  }

  mutating func statement(depth: Int) -> String {
    switch next(depth > 0 ? 14 : 9) {
    case 0, 1: return "s = \(scalar()) + 0.5*tanh(\(scalar()))"
    case 2, 3: return "u = \(vector())"
    case 4: return "x = 0.5*tanh(\(vector()))"
    case 5: return "W[\(pick(["k % 3", "0", "-1"])), \(pick([":", "k % 2"]))] = tanh(\(scalar()))"
    case 6: return "A = [\(scalar()), 1; 2, \(scalar())]"
    case 7: return "step \(pick(["gd lr=1e-4", "sgd lr=1e-4", "newton lr=0.1"]));\n"
    case 8: return pick(["D[k % 7] = s", "u = D[k % 5 : k % 5 + 2]", "a = W", "print s, u"])
    case 9: return "if \(scalar()) > \(scalar()) { \(statement(depth: depth - 1)) }"
    case 10:
      return "if k % \(2 + next(3)) == 0 { \(statement(depth: depth - 1)) } else { \(statement(depth: 0)) }"
    case 11: return "if \(scalar()) > 0.9 { \(pick(["break", "continue"])) }"
    case 12: return loop(depth: depth - 1)
    default: return "\(statement(depth: depth - 1)); \(statement(depth: depth - 1))"
    }
  }

  mutating func loop(depth: Int) -> String {
    let body = (0...(1 + next(3))).map { _ in statement(depth: depth) }.joined(separator: "; ")
    return "for k in 0..\(3 + next(9)) { \(body) }"
  }
}
