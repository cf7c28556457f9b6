// Whole numbers, orders and choices. Everything here follows from the 64-bit words alone: the standard library's
// `random(in:using:)` and `shuffle(using:)` may change with its version, and with them what a seed means. `Philox` is no
// `RandomNumberGenerator`, so that they cannot be called by accident.

extension Philox {
  /// A number in `0..<bound`, all with the same probability.
  ///
  /// Source: Lemire, "Fast random integer generation in an interval", ACM TOMACS 2019: the upper half of a product, and
  /// another draw for the few words that would make some numbers likelier.
  /// - Precondition: the bound is above 0.
  public mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0, "a number from 0 below \(bound)")
    let bound = UInt64(bound)
    var product = next().multipliedFullWidth(by: bound)
    if product.low < bound {
      // 2^64 modulo the bound.
      let surplus = (0 &- bound) % bound
      while product.low < surplus { product = next().multipliedFullWidth(by: bound) }
    }
    return Int(product.high)
  }

  /// A number in the range, all with the same probability.
  /// - Precondition: the range has fewer than 2^63 numbers.
  public mutating func integer(in range: ClosedRange<Int>) -> Int {
    range.lowerBound + integer(below: range.count)
  }

  /// A number in [0, 1) with 53 random bits.
  public mutating func uniformDouble() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A number in the range, the upper bound left out but for rounding.
  public mutating func real(in range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniformDouble()
  }

  /// Puts the elements into a random order, from the last place to the first (Durstenfeld, "Algorithm 235: Random
  /// permutation", CACM 1964).
  public mutating func shuffle<Element>(_ elements: inout [Element]) {
    for last in stride(from: elements.count - 1, to: 0, by: -1) {
      elements.swapAt(last, integer(below: last + 1))
    }
  }

  /// The elements in a random order.
  public mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
    var elements = elements
    shuffle(&elements)
    return elements
  }

  /// The numbers `0..<count` in a random order, from the first place to the last: the order in which earlier versions
  /// of this package showed pictures, so that their trainings go on as they were.
  /// - Precondition: 0 ≤ count ≤ 2^31
  public mutating func permutation(_ count: Int) -> [Int32] {
    var order = (0..<Int32(count)).map { $0 }
    for place in 0..<max(count - 1, 0) {
      order.swapAt(place, place + integer(below: count - place))
    }
    return order
  }

  /// One of the elements, all with the same probability; nil where there are none.
  public mutating func choice<Element>(of elements: [Element]) -> Element? {
    elements.isEmpty ? nil : elements[integer(below: elements.count)]
  }
}
