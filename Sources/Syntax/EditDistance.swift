/// The number of edits that lead from one word to another: a character added, removed or replaced, or two
/// neighbours swapped (optimal string alignment).
///
/// - Complexity: O(m·n) in the lengths of the words.
public func editDistance(_ a: String, _ b: String) -> Int {
  let (a, b) = (Array(a), Array(b))
  var before: [Int] = []
  var last = Array(0...b.count)
  for i in 0..<a.count {
    var row = [i + 1]
    for j in 0..<b.count {
      var best = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
      if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] { best = min(best, before[j - 1] + 1) }
      row.append(best)
    }
    before = last
    last = row
  }
  return last[b.count]
}

/// The candidate that a misspelled word was most likely meant to be; nil when none is near enough. Words that
/// differ in case alone are nearest. A word that goes on where the candidate ends (`gradient` for `grad`), or ends
/// before it (`hess` for `hessian`), is as near as one with a single error, and comes before it; of others that are
/// equally near the shortest is taken, then the first in the alphabet, whatever order the candidates come in.
public func closestMatch<S: Sequence>(to word: String, in candidates: S) -> String?
where S.Element == String {
  // In short words a second error leaves too little of the word: `back` is no slip for `batch`.
  let limit = word.count <= 5 ? 1 : word.count <= 8 ? 2 : 3
  let lowercased = word.lowercased()
  var best: (distance: Int, other: Int, length: Int, word: String)?
  for candidate in candidates where candidate != word {
    let isStem =
      (candidate.count >= 3 && 2 * candidate.count >= word.count && lowercased.hasPrefix(candidate))
      || (word.count >= 4 && 2 * word.count >= candidate.count && candidate.hasPrefix(lowercased))
    guard isStem || abs(candidate.count - word.count) <= limit else { continue }
    let distance =
      candidate.lowercased() == lowercased ? 0 : isStem ? 1 : editDistance(lowercased, candidate.lowercased())
    // A word of which nothing is left is no likely misspelling.
    guard isStem || distance <= limit && distance < max(word.count, candidate.count) - distance else {
      continue
    }
    let rank = (distance, isStem ? 0 : 1, candidate.count, candidate)
    if best.map({ rank < $0 }) ?? true { best = rank }
  }
  return best?.word
}
