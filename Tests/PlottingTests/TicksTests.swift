import Testing

@testable import Plotting

@Suite struct TicksTests {
  private func labels(_ low: Double, _ high: Double, _ scale: Scale = .linear, target: Int = 5) -> [String] {
    Ticks.choose(low, high, scale: scale, target: target).map(\.label)
  }

  @Test func stepsAreOneTwoOrFive() {
    #expect(labels(0, 1) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(labels(0, 10) == ["0", "2", "4", "6", "8", "10"])
    #expect(labels(-1, 1, target: 4) == ["-1.0", "-0.5", "0.0", "0.5", "1.0"])
    #expect(labels(3, 98) == ["20", "40", "60", "80"])
    #expect(labels(0, 0.3, target: 3) == ["0.0", "0.1", "0.2", "0.3"])
  }

  @Test func longNumbersBecomePowers() {
    #expect(labels(0, 4e-6, target: 4) == ["0", "1e-6", "2e-6", "3e-6", "4e-6"])
    #expect(labels(0, 1.5e6, target: 3) == ["0", "5e5", "1e6", "1.5e6"])
    #expect(labels(0, 5000) == ["0", "1000", "2000", "3000", "4000", "5000"])
  }

  @Test func largeOffsetsKeepTheirDigits() {
    #expect(labels(1000, 1001, target: 2) == ["1000.0", "1000.5", "1001.0"])
  }

  @Test func logAxesHaveDecades() {
    #expect(labels(1, 1000, .log) == ["1", "10", "100", "1000"])
    #expect(labels(1e-6, 1, .log, target: 4) == ["1e-6", "1e-4", "1e-2", "1"])
    #expect(labels(1e-20, 10, .log) == ["1e-20", "1e-15", "1e-10", "1e-5", "1"])
    #expect(labels(1, 20, .log) == ["1", "2", "5", "10", "20"])
    #expect(labels(3, 4, .log) == ["3.0", "3.2", "3.4", "3.6", "3.8", "4.0"])
  }

  @Test(arguments: [
    0...1e300, -1e308...1e308, 1e-300...2e-300, 0 ... .leastNonzeroMagnitude, 1...1.000_000_000_000_001,
    -7 ... -6.999_999_999,
    0.1...0.7,
  ])
  func ticksLieInTheirRange(range: ClosedRange<Double>) {
    let (low, high) = (range.lowerBound, range.upperBound)
    for scale in [Scale.linear, .log] {
      for target in [1, 2, 5, 12] {
        let values = Ticks.choose(low, high, scale: scale, target: target).map(\.value)
        #expect(values.count <= 4 * target + 12)
        #expect(values == values.sorted())
        let slack = (high / 2 - low / 2) * 1e-6 + high.ulp
        #expect(values.allSatisfy { $0 >= low - slack && $0 <= high + slack })
      }
    }
  }

  /// Of low plots, too.
  @Test func rowsOfTicksAreEven() {
    for height in 6...16 {
      for high in [0.7, 1, 2.3, 3, 4.1, 6, 9.9, 13, 17, 50] {
        for braille in [true, false] {
          let figure = Figure(marks: [.line(Series([0, high / 3, high]))])
          let text = renderText(figure, TextOptions(width: 40, height: height, braille: braille))
          let lines = text.split(separator: "\n")
          let rows = lines.indices.filter { lines[$0].contains("┤") }
          let gaps = zip(rows, rows.dropFirst()).map { $1 - $0 }
          let (least, most) = (gaps.min() ?? 0, gaps.max() ?? 0)
          #expect(most == least || least >= 2 && most == least + 1, "\(text)")
        }
      }
    }
  }

  @Test func noTickStandsAlone() {
    let series = Series([0, 1, 2], [-0.44, 0, 0.35])
    let text = renderText(
      Figure(yAxis: Axis(range: -0.44...0.35), marks: [.line(series)]), TextOptions(width: 40, height: 7))
    #expect(text.split(separator: "\n").count { $0.contains("┤") } > 1, "\(text)")
  }

  @Test func rangesWithoutWidthHaveNoTicks() {
    #expect(labels(1, 1).isEmpty)
    #expect(labels(.nan, 1).isEmpty)
    #expect(labels(0, .infinity).isEmpty)
    #expect(labels(-1, 1, .log).isEmpty)
  }

  @Test func numbersAreShort() {
    #expect(TickFormat.short(0.1 + 0.2) == "0.3")
    #expect(TickFormat.short(1000, digits: 3) == "1000")
    #expect(TickFormat.short(1.5e-7) == "1.5e-7")
    #expect(TickFormat.short(-.infinity) == "-inf")
    #expect(TickFormat.distinctLabels([1, 1.0001]) == ["1", "1.0001"])
    #expect(TickFormat.superscript("-2.5e-6") == "−2.5×10⁻⁶")
    #expect(TickFormat.superscript("1e12") == "10¹²")
    #expect(TickFormat.superscript("gate") == "gate")
    #expect(TickFormat.coordinate(-0.001) == "0")
    #expect(TickFormat.coordinate(12.305) == "12.31" || TickFormat.coordinate(12.305) == "12.3")
    #expect(TickFormat.coordinate(-3.05) == "-3.05")
  }
}
