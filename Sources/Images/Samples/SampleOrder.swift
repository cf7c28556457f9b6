import Base

/// The numbers at some places of a picture's samples in order, without sorting them: counts by the leading 16 bits of
/// each number's place in the order, then by the next 16 among those that matter. Every pass reads the picture again, so
/// that none of it is kept.
struct SampleOrder {
  /// Numbers that are finite, and others.
  private(set) var finite = 0
  private(set) var others = 0
  private let source: any SampleSource
  private let kind: SampleKind
  private var first: [Int]

  /// Bits that a pass counts by.
  private var digitBits: Int { min(16, 8 * kind.size) }

  /// - Throws: `DataError` when the picture is damaged.
  init(_ source: any SampleSource) throws(DataError) {
    self.source = source
    kind = source.kind
    first = []
    first = try counts(below: nil)
    finite = first.reduce(0, +)
  }

  /// Counts of the digit that follows a prefix.
  private mutating func counts(below prefix: (value: UInt64, bits: Int)?) throws(DataError) -> [Int] {
    var counts = [Int](repeating: 0, count: 1 << digitBits)
    let (kind, bits) = (kind, digitBits)
    let prefixBits = prefix?.bits ?? 0
    let shift = UInt64(8 * kind.size - prefixBits - bits)
    let mask = UInt64(1) << UInt64(bits) - 1
    var others = 0
    try source.rewind()
    while let rows = try source.next() {
      counts.withUnsafeMutableBufferPointer { counts in
        forEachPattern(rows.bytes, size: kind.size) { _, pattern in
          if kind.isFloat && !kind.number(pattern).isFinite {
            others += 1
            return
          }
          let key = kind.key(pattern)
          if let prefix, key >> (shift + UInt64(bits)) != prefix.value { return }
          counts[Int(key >> shift & mask)] += 1
        }
      }
    }
    if prefix == nil { self.others = others }
    return counts
  }

  /// The number at a place, 0 the least of those that are finite.
  /// - Precondition: there are as many.
  /// - Throws: `DataError` when the picture is damaged.
  mutating func number(at place: Int) throws(DataError) -> Double {
    precondition((0..<finite).contains(place), "place \(place) of \(finite) numbers")
    var (counts, left, prefix, bits) = (first, place, UInt64(0), 0)
    while true {
      var digit = 0
      while left >= counts[digit] {
        left -= counts[digit]
        digit += 1
      }
      prefix = prefix << UInt64(digitBits) | UInt64(digit)
      bits += digitBits
      if bits == 8 * kind.size { return kind.number(kind.pattern(ofKey: prefix)) }
      counts = try self.counts(below: (prefix, bits))
    }
  }

  /// A percentile, 0...100, as `numpy.percentile` has it: at place percentile / 100 (count - 1), interpolated linearly.
  /// - Precondition: there is a finite number.
  /// - Throws: `DataError` when the picture is damaged.
  mutating func percentile(_ percentile: Double) throws(DataError) -> Double {
    let place = percentile / 100 * Double(finite - 1)
    let low = min(Int(place), finite - 1)
    let a = try number(at: low)
    let part = place - Double(low)
    guard part > 0, low + 1 < finite else { return a }
    let b = try number(at: low + 1)
    // Numpy's order of operations.
    return part < 0.5 ? a + (b - a) * part : b - (b - a) * (1 - part)
  }
}
