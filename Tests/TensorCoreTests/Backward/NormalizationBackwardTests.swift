import TensorCore
import TestSupport
import Testing

struct GroupNormBackwardTests {
  static let sizes: [(batch: Int, channels: Int, groups: Int, length: Int)] =
    [(1, 4, 4, 3), (2, 6, 2, 5), (1, 3, 1, 7)]
    + randomSizes(count: 8, seed: 41, largest: [2, 3, 3, 9]).map { ($0[0], $0[1] * $0[2], $0[2], $0[3] + 1) }

  /// Against finite differences of the definition, in two parts, with and without modulation and SiLU.
  @Test(arguments: sizes, [(false, false), (false, true), (true, false), (true, true)])
  func equalsFiniteDifferences(
    size: (batch: Int, channels: Int, groups: Int, length: Int), kind: (isModulated: Bool, appliesSiLU: Bool)
  ) {
    var random = Philox(seed: 3)
    let x = random.normal(shape: [size.batch, size.channels, size.length])
    let (weight, bias) = (random.normal(shape: [size.channels]), random.normal(shape: [size.channels]))
    let scale = random.normal(shape: [size.batch, size.channels])
    let shift = random.normal(shape: [size.batch, size.channels])
    let gradient = random.normal(shape: [size.batch, size.length, size.channels])
    let whole = x.channelsLast
    let (left, right) = whole.splittingChannels(at: size.channels / 2)
    let input = size.channels > 1 ? ConvolutionInput(left, joinedWith: right) : ConvolutionInput(whole)
    let modulation = kind.isModulated ? ChannelModulation(scale: scale, shift: shift) : nil
    let normalized = input.normalized(
      by: .groups(size.groups, of: input, weight: weight, bias: bias, modulation: modulation),
      applyingSiLU: kind.appliesSiLU)
    let found = groupNormBackward(gradient, of: normalized)

    let names = [x, weight, bias, scale, shift].map { NaiveTensor($0) }
    let cotangent = NaiveTensor(gradient.channelsFirst)
    func expected(_ place: Int) -> NaiveTensor {
      finiteDifferenceGradient(at: names[place]) { changed in
        var all = names
        all[place] = changed
        return dot(
          naiveGroupNorm(
            all[0], groups: size.groups, weight: all[1], bias: all[2], eps: 1e-5,
            scale: kind.isModulated ? all[3] : nil, shift: kind.isModulated ? all[4] : nil,
            applyingSiLU: kind.appliesSiLU), cotangent)
      }
    }
    let dx = ConvolutionInput(found.first, joinedWith: found.second).tensor.channelsFirst
    expectClose(dx, expected(0), absolute: 2e-5, relative: 2e-5)
    expectClose(found.weight, expected(1), absolute: 2e-5, relative: 2e-5)
    expectClose(found.bias, expected(2), absolute: 2e-5, relative: 2e-5)
    #expect((found.modulation != nil) == kind.isModulated)
    if let modulation = found.modulation {
      expectClose(modulation.scale, expected(3), absolute: 2e-5, relative: 2e-5)
      expectClose(modulation.shift, expected(4), absolute: 2e-5, relative: 2e-5)
    }
  }

  /// Many pieces of many pixels: what the gradient must be orthogonal to, and the bits for any number of threads.
  @Test func manyPixels() {
    var random = Philox(seed: 4)
    let x = ConvolutionInput(random.normal(shape: [2, 61, 40, 64]))
    let gradient = random.normal(shape: x.shape)
    let (weight, bias) = (random.normal(shape: [64]), random.normal(shape: [64]))
    let normalized = x.normalized(by: .groups(32, of: x, weight: weight, bias: bias))
    let runs = withThreadCounts([1, 2, 3, 5]) { groupNormBackward(gradient, of: normalized) }
    for run in runs.dropFirst() {
      #expect(run.first == runs[0].first && run.weight == runs[0].weight && run.bias == runs[0].bias)
    }
    // Adding a constant to a group, or stretching it, changes nothing: the gradient has no such part.
    let (dx, values) = (runs[0].first.elements, x.first.elements)
    for group in [0, 31] {
      var (sum, product, size) = (0.0, 0.0, 0.0)
      for pixel in 0..<61 * 40 {
        for place in pixel * 64 + 2 * group..<pixel * 64 + 2 * group + 2 {
          let slope = Double(dx[place])
          sum += slope
          product += slope * Double(values[place])
          size += abs(slope)
        }
      }
      #expect(size > 1 && abs(sum) < 1e-5 * size && abs(product) < 1e-5 * size)
    }
  }
}
