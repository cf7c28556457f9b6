import TensorCore

extension Philox {
  /// A number in `0..<bound`; uneven by at most `bound / 2^64`.
  mutating func index(below bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// Puts the elements into a random order (Durstenfeld 1964). Unlike the standard library's shuffle it
  /// gives the same order with every version of Swift.
  package mutating func shuffle(_ elements: inout [Int32]) {
    for last in stride(from: elements.count - 1, to: 0, by: -1) {
      elements.swapAt(last, index(below: last + 1))
    }
  }
}
