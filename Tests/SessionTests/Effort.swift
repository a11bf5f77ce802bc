import Foundation

/// How many times as many random cases are tried: FUZZ=100 takes a hundred times as many.
let effort = Int(ProcessInfo.processInfo.environment["FUZZ"] ?? "1") ?? 1
