import Foundation

/// The random numbers of a CPU `torch.Generator`: the same seed gives the same words, uniforms,
/// permutations and (to 2e-6) normal numbers as PyTorch.
///
/// For parity with PyTorch only; everything else in this package draws from `Philox`.
///
/// Source: Matsumoto and Nishimura, "Mersenne Twister", 1998; PyTorch's `randn` uses two rules, one
/// for fewer than 16 numbers and one for 16 and more.
public struct TorchMT19937: Sendable {
  private static let size = 624
  private var state: [UInt32]
  private var position: Int
  /// The sine partner of the last short draw, kept for the next one.
  private var keptNormal: Double?

  /// The generator after `torch.manual_seed(seed)`. Only the low 32 bits count.
  public init(seed: UInt64) {
    state = [UInt32](repeating: 0, count: Self.size)
    state[0] = UInt32(truncatingIfNeeded: seed)
    for index in 1..<Self.size {
      let previous = state[index - 1]
      state[index] = 1_812_433_253 &* (previous ^ (previous >> 30)) &+ UInt32(index)
    }
    position = Self.size
  }

  /// The next 32 random bits.
  public mutating func nextWord() -> UInt32 {
    if position == Self.size { refill() }
    var word = state[position]
    position += 1
    word ^= word >> 11
    word ^= (word << 7) & 0x9D2C_5680
    word ^= (word << 15) & 0xEFC6_0000
    word ^= word >> 18
    return word
  }

  private mutating func refill() {
    for index in 0..<Self.size {
      let mixed = (state[index] & 0x8000_0000) | (state[(index + 1) % Self.size] & 0x7FFF_FFFF)
      let twist: UInt32 = mixed & 1 == 0 ? 0 : 0x9908_B0DF
      state[index] = state[(index + 397) % Self.size] ^ (mixed >> 1) ^ twist
    }
    position = 0
  }

  /// `torch.rand` in single precision: a number in [0, 1) with 24 random bits.
  public mutating func uniform() -> Float {
    Float(nextWord() & 0xFF_FFFF) * 0x1p-24
  }

  /// A number in [0, 1) with 53 random bits, as `torch.rand` in double precision.
  public mutating func uniformDouble() -> Double {
    let high = UInt64(nextWord())
    let bits = (high << 32 | UInt64(nextWord())) & 0x1F_FFFF_FFFF_FFFF
    return Double(bits) * 0x1p-53
  }

  /// `torch.randint(low, high)`: of one word, and of two for ranges from 2^28 on, as PyTorch 2.6 and later draw it.
  /// - Precondition: the range is not empty.
  public mutating func integer(in range: Range<Int>) -> Int {
    precondition(!range.isEmpty, "no integer in \(range)")
    let count = UInt64(bitPattern: Int64(range.upperBound &- range.lowerBound))
    var word = UInt64(nextWord())
    if count >= 1 << 28 { word = word << 32 | UInt64(nextWord()) }
    return range.lowerBound &+ Int(truncatingIfNeeded: word % count)
  }

  /// `torch.randperm(count)`.
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for index in 0..<max(count - 1, 0) {
      order.swapAt(index, index + Int(nextWord()) % (count - index))
    }
    return order
  }

  /// `torch.randn(shape)`.
  public mutating func randn(shape: [Int]) -> Tensor {
    let count = Tensor.elementCount(of: shape)
    return Tensor(count < 16 ? shortRandn(count) : longRandn(count), shape: shape)
  }

  private mutating func shortRandn(_ count: Int) -> [Float] {
    (0..<count).map { _ in
      if let kept = keptNormal {
        keptNormal = nil
        return Float(kept)
      }
      let angle = 2 * Double.pi * uniformDouble()
      let radius = (-2 * log1p(-uniformDouble())).squareRoot()
      keptNormal = radius * sin(angle)
      return Float(radius * cos(angle))
    }
  }

  private mutating func longRandn(_ count: Int) -> [Float] {
    var values = (0..<count).map { _ in uniform() }
    func transform(_ start: Int) {
      for index in start..<start + 8 {
        let radius = (-2 * log(Double(1 - values[index]))).squareRoot()
        let angle = 2 * Double.pi * Double(values[index + 8])
        values[index] = Float(radius * cos(angle))
        values[index + 8] = Float(radius * sin(angle))
      }
    }
    for start in stride(from: 0, through: count - 16, by: 16) { transform(start) }
    if count % 16 != 0 {
      for index in count - 16..<count { values[index] = uniform() }
      transform(count - 16)
    }
    return values
  }
}
