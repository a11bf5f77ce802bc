import CKernels

/// Joins loops over the same entries, so that what they share is read and computed once: a value and its gradient, a
/// pointwise result with several readers, the sums and quotients of a softmax.
struct LoopFusion {
  /// How many steps of the plan two loops may be apart; what lies between them must not mind.
  private static let window = 24
  /// Registers and operations of one program. More registers make blocks shorter.
  private static let registerLimit = 40
  private static let operationLimit = 200

  enum Step {
    case other(Instruction)
    case loop(FusedLoop, count: Int)
    /// What another step does by now.
    case nothing
  }

  struct Slot {
    var step: Step
    var reads: Set<Int>
    var writes: Set<Int>
  }

  var slots: [Slot] = []

  /// - Parameters:
  ///   - kept: buffers of results.
  ///   - isArena: buffers that only the plan sees.
  static func apply(
    _ instructions: [Instruction], kept: Set<Int>, isArena: (Int) -> Bool
  ) throws -> [Instruction] {
    var fusion = LoopFusion()
    for instruction in instructions { fusion.add(instruction) }
    fusion.dropUnread(kept: kept, isArena: isArena)
    let isOwn = { !kept.contains($0) && isArena($0) }
    fusion.addToProducts(isOwn: isOwn)
    try fusion.gateProducts(isOwn: isOwn)
    return try fusion.slots.compactMap { slot in
      switch slot.step {
      case .nothing: return nil
      case .other(let instruction): return instruction
      case .loop(let loop, _): return loop.outputs.isEmpty ? nil : try loop.instruction()
      }
    }
  }

  private mutating func add(_ instruction: Instruction) {
    let (reads, writes) = (Set(instruction.reads), Set(instruction.writes))
    guard let loop = instruction as? LoopInstruction, loop.entries > ScalarFusion.entryLimit else {
      slots.append(Slot(step: .other(instruction), reads: reads, writes: writes))
      return
    }
    if !join(loop, reads, writes) {
      slots.append(Slot(step: .loop(FusedLoop(loop), count: 1), reads: reads, writes: writes))
    }
  }

  private struct Candidate {
    var place: Int
    var loop: FusedLoop
    var saved: Int
    var count: Int
    /// The loop moves up to the earlier one; else that moves down.
    var hoists: Bool
  }

  private mutating func join(_ loop: LoopInstruction, _ reads: Set<Int>, _ writes: Set<Int>) -> Bool {
    var best: Candidate?
    var readBetween = Set<Int>()
    var writtenBetween = Set<Int>()
    for place in slots.indices.suffix(Self.window).reversed() {
      let slot = slots[place]
      let hoists =
        writtenBetween.isDisjoint(with: reads) && readBetween.isDisjoint(with: writes)
        && writtenBetween.isDisjoint(with: writes)
      if case .loop(let earlier, let count) = slot.step {
        let sinks =
          readBetween.isDisjoint(with: slot.writes) && writtenBetween.isDisjoint(with: slot.reads)
          && writtenBetween.isDisjoint(with: slot.writes)
        if hoists || sinks, let (merged, saved) = earlier.merged(with: loop), saved > best?.saved ?? 0,
          merged.ops.count <= Self.operationLimit, merged.registerCount ?? .max <= Self.registerLimit
        {
          best = Candidate(place: place, loop: merged, saved: saved, count: count + 1, hoists: hoists)
        }
      }
      readBetween.formUnion(slot.reads)
      writtenBetween.formUnion(slot.writes)
    }
    guard let best else { return false }
    let joined = Slot(
      step: .loop(best.loop, count: best.count), reads: best.loop.reads, writes: best.loop.writes)
    if best.hoists {
      slots[best.place] = joined
    } else {
      slots.remove(at: best.place)
      slots.append(joined)
    }
    return true
  }

  /// Removes what was only handed on between loops that are one now.
  private mutating func dropUnread(kept: Set<Int>, isArena: (Int) -> Bool) {
    var readers: [Int: Int] = [:]
    for slot in slots { for buffer in slot.reads { readers[buffer, default: 0] += 1 } }
    for place in slots.indices.reversed() {
      guard case .loop(var loop, let count) = slots[place].step, count > 1 else { continue }
      let own = loop.reads
      loop.drop { output in
        let buffer = output.place.buffer
        return kept.contains(buffer) || !isArena(buffer)
          || readers[buffer, default: 0] > (own.contains(buffer) ? 1 : 0)
      }
      for buffer in slots[place].reads.subtracting(loop.reads) { readers[buffer, default: 0] -= 1 }
      slots[place].step = .loop(loop, count: count)
      slots[place].reads = loop.reads
    }
  }
}
