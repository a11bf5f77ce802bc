import CKernels
import Graph
import Tensors

/// An array as a loop sees it: a place in a buffer and a stride (in entries) for each label that moves it.
struct Access: Hashable {
  /// In the place of a buffer: the array is not made yet, only how it would be laid out is known.
  static let noBuffer = -1

  var buffer: Int
  var offset: Int = 0
  var strides: [Label: Int] = [:]

  init(buffer: Int, offset: Int = 0, strides: [Label: Int] = [:]) {
    self.buffer = buffer
    self.offset = offset
    self.strides = strides
  }

  /// A dense row-major array whose axes carry `labels` (equal ones walk a diagonal).
  init(buffer: Int, shape: Shape, labels: [Label]) {
    self.buffer = buffer
    for (stride, label) in zip(shape.rowMajorStrides, labels) { strides[label, default: 0] += stride }
  }

  subscript(_ label: Label) -> Int { strides[label] ?? 0 }

  /// An array over axes 0, 1, … with other labels in their place (equal ones walk a diagonal).
  func relabeled(_ labels: [Label]) -> Access {
    var result = Access(buffer: buffer, offset: offset)
    for (axis, label) in labels.enumerated() { result.strides[label, default: 0] += self[axis] }
    return result
  }

  /// Puts `start + Σ steps · parameters` in the place of a label.
  mutating func substitute(_ label: Label, start: Int, parameters: [(label: Label, step: Int)]) {
    guard let stride = strides.removeValue(forKey: label) else { return }
    offset += stride * start
    for (parameter, step) in parameters where step != 0 { strides[parameter, default: 0] += stride * step }
  }

  /// As the kernels take it, for dimensions in the given order.
  func kernel(_ dimensions: [Label], register: Int) -> hk_access {
    var access = hk_access()
    access.buffer = Int32(buffer)
    access.reg = Int32(register)
    access.offset = Int64(offset)
    for (dimension, label) in dimensions.enumerated() { access[stride: dimension] = self[label] }
    return access
  }
}

extension Access {
  /// Each of the buffer's entries is reached, by one combination of the labels that move.
  func covers(_ count: Int, _ sizes: [Label: Int]) -> Bool {
    let moving = strides.filter { $0.value != 0 && sizes[$0.key] ?? 1 != 1 }
    return offset == 0 && moving.values.allSatisfy { $0 > 0 }
      && moving.keys.reduce(1) { $0 * (sizes[$1] ?? 1) } == count
      && hk_access.isInjective(moving.map { ($0.value, sizes[$0.key] ?? 1) })
  }
}

extension hk_access {
  /// No two places of a loop nest meet in one entry, as far as strides and sizes that nest can tell.
  static func isInjective(_ dimensions: [(stride: Int, size: Int)]) -> Bool {
    var reach = 0
    for (stride, size) in dimensions.sorted(by: { abs($0.stride) < abs($1.stride) }) where size > 1 {
      if abs(stride) <= reach { return false }
      reach += abs(stride) * (size - 1)
    }
    return true
  }
}

/// Several labels walked as one dimension.
struct MergedLabels {
  var size: Int
  var stride: Int
}

extension Access {
  /// The labels (outermost first) as one dimension, when their strides nest; nil when they do not.
  func merged(_ labels: [Label], _ sizes: [Label: Int]) -> MergedLabels? {
    var result = MergedLabels(size: 1, stride: 0)
    for label in labels.reversed() {
      let size = sizes[label] ?? 1
      if size == 1 { continue }
      let stride = self[label]
      if result.size == 1 {
        result = MergedLabels(size: size, stride: stride)
      } else if stride == result.stride * result.size {
        result.size *= size
      } else {
        return nil
      }
    }
    return result
  }
}
