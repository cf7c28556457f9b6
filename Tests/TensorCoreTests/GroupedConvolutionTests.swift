import TensorCore
import TestSupport
import Testing

struct GroupedConvolutionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var groups = 2, inputs = 3, outputs = 2, kernel = 3, stride = 1, dilation = 1
    var padding: Padding2D = 1
    var algorithm = ConvolutionAlgorithm.im2col
    var testDescription: String {
      "\(groups) groups of \(inputs) and \(outputs), kernel \(kernel), stride \(stride), \(algorithm)"
    }

    static let all: [Case] = [
      .init(), .init(groups: 1), .init(groups: 5, inputs: 1, outputs: 1),
      .init(groups: 3, inputs: 4, outputs: 4, kernel: 1, padding: 0),
      // So many that they are computed in several blocks: whole groups, several groups, a prime number of them.
      .init(groups: 2, inputs: 32, outputs: 40), .init(groups: 16, inputs: 4, outputs: 8, stride: 2),
      .init(groups: 17, inputs: 3, outputs: 5, dilation: 2),
      .init(groups: 32, inputs: 2, outputs: 2, padding: .init(top: 0, left: 1, bottom: 2, right: 0)),
      .init(groups: 12, inputs: 8, outputs: 8, algorithm: .winograd4),
      .init(groups: 64, inputs: 1, outputs: 2, algorithm: .winograd2),
    ]
  }

  /// Weights of a plain convolution that has zeros between the groups.
  private static func plain(_ weight: Tensor, groups: Int) -> NaiveTensor {
    let (outputs, inputs) = (weight.shape[0] / groups, weight.shape[1])
    var plain = NaiveTensor(zeros: [weight.shape[0], inputs * groups, weight.shape[2], weight.shape[3]])
    let grouped = NaiveTensor(weight)
    for output in 0..<weight.shape[0] {
      for input in 0..<inputs {
        for row in 0..<weight.shape[2] {
          for column in 0..<weight.shape[3] {
            plain[output, output / outputs * inputs + input, row, column] =
              grouped[output, input, row, column]
          }
        }
      }
    }
    return plain
  }

  private func inputs(_ c: Case) -> (x: Tensor, weight: Tensor, bias: Tensor) {
    var random = Philox(seed: 8)
    return (
      random.normal(shape: [2, 9, 7, c.groups * c.inputs]),
      random.normal(shape: [c.groups * c.outputs, c.inputs, c.kernel, c.kernel]),
      random.normal(shape: [c.groups * c.outputs])
    )
  }

  @Test(arguments: Case.all)
  func equalsOracle(_ c: Case) {
    let (x, weight, bias) = inputs(c)
    let grouped = GroupedConvolutionWeight(weight, groups: c.groups, algorithm: c.algorithm)
    #expect(grouped.inChannels == x.shape[3] && grouped.outChannels == bias.count)
    let expected = naiveConv2d(
      NaiveTensor(x.channelsFirst), weight: Self.plain(weight, groups: c.groups), bias: NaiveTensor(bias),
      stride: c.stride, padding: c.padding, dilation: c.dilation)
    let y = groupedConv2d(
      x, weight: grouped, bias: bias, stride: c.stride, padding: c.padding, dilation: c.dilation)
    expectClose(y.channelsFirst, expected, absolute: 1e-4)
    var random = Philox(seed: 9)
    let residual = random.normal(shape: y.shape)
    let rectified = groupedConv2d(
      x, weight: grouped, bias: bias, stride: c.stride, padding: c.padding, dilation: c.dilation,
      residual: residual, activation: .relu)
    let sum = relu(y + residual)
    expectClose(rectified, NaiveTensor(sum), absolute: 1e-5)
  }

  @Test(arguments: Case.all)
  func gradientsEqualOracle(_ c: Case) {
    let (x, weight, _) = inputs(c)
    let grouped = GroupedConvolutionWeight(weight, groups: c.groups, algorithm: c.algorithm)
    grouped.keepForTraining()
    let y = groupedConv2d(x, weight: grouped, stride: c.stride, padding: c.padding, dilation: c.dilation)
    var random = Philox(seed: 10)
    let gradient = random.normal(shape: y.shape)
    let expected = naiveConv2dBackward(
      NaiveTensor(gradient.channelsFirst), x: NaiveTensor(x.channelsFirst),
      weight: Self.plain(weight, groups: c.groups), stride: c.stride, padding: c.padding,
      dilation: c.dilation)
    let dx = groupedConv2dInputGradient(
      gradient, weight: grouped, height: 9, width: 7, stride: c.stride, padding: c.padding,
      dilation: c.dilation)
    expectClose(dx.channelsFirst, expected.x, absolute: 1e-4)
    let dWeight = groupedConv2dWeightGradient(
      gradient, x: x, weight: grouped, stride: c.stride, padding: c.padding, dilation: c.dilation)
    #expect(dWeight.shape == weight.shape)
    let found = Self.plain(dWeight, groups: c.groups)
    // Gradients between groups are those of weights that there are not.
    let kept = Self.plain(Tensor(repeating: 1, shape: weight.shape), groups: c.groups)
    var wanted = expected.weight
    for index in wanted.elements.indices { wanted.elements[index] *= kept.elements[index] }
    expectClose(found, wanted, absolute: 1e-4)
  }
}
