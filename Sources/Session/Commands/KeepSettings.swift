import Syntax
import Tensors

extension Commands {
  static var setCommand: CommandDefinition {
    CommandDefinition(
      verb: "set", usage: "set [NAME VALUE]", summary: "Changes a setting, or lists all of them.",
      options: Setting.allCases.map { ($0.rawValue, $0.text) }, example: "set digits 8\nprint π",
      changesState: true
    ) { call in
      if call.command.subjects.isEmpty && call.command.options.isEmpty {
        call.print(call.interpreter.settingsText)
        return call.isAssigned ? call.interpreter.settingsRecord : .nothing
      }
      call.interpreter.willChange()
      for option in call.command.options {
        try call.interpreter.set(option.name ?? "", [option.value], option.span)
      }
      guard let name = call.subject else { return .nothing }
      try call.interpreter.set(name.span.text, Array(call.command.subjects.dropFirst()), name.span)
      return .nothing
    }
  }
}

/// What `set` knows.
enum Setting: String, CaseIterable {
  case precision, digits, ascii, memory

  var text: String {
    switch self {
    case .precision: return "f64 or f32, of all that is computed"
    case .digits: return "significant digits of printed numbers, 1 to 17"
    case .ascii: return "true to plot and print in plain ASCII"
    case .memory: return "what one computation may take: 4e9, \"4 GB\", or auto"
    }
  }
}

extension Interpreter {
  fileprivate func set(_ name: String, _ values: [Expr], _ span: Span) throws {
    guard let setting = Setting(rawValue: name) else {
      let known = Setting.allCases.map(\.rawValue)
      throw Diagnostic(
        .name, "there is no setting '\(name)'", at: span,
        notes: ["settings are \(known.joined(separator: ", "))"],
        hint: closestMatch(to: name, in: known).map { "did you mean '\($0)'?" })
    }
    guard let value = values.first else {
      throw Diagnostic(.syntax, "'set \(name)' needs a value", at: span, hint: "\(name) is \(setting.text)")
    }
    switch setting {
    case .precision:
      guard let precision = Precision(rawValue: word(value)) else {
        throw Diagnostic(.domain, "precision is f64 or f32, not \(value.span.text)", at: value.span)
      }
      setPrecision(precision)
    case .digits:
      let digits = try whole(value)
      guard (1...17).contains(digits) else {
        throw Diagnostic(.domain, "digits is 1 to 17, not \(digits)", at: value.span)
      }
      state.settings.digits = digits
    case .ascii: state.settings.isASCII = try truth(value, "ascii")
    case .memory: state.settings.memoryLimit = try bytes(values)
    }
  }

  private func word(_ expr: Expr) -> String {
    if case .string(let parts) = expr.kind, case .text(let text)? = parts.first { return text }
    return expr.span.text
  }

  /// `4e9`, `4 GB`, `"4 GB"`; nil for `auto`.
  private func bytes(_ values: [Expr]) throws -> Int? {
    var text = values.map(word).joined(separator: " ")
    if text == "auto" { return nil }
    var factor = 1.0
    for (unit, size) in [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("KB", 1e3)]
    where text.hasSuffix(unit) {
      factor = size
      text = String(text.dropLast(unit.count))
    }
    while text.last == " " { text.removeLast() }
    let amount = try Double(text) ?? number(values[0])
    let size = amount * factor
    guard size >= 1e6, size <= 1e18 else {
      throw Diagnostic(
        .domain, "memory is at least 1 MB, in bytes or with a unit", at: values[0].span,
        hint: "set memory 4 GB")
    }
    return Int(size)
  }

  var settingsText: String {
    let settings = state.settings
    let limit = Double(settings.memoryLimit ?? Machine.memoryBytes / 4 * 3)
    let rows = [
      (Setting.precision, settings.precision.rawValue), (.digits, "\(settings.digits)"),
      (.ascii, "\(settings.isASCII)"),
      (.memory, Machine.describe(limit) + (settings.memoryLimit == nil ? " (auto)" : "")),
    ]
    let columns = rows.map(\.1.count).max() ?? 0
    return rows.map { setting, value in
      Help.padded(setting.rawValue, 11) + Help.padded(value, columns + 3) + setting.text
    }.joined(separator: "\n")
  }

  var settingsRecord: Value {
    let settings = state.settings
    return .record([
      ("precision", .string(settings.precision.rawValue)), ("digits", .number(Double(settings.digits))),
      ("ascii", .number(settings.isASCII ? 1 : 0)),
      ("memory", .number(Double(settings.memoryLimit ?? Machine.memoryBytes / 4 * 3))),
    ])
  }

  // MARK: Precision

  /// Rounds everything that the session holds, and computes in the new precision from now on.
  private func setPrecision(_ precision: Precision) {
    guard precision != state.settings.precision else { return }
    state.settings.precision = precision
    for (name, binding) in state.globals { state.globals[name] = binding.converted(to: precision) }
    for k in state.frames.indices {
      for (name, binding) in state.frames[k].locals {
        state.frames[k].locals[name] = binding.converted(to: precision)
      }
    }
    state.answer = state.answer?.converted(to: precision)
    structureChanged()
  }
}

extension Binding {
  func converted(to precision: Precision) -> Binding {
    switch self {
    case .variable(var v):
      v.value = v.value.converted(to: precision)
      return .variable(v)
    case .param(let leaf): return .param(leaf.converted(to: precision))
    case .data(let leaf): return .data(leaf.converted(to: precision))
    case .random(var leaf):
      leaf.value = leaf.value.converted(to: precision)
      return .random(leaf)
    case .definition, .function: return self
    }
  }
}

extension LeafBinding {
  func converted(to precision: Precision) -> LeafBinding {
    LeafBinding(
      id: id, value: value.converted(to: precision), declaration: declaration,
      initial: initial.converted(to: precision), order: order, bounds: bounds)
  }
}

extension Value {
  func converted(to precision: Precision) -> Value {
    switch self {
    case .tensor(let t): return .tensor(t.converted(to: precision))
    case .blockMatrix(let t, let names, let sizes):
      return .blockMatrix(t.converted(to: precision), names: names, sizes: sizes)
    case .sparse(let matrix, let names, let sizes):
      return .sparse(
        SparseMatrix(matrix.pattern, matrix.values.converted(to: precision)), names: names, sizes: sizes)
    case .bundle(let names, let tensors):
      return .bundle(names: names, tensors: tensors.map { $0.converted(to: precision) })
    case .record(let fields): return .record(fields.map { ($0.name, $0.value.converted(to: precision)) })
    case .tuple(let items): return .tuple(items.map { $0.converted(to: precision) })
    case .string, .nothing: return self
    }
  }
}
