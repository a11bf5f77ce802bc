import Tensors

/// The four files of MNIST (LeCun, Cortes, Burges), as their authors published them.
public struct Mnist: Sendable {
  /// Images are rows × 784 with entries from 0 to 1; labels the digits.
  public let x, y, testX, testY: Tensor

  static let files = [
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte",
  ]

  /// Reads the first `train` and `test` rows from a folder; each file plain or with `.gz`, which is looked for first.
  /// Throws `missingFiles`, `unexpectedShape`, and what `Idx.read` throws, with the file's name.
  public init(
    folder: String, train: Int = 60_000, test: Int = 10_000, _ precision: Precision
  ) throws(DatasetError) {
    let paths = Self.files.map { name in
      [".gz", ""].map { "\(folder)/\(name)\($0)" }.first(where: isFile)
    }
    let missing = zip(Self.files, paths).filter { $1 == nil }.map(\.0)
    guard missing.isEmpty else { throw .missingFiles(folder: folder, names: missing) }
    var parts: [Idx.Bytes] = []
    for path in paths.compactMap({ $0 }) {
      do throws(DatasetError) { parts.append(try Idx.read(path)) } catch {
        throw .inFile(path: path, "\(error)")
      }
    }
    for (k, (path, part)) in zip(paths.compactMap { $0 }, parts).enumerated() {
      // Labels have as many rows as the images before them.
      let expected = k % 2 == 0 ? [part.shape[0], 28, 28] : [parts[k - 1].shape[0]]
      guard part.shape == expected else {
        throw .inFile(
          path: path,
          "the shape is \(part.shape.shapeDescription) where \(expected.shapeDescription) is expected")
      }
    }
    func images(_ k: Int, _ count: Int) -> Tensor {
      let all = parts[k].tensor(first: count, scaledBy: 1 / 255, precision)
      return all.reshaped([all.shape[0], 784])
    }
    x = images(0, train)
    y = parts[1].tensor(first: train, precision)
    testX = images(2, test)
    testY = parts[3].tensor(first: test, precision)
  }
}
