import TensorCore
import TestSupport
import Testing

struct GroupNormTests {
  /// Chosen, and shapes that nobody chose: one to six channels in a group, from one channel on.
  static let sizes: [(batch: Int, channels: Int, groups: Int, length: Int)] =
    [(1, 32, 32, 1), (2, 8, 4, 35), (3, 96, 32, 16), (1, 6, 1, 7), (1, 64, 32, 5000)]
    + randomSizes(count: 20, seed: 31, largest: [4, 6, 33, 700]).map { ($0[0], $0[1] * $0[2], $0[2], $0[3]) }

  @Test(arguments: sizes)
  func equalsDefinition(batch: Int, channels: Int, groups: Int, length: Int) {
    var random = Philox(seed: 3)
    let x = random.normal(shape: [batch, channels, length])
    let weight = random.normal(shape: [channels])
    let bias = random.normal(shape: [channels])
    let scale = random.normal(shape: [batch, channels])
    let shift = random.normal(shape: [batch, channels])
    for isModulated in [false, true] {
      for applyingSiLU in [false, true] {
        let y = groupNorm(
          x.channelsLast, groups: groups, weight: weight, bias: bias,
          modulation: isModulated ? ChannelModulation(scale: scale, shift: shift) : nil,
          applyingSiLU: applyingSiLU)
        let expected = naiveGroupNorm(
          NaiveTensor(x), groups: groups, weight: NaiveTensor(weight), bias: NaiveTensor(bias), eps: 1e-5,
          scale: isModulated ? NaiveTensor(scale) : nil, shift: isModulated ? NaiveTensor(shift) : nil,
          applyingSiLU: applyingSiLU)
        expectClose(y.channelsFirst, expected, absolute: 1e-5, relative: 1e-5)
      }
    }
  }

  @Test func largeMeanKeepsItsDigits() {
    var random = Philox(seed: 4)
    let x = random.normal(shape: [1, 32, 400]).mapped { $0 + 3000 }
    let (one, zero) = (Tensor(repeating: 1, shape: [32]), Tensor(zeros: [32]))
    let y = groupNorm(x.channelsLast, groups: 32, weight: one, bias: zero)
    let expected = naiveGroupNorm(
      NaiveTensor(x), groups: 32, weight: NaiveTensor(one), bias: NaiveTensor(zero), eps: 1e-5, scale: nil,
      shift: nil, applyingSiLU: false)
    // The rounded mean alone would be off by half a unit in the last place of 3000, 1.2e-4.
    expectClose(y.channelsFirst, expected, absolute: 1e-5)
  }

  @Test func constantInputGivesBias() {
    let bias = Tensor((0..<32).map { Float($0) }, shape: [32])
    let y = groupNorm(
      Tensor(repeating: 5, shape: [1, 9, 32]), groups: 32, weight: Tensor(repeating: 2, shape: [32]),
      bias: bias)
    #expect((0..<32).allSatisfy { y[0, 4, $0] == Float($0) })
  }
}
