import Foundation
import TensorCore
import Testing

@Suite("Fast logarithm")
struct FastLogTests {
  @Test("is right to one unit in the last place or 1e-7, over all magnitudes")
  func accuracy() {
    var worst = 0.0
    var bits: UInt32 = Float.leastNormalMagnitude.bitPattern
    while bits < Float.infinity.bitPattern {
      let x = Float(bitPattern: bits)
      let expected = log(Double(x))
      worst = max(worst, abs(Double(fastLog(x)) - expected) / max(abs(expected) * 1.2e-7, 1e-7))
      bits += 7919
    }
    #expect(worst <= 1, "\(worst) times the limit")
  }

  @Test("of one is zero")
  func one() {
    #expect(fastLog(1) == 0)
  }

  @Test("around one, where the logarithm vanishes, it stays relatively exact")
  func nearOne() {
    for step in -1000...1000 where step != 0 {
      let x = 1 + Float(step) * 1e-5
      let expected = log(Double(x))
      #expect(abs(Double(fastLog(x)) - expected) <= 2e-7 * abs(expected))
    }
  }
}
