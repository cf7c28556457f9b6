/// Philox4x32-10, a counter-based random generator.
///
/// A value: a copy continues where the original stood. `split` gives independent generators, so that
/// pieces of work which run in any order, on any number of threads, draw the same numbers.
///
/// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
public struct Philox: Sendable, Equatable {
  private var key: SIMD2<UInt32>
  private var stream: UInt64
  private var block: UInt64 = 0
  private var words = SIMD4<UInt32>()
  private var unusedWords = 0

  /// The generator of a seed.
  public init(seed: UInt64) {
    self.init(
      key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)), stream: 0)
  }

  /// A generator that is independent of this one and of those with other indices.
  ///
  /// It depends on what this generator was made from, not on how many numbers it has given.
  public func split(_ index: UInt64) -> Philox {
    // The block counter of ordinary draws never reaches the upper half, so these words are unused.
    let derived = Philox.words(block: ~index, stream: ~stream, key: key)
    return Philox(key: SIMD2(derived.x, derived.y), stream: UInt64(derived.z) << 32 | UInt64(derived.w))
  }

  /// A generator of a name, such as a file's: the same on every machine and in every run (the name's FNV-1a hash is the
  /// index of a split).
  public func split(name: String) -> Philox {
    split(name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
  }

  private init(key: SIMD2<UInt32>, stream: UInt64) {
    self.key = key
    self.stream = stream
  }

  /// The next 32 random bits.
  public mutating func nextWord() -> UInt32 {
    if unusedWords == 0 {
      words = Philox.words(block: block, stream: stream, key: key)
      block += 1
      unusedWords = 4
    }
    unusedWords -= 1
    return words[3 - unusedWords]
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    let low = nextWord()
    return UInt64(nextWord()) << 32 | UInt64(low)
  }

  /// Ten rounds over one counter (paper, section 4.3; the constants are those of its Table 2).
  package static func words(block: UInt64, stream: UInt64, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var counter = SIMD4(
      UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: block >> 32),
      UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32))
    var key = key
    for _ in 0..<10 {
      let first = 0xD251_1F53 * UInt64(counter.x)
      let second = 0xCD9E_8D57 * UInt64(counter.z)
      counter = SIMD4(
        UInt32(truncatingIfNeeded: second >> 32) ^ counter.y ^ key.x, UInt32(truncatingIfNeeded: second),
        UInt32(truncatingIfNeeded: first >> 32) ^ counter.w ^ key.y, UInt32(truncatingIfNeeded: first))
      key.x &+= 0x9E37_79B9
      key.y &+= 0xBB67_AE85
    }
    return counter
  }
}
