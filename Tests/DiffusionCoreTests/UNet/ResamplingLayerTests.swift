import DiffusionCore
import TensorCore
import TestSupport
import Testing

struct ResamplingLayerTests {
  @Test func withoutConvolutionThereAreNoWeights() throws {
    let (up, upWeights) = try randomLayer { Upsample(channels: 5, usesConvolution: false, weights: $0) }
    let (down, downWeights) = try randomLayer { Downsample(channels: 5, usesConvolution: false, weights: $0) }
    #expect(upWeights.isEmpty && downWeights.isEmpty)
    var random = Philox(seed: 1)
    let x = random.normal(shape: [1, 4, 6, 5])
    #expect(up(x) == upsampleNearest2x(x) && down(x) == averagePool2x2(x))
    #expect(down(up(x)) == x)
  }

  @Test(arguments: [(4, 6), (5, 7), (1, 1)])
  func withConvolution(height: Int, width: Int) throws {
    let (up, upWeights) = try randomLayer {
      Upsample(
        channels: 3, outChannels: 4, usesConvolution: true, algorithm: .winograd4, weights: $0)
    }
    let (down, downWeights) = try randomLayer {
      Downsample(channels: 3, outChannels: 4, usesConvolution: true, weights: $0)
    }
    #expect(Set(upWeights.keys) == ["conv.weight", "conv.bias"])
    #expect(Set(downWeights.keys) == ["op.weight", "op.bias"])
    var random = Philox(seed: 1)
    let x = random.normal(shape: [2, height, width, 3])
    let expectedUp = naiveConv2d(
      NaiveTensor(upsampleNearest2x(x).channelsFirst), weight: NaiveTensor(upWeights["conv.weight"]!),
      bias: NaiveTensor(upWeights["conv.bias"]!), stride: 1, padding: 1)
    expectClose(up(x).channelsFirst, expectedUp, absolute: 1e-5)
    let expectedDown = naiveConv2d(
      NaiveTensor(x.channelsFirst), weight: NaiveTensor(downWeights["op.weight"]!),
      bias: NaiveTensor(downWeights["op.bias"]!),
      stride: 2, padding: 1)
    expectClose(down(x).channelsFirst, expectedDown, absolute: 1e-5)
    #expect(down(x).shape == [2, (height + 1) / 2, (width + 1) / 2, 4])
  }
}
