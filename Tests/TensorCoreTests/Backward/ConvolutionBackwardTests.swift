import TestSupport
import Testing

@testable import TensorCore

struct ConvolutionBackwardTests {
  @Test(
    "the oracle's gradients are those of finite differences",
    arguments: [(3, 1, 1, 1), (3, 2, 1, 1), (1, 1, 0, 1), (2, 3, 1, 1), (3, 1, 2, 2)])
  func oracle(kernel: Int, stride: Int, pixels: Int, dilation: Int) {
    let padding = Padding2D(top: pixels, left: 0, bottom: pixels, right: pixels)
    var random = Philox(seed: 1)
    let x = NaiveTensor(random.normal(shape: [2, 2, 5, 4]))
    let weight = NaiveTensor(random.normal(shape: [3, 2, kernel, kernel]))
    let bias = NaiveTensor(random.normal(shape: [3]))
    let y = naiveConv2d(x, weight: weight, bias: bias, stride: stride, padding: padding, dilation: dilation)
    let cotangent = NaiveTensor(random.normal(shape: y.shape))
    func scalar(_ x: NaiveTensor, _ weight: NaiveTensor, _ bias: NaiveTensor) -> Double {
      dot(
        naiveConv2d(x, weight: weight, bias: bias, stride: stride, padding: padding, dilation: dilation),
        cotangent)
    }
    let gradients = naiveConv2dBackward(
      cotangent, x: x, weight: weight, stride: stride, padding: padding, dilation: dilation)
    expectClose(gradients.x, finiteDifferenceGradient(at: x) { scalar($0, weight, bias) }, absolute: 1e-8)
    expectClose(
      gradients.weight, finiteDifferenceGradient(at: weight) { scalar(x, $0, bias) }, absolute: 1e-8)
    expectClose(gradients.bias, finiteDifferenceGradient(at: bias) { scalar(x, weight, $0) }, absolute: 1e-8)
  }

  /// Two parts of the input, so that both are read and both get their gradient.
  @Test(
    arguments: (ConvolutionCase.anyKernel + ConvolutionCase.winograd + ConvolutionCase.random
      + ConvolutionCase.windows)
      .filter { $0.padding.right < $0.k || $0.dilation > 1 })
  func equalsOracle(_ c: ConvolutionCase) {
    var random = Philox(seed: 17)
    let x = random.normal(shape: [c.n, c.c, c.h, c.w])
    let weight = random.normal(shape: [c.o, c.c, c.k, c.k])
    let kernel = ConvolutionWeight(weight, algorithm: c.algorithm)
    kernel.keepForTraining()
    let input = x.channelsLast
    let y = conv2d(
      ConvolutionInput(input), weight: kernel, stride: c.stride, padding: c.padding, dilation: c.dilation)
    let gradient = random.normal(shape: y.shape)
    let expected = naiveConv2dBackward(
      NaiveTensor(gradient.channelsFirst), x: NaiveTensor(x), weight: NaiveTensor(weight), stride: c.stride,
      padding: c.padding, dilation: c.dilation)
    let dx = conv2dInputGradient(
      gradient, weight: kernel, height: c.h, width: c.w, stride: c.stride, padding: c.padding,
      dilation: c.dilation)
    expectClose(dx.channelsFirst, expected.x, absolute: 1e-5 * Double(c.o * c.k * c.k).squareRoot())
    let (left, right) = input.splittingChannels(at: c.c / 2)
    let parts = c.c > 1 ? ConvolutionInput(left, joinedWith: right) : ConvolutionInput(input)
    let dWeight = conv2dWeightGradient(
      gradient, x: parts, kernelHeight: c.k, kernelWidth: c.k, stride: c.stride, padding: c.padding,
      dilation: c.dilation, algorithm: c.algorithm)
    let positions = Double(c.n * y.shape[1] * y.shape[2])
    expectClose(dWeight, expected.weight, absolute: 1e-5 * max(1, positions).squareRoot())
    expectClose(
      sumOfRows(sumOfPixels(gradient)), expected.bias, absolute: 1e-5 * max(1, positions).squareRoot())
  }

  /// Sums over parts of the pictures, and products by frequency, each with many channels.
  @Test(
    arguments: [(2, 48, 64, 40), (16, 8, 32, 32), (3, 8, 160, 96)], [ConvolutionAlgorithm.im2col, .winograd4])
  func weightGradientOfManyChannels(
    size: (batch: Int, side: Int, inChannels: Int, outChannels: Int), algorithm: ConvolutionAlgorithm
  ) {
    var random = Philox(seed: 18)
    let x = random.normal(shape: [size.batch, size.side, size.side, size.inChannels])
    let gradient = random.normal(shape: [size.batch, size.side, size.side, size.outChannels])
    let found = conv2dWeightGradient(
      gradient, x: ConvolutionInput(x), kernelHeight: 3, kernelWidth: 3, padding: 1, algorithm: algorithm)
    // The definition for some pairs of channels.
    for (o, c) in [(0, 0), (5, 31), (size.outChannels - 1, size.inChannels - 1)] {
      for (ky, kx) in [(0, 0), (1, 1), (2, 0), (0, 2)] {
        var sum = 0.0
        for n in 0..<size.batch {
          for row in max(0, 1 - ky)..<min(size.side, size.side + 1 - ky) {
            for column in max(0, 1 - kx)..<min(size.side, size.side + 1 - kx) {
              sum +=
                Double(gradient[n, row, column, o]) * Double(x[n, row + ky - 1, column + kx - 1, c])
            }
          }
        }
        let limit = 1e-5 * Double(size.batch * size.side * size.side).squareRoot()
        #expect(abs(Double(found[o, c, ky, kx]) - sum) < limit)
      }
    }
  }

  @Test func threadsDoNotChangeBits() {
    var random = Philox(seed: 19)
    let x = ConvolutionInput(random.normal(shape: [3, 18, 23, 40]))
    let gradient = random.normal(shape: [3, 18, 23, 70])
    let runs = withThreadCounts([1, 2, 3, 5]) {
      [ConvolutionAlgorithm.im2col, .winograd4].map {
        conv2dWeightGradient(
          gradient, x: x, kernelHeight: 3, kernelWidth: 3, padding: 1, algorithm: $0)
      } + [sumOfPixels(gradient)]
    }
    for run in runs.dropFirst() { #expect(run == runs[0]) }
  }

  /// More transformed tiles than exist at a time, so that they come in parts, the last a small one.
  @Test func weightGradientInParts() {
    var random = Philox(seed: 20)
    let (side, inChannels, outChannels) = (130, 192, 128)
    let tiles = (side + 3) / 4 * ((side + 3) / 4)
    #expect(36 * tiles * (inChannels + outChannels) * 3 > 2 * WinogradWeightGradient.mostTransformed)
    let x = random.normal(shape: [3, side, side, inChannels])
    let gradient = random.normal(shape: [3, side, side, outChannels])
    func weightGradient(_ samples: Range<Int>) -> Tensor {
      conv2dWeightGradient(
        gradient.samples(samples), x: ConvolutionInput(x.samples(samples)), kernelHeight: 3, kernelWidth: 3,
        padding: 1, algorithm: .winograd4)
    }
    let sum = weightGradient(0..<1) + weightGradient(1..<2) + weightGradient(2..<3)
    expectClose(weightGradient(0..<3), NaiveTensor(sum), absolute: 3e-2)
  }
}
