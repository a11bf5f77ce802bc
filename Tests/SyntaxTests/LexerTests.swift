import Syntax
import Testing

@Suite struct LexerTests {
  private func list(_ text: String) -> TokenList { Lexer.tokenize(SourceText(name: "t", text: text)) }

  @Test(arguments: [
    ("1", 1.0), ("1.5", 1.5), (".5", 0.5), ("1e-3", 1e-3), ("2E+4", 2e4), ("1_000", 1000), ("1.", 1),
  ])
  func numbers(text: String, value: Double) {
    let list = list(text)
    #expect(list.diagnostics.isEmpty)
    #expect(list.tokens.count == 2)
    #expect(list.number(of: list.tokens[0]) == value)
  }

  @Test func rangesAreNotFractions() {
    #expect(kinds("1..5") == [.number, .dotDot, .number])
    #expect(kinds("1.5..2.5") == [.number, .dotDot, .number])
    #expect(kinds("x[1]..n") == [.identifier, .leftBracket, .number, .rightBracket, .dotDot, .identifier])
  }

  @Test(arguments: ["1.2.3", "0x", "0xFF", "1e", "1e+", "3x", "1__0", "2_"])
  func malformedNumbers(text: String) {
    let list = list(text)
    #expect(list.diagnostics.count == 1)
    #expect(list.diagnostics.first?.message.hasPrefix("malformed number") == true)
    #expect(list.diagnostics.first?.hint != nil)
  }

  @Test(arguments: [
    ("lambda", "λ"), ("λ", "λ"), ("theta", "θ"), ("θ₁", "θ₁"), ("theta1", "θ1"), ("beta2", "β2"), ("µ", "μ"),
    ("lambda_1", "lambda_1"), ("x_1", "x_1"), ("Wₕ", "Wₕ"), ("größe", "größe"), ("_", "_"), ("pi", "π"),
  ])
  func names(text: String, canonical: String) {
    let list = list(text)
    #expect(list.tokens.map(\.kind) == [.identifier, .end])
    #expect(list.name(of: list.tokens[0]) == canonical)
    #expect(list.text(of: list.tokens[0]) == text)
  }

  @Test func spelledNames() {
    #expect(Names.spelled("λ") == "lambda")
    #expect(Names.spelled("β1") == "beta1")
    #expect(Names.spelled("x") == "x")
    #expect(Names.canonical(Names.spelled("Ω₂")) == "Ω₂")
  }

  @Test func operators() {
    #expect(
      kinds("+ - * / % ^ @ ( ) [ ] { } , ; : := = == != < <= > >= ~ .. ‖ ∇ ∇² ?")
        == [
          .plus, .minus, .star, .slash, .percent, .caret, .at, .leftParen, .rightParen, .leftBracket,
          .rightBracket, .leftBrace, .rightBrace, .comma, .semicolon, .colon, .define, .assign, .equal,
          .notEqual,
          .less, .lessEqual, .greater, .greaterEqual, .tilde, .dotDot, .normBar, .nabla, .nablaSquared,
          .question,
        ])
    #expect(kinds("≤ ≥ ≠ · × −") == [.lessEqual, .greaterEqual, .notEqual, .star, .star, .minus])
  }

  @Test func spacing() {
    let tokens = list("a b\nc # note\n(d)").tokens
    #expect(tokens.map(\.spaceBefore) == [true, true, true, true, false, false, true])
    #expect(tokens.map(\.newlineBefore) == [false, false, true, true, false, false, false])
  }

  @Test func transposeTouchesItsOperand() {
    #expect(kinds("A' B''") == [.identifier, .quote, .identifier, .quote, .quote])
    #expect(kinds("'text'") == [.invalid])
    #expect(list("x = 'a b'").diagnostics.first?.hint == "strings are written with double quotes")
  }

  @Test func strings() {
    #expect(tree(#""a\n\t\"\\ {{x}} b""#) == "\"a\n\t\"\\ {x} b\"")
    #expect(tree(#""f = {f:.4}, {2*x}""#) == #""f = {f:.4}, {(* 2 x)}""#)
    #expect(tree(#""{X[1:2]:.3}""#) == #""{(index X (: 1 2 _)):.3}""#)
    #expect(tree(##""{g("in {h("deep")}")}""##) == ##""{(g "in {(h "deep")}")}""##)
    #expect(tree(#""""#) == #""""#)
  }

  @Test func stringErrors() {
    #expect(messages("print \"abc\ny = 3").count == 1)
    #expect(messages("\"abc")[0].hasPrefix("this string is not closed"))
    #expect(messages("\"a {b\"")[0].hasPrefix("this brace in a string is not closed"))
    #expect(messages("\"a {} b\"")[0].hasPrefix("there is no expression between the braces"))
    #expect(messages("\"a\\q\"")[0].hasPrefix("unknown escape '\\q'"))
    #expect(messages("\"{1 +}\"") == ["expected an expression after '+', found '}'"])
    #expect(messages("\"{a b}\"") == ["expected '}', found 'b'"])
    #expect(parse("\"abc").completeness == .invalid)
  }

  @Test func commentsAndFirstLine() {
    #expect(tree("#!/usr/bin/env hlab\nx = 1 # one\n# two\n") == "(= x 1)")
    #expect(tree("\u{FEFF}x = 1\r\ny = 2\r\n") == "(= x 1)\n(= y 2)")
    #expect(tree("x\u{00A0}= 1") == "(= x 1)")
  }

  @Test func transcriptsLoseTheirPrompts() {
    let text = """
      hlab> param x = [1,
      ....>   2]
      hlab> f := sum(x^2)
      f : scalar = 5             objective
      hlab>
      """
    #expect(tree(text) == "(param x [1 2])\n(:= f (sum (^ x 2)))")
    #expect(tree("x = 1\nhlab> y = 2") == "(= x 1)\n(= y 2)")
    #expect(tree("hlab > 3") == "(hlab > 3)")
  }

  @Test func aWholeSessionMayBePasted() {
    let text = """
      hlab> param x = [-1.2, 1]
      hlab> f := (1 - x[0])^2 + 100*(x[1] - x[0]^2)^2
      f : scalar = 24.2             objective
      hlab> grad
      ∇f = [-215.6, -88]            ‖∇f‖ = 232.868
      hlab> eig
      λ = 1506.37, 23.6330          condition 63.7   all positive: f is locally convex
      hlab> step newton
      f: 24.2 → 4.73188             ‖∇f‖: 232.868 → 4.63943
      hlab> compare gd(lr=1e-3), newton, trust steps=30
      hlab> plot f                  # contour over x[0], x[1], with the path walked so far
      hlab> derive f wrt x          # the gradient and the Hessian as formulas
      """
    let result = parse(text)
    #expect(result.completeness == .complete)
    #expect(result.statements.count == 8)
  }
}
