import Foundation
import TensorCore
import TestSupport
import Testing

struct ElementwiseBackwardTests {
  @Test(arguments: [1, 15, 16, 33, 5000])
  func silu(count: Int) {
    var random = Philox(seed: 1)
    let x = random.normal(shape: [count]) * 4
    let gradient = random.normal(shape: [count])
    let expected = zip(x.elements, gradient.elements).map { x, g in
      let sigmoid = 1 / (1 + exp(-Double(x)))
      return Double(g) * (sigmoid + Double(x) * sigmoid * (1 - sigmoid))
    }
    expectClose(
      siluBackward(gradient, x: x), NaiveTensor(expected, shape: [count]), absolute: 1e-6, relative: 2e-6)
  }

  @Test(arguments: [1, 7, 16, 21, 5000])
  func softmax(width: Int) {
    var random = Philox(seed: 2)
    let x = random.normal(shape: [3, width])
    let gradient = random.normal(shape: [3, width])
    let (y, logY) = (TensorCore.softmax(x), logSoftmax(x))
    var (expected, expectedLog) = (NaiveTensor(zeros: [3, width]), NaiveTensor(zeros: [3, width]))
    for row in 0..<3 {
      let range = row * width..<(row + 1) * width
      let powers = x.elements[range].map { exp(Double($0)) }
      let probabilities = powers.map { $0 / powers.reduce(0, +) }
      let slopes = gradient.elements[range].map(Double.init)
      let mean = zip(probabilities, slopes).reduce(0) { $0 + $1.0 * $1.1 }
      for k in 0..<width {
        expected[row, k] = probabilities[k] * (slopes[k] - mean)
        expectedLog[row, k] = slopes[k] - probabilities[k] * slopes.reduce(0, +)
      }
    }
    expectClose(softmaxBackward(gradient, output: y), expected, absolute: 2e-6)
    expectClose(logSoftmaxBackward(gradient, output: logY), expectedLog, absolute: 2e-5)
  }

  /// Resampling is linear: `⟨backward(g), x⟩ = ⟨g, forward(x)⟩` for every x.
  @Test(arguments: [(1, 1), (2, 2), (5, 7), (8, 3)])
  func resampling(height: Int, width: Int) {
    var random = Philox(seed: 3)
    for _ in 0..<5 {
      let x = random.normal(shape: [2, height, width, 5])
      let up = upsampleNearest2x(x)
      let upGradient = random.normal(shape: up.shape)
      check(upsampleNearest2xBackward(upGradient), x, upGradient, up)
      let down = averagePool2x2(x)
      let downGradient = random.normal(shape: down.shape)
      check(averagePool2x2Backward(downGradient, height: height, width: width), x, downGradient, down)
    }
  }

  private func check(_ dx: Tensor, _ x: Tensor, _ gradient: Tensor, _ y: Tensor) {
    #expect(dx.shape == x.shape)
    #expect(
      abs(dot(NaiveTensor(dx), NaiveTensor(x)) - dot(NaiveTensor(gradient), NaiveTensor(y))) < 1e-4)
  }
}
