import TensorCore

/// Lists of random sizes, each at least 1.
/// - Parameter largest: of each size of a list
public func randomSizes(count: Int, seed: UInt64, largest: [Int]) -> [[Int]] {
  (0..<count).map { index in
    var random = Philox(seed: seed).split(UInt64(index))
    return largest.map { random.integer(in: 1...$0) }
  }
}
