extension Double {
  /// Three significant digits, for notes.
  var short: String {
    guard isFinite, self != 0 else { return self == 0 ? "0" : "\(self)" }
    var scale = 1.0
    while (magnitude * scale) < 100 && scale < 1e12 { scale *= 10 }
    let rounded = (self * scale).rounded() / scale
    return Int(exactly: rounded).map(String.init) ?? "\(rounded)"
  }
}
