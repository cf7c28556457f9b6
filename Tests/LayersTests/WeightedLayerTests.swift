import Checkpoints
import DiffusionCore
import Layers
import TensorCore
import TestSupport
import Testing

/// Layers that are a kernel with its weights.
struct WeightedLayerTests {
  @Test(arguments: [(3, 1, 1), (3, 2, 1), (1, 1, 0)])
  func conv2d(kernelSize: Int, stride: Int, padding: Int) throws {
    let (layer, w) = try randomLayer {
      Conv2d(
        inChannels: 3, outChannels: 4, kernelSize: kernelSize, stride: stride, padding: Padding2D(padding),
        weights: $0)
    }
    #expect(w["weight"]?.shape == [4, 3, kernelSize, kernelSize])
    #expect(w["bias"]?.shape == [4])
    var random = Philox(seed: 1)
    let x = random.normal(shape: [1, 3, 7, 5])
    let expected = naiveConv2d(
      NaiveTensor(x), weight: NaiveTensor(w["weight"]!), bias: NaiveTensor(w["bias"]!), stride: stride,
      padding: Padding2D(padding))
    expectClose(layer(x.channelsLast).channelsFirst, expected, absolute: 1e-5)
  }

  /// What the layer records are the gradients of its kernels.
  @Test func groupedConvolutionOnTheTape() throws {
    let (layer, w) = try randomLayer {
      GroupedConv2d(
        inChannels: 12, outChannels: 8, kernelSize: 3, groups: 4, stride: 2, padding: 1, weights: $0)
    }
    #expect(w["weight"]?.shape == [8, 3, 3, 3] && w["bias"]?.shape == [8])
    var random = Philox(seed: 2)
    let x = random.normal(shape: [2, 7, 5, 12])
    let tape = Tape()
    let residual = random.normal(shape: [2, 4, 3, 8])
    let y = layer(x, residual: residual, activation: .relu, tape: tape)
    expectClose(
      y,
      NaiveTensor(
        groupedConv2d(
          x, weight: layer.weight, bias: layer.bias, stride: 2, padding: 1, residual: residual,
          activation: .relu)),
      absolute: 0)
    let cotangent = random.normal(shape: y.shape)
    let gradients = tape.gradients(at: y, cotangent)
    let passed = reluBackward(cotangent, output: y)
    let expected: [(Tensor, Tensor)] = [
      (
        x,
        groupedConv2dInputGradient(passed, weight: layer.weight, height: 7, width: 5, stride: 2, padding: 1)
      ),
      (
        layer.weight.weight,
        groupedConv2dWeightGradient(passed, x: x, weight: layer.weight, stride: 2, padding: 1)
      ),
      (layer.bias!, sumOfRows(sumOfPixels(passed))), (residual, passed),
    ]
    for (tensor, gradient) in expected {
      let found = try #require(gradients[tensor])
      expectClose(found, NaiveTensor(gradient), absolute: 0)
    }
  }

  @Test func conv1dAndLinearAreTheSameAtOnePosition() throws {
    let (conv, w) = try randomLayer { Conv1d(inChannels: 6, outChannels: 4, weights: $0) }
    let arrays = [
      NamedArray(name: "weight", array: NumericArray(w["weight"]!.reshaped([4, 6]))),
      NamedArray(name: "bias", array: NumericArray(w["bias"]!)),
    ]
    let dense = Linear(
      inFeatures: 6, outFeatures: 4, weights: WeightScope(StateDictionary(arrays, file: "random")))
    var random = Philox(seed: 1)
    let x = random.normal(shape: [3, 6])
    let input = ConvolutionInput(x.reshaped([3, 1, 6]))
    expectClose(conv(input).reshaped([3, 4]), NaiveTensor(dense(x)), absolute: 1e-5)
    let residual = random.normal(shape: [3, 1, 4])
    let both = conv(input, residual: residual)
    expectClose(both, NaiveTensor(conv(input) + residual), absolute: 1e-5)
  }

  @Test func groupNorm32HasThirtyTwoGroups() throws {
    let (layer, w) = try randomLayer {
      GroupNorm(groups: UNetConfiguration.normGroups, channels: 64, weights: $0)
    }
    var random = Philox(seed: 1)
    let x = random.normal(shape: [1, 64, 9])
    let expected = naiveGroupNorm(
      NaiveTensor(x), groups: 32, weight: NaiveTensor(w["weight"]!), bias: NaiveTensor(w["bias"]!), eps: 1e-5,
      scale: nil, shift: nil, applyingSiLU: false)
    let y = layer(ConvolutionInput(x.channelsLast)).tensor.channelsFirst
    expectClose(y, expected, absolute: 1e-5, relative: 1e-5)
  }

  @Test func groupNorm32NeedsWholeGroups() async {
    await #expect(processExitsWith: .failure) {
      _ = GroupNorm(
        groups: UNetConfiguration.normGroups, channels: 48,
        weights: WeightScope(StateDictionary([], file: "")))
    }
  }
}
