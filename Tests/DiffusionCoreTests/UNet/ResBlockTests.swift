import DiffusionCore
import TensorCore
import TestSupport
import Testing

struct ResBlockTests {
  /// The block by its definition, from kernels in double precision.
  private func reference(
    _ w: [String: Tensor], x: Tensor, embedding: Tensor, usesScaleShiftNorm: Bool,
    resampling: ResBlock.Resampling
  ) -> NaiveTensor {
    func norm(_ x: NaiveTensor, _ name: String, scale: NaiveTensor? = nil, shift: NaiveTensor? = nil)
      -> NaiveTensor
    {
      let flat = NaiveTensor(x.elements, shape: [x.shape[0], x.shape[1], x.shape[2] * x.shape[3]])
      let y = naiveGroupNorm(
        flat, groups: 32, weight: NaiveTensor(w["\(name).weight"]!), bias: NaiveTensor(w["\(name).bias"]!),
        eps: 1e-5,
        scale: scale, shift: shift, applyingSiLU: true)
      return NaiveTensor(y.elements, shape: x.shape)
    }
    func conv(_ x: NaiveTensor, _ name: String, padding: Int) -> NaiveTensor {
      naiveConv2d(
        x, weight: NaiveTensor(w["\(name).weight"]!), bias: NaiveTensor(w["\(name).bias"]!), stride: 1,
        padding: Padding2D(padding))
    }
    func resample(_ x: NaiveTensor) -> NaiveTensor {
      let tensor = Tensor(x.elements.map(Float.init), shape: x.shape)
      switch resampling {
      case .none: return x
      case .up: return NaiveTensor(upsampleNearest2x(tensor.channelsLast).channelsFirst)
      case .down: return NaiveTensor(averagePool2x2(tensor.channelsLast).channelsFirst)
      }
    }
    let embedded = NaiveTensor(
      linear(silu(embedding), weight: w["emb_layers.1.weight"]!, bias: w["emb_layers.1.bias"]!))
    let start = NaiveTensor(x)
    var hidden = conv(resample(norm(start, "in_layers.0")), "in_layers.2", padding: 1)
    let channels = hidden.shape[1]
    if usesScaleShiftNorm {
      var (scale, shift) = (
        NaiveTensor(zeros: [x.shape[0], channels]), NaiveTensor(zeros: [x.shape[0], channels])
      )
      for n in 0..<x.shape[0] {
        for c in 0..<channels { (scale[n, c], shift[n, c]) = (embedded[n, c], embedded[n, channels + c]) }
      }
      hidden = norm(hidden, "out_layers.0", scale: scale, shift: shift)
    } else {
      let plane = hidden.shape[2] * hidden.shape[3]
      for index in hidden.elements.indices { hidden.elements[index] += embedded.elements[index / plane] }
      hidden = norm(hidden, "out_layers.0")
    }
    var y = conv(hidden, "out_layers.3", padding: 1)
    var skip = resample(start)
    if let weight = w["skip_connection.weight"] {
      skip = conv(skip, "skip_connection", padding: weight.shape[2] / 2)
    }
    for index in y.elements.indices { y.elements[index] += skip.elements[index] }
    return y
  }

  @Test(
    arguments: [
      (32, 32, false, ConvolutionAlgorithm.im2col), (32, 64, false, .winograd4), (64, 32, true, .winograd2),
    ], [ResBlock.Resampling.none, .up, .down])
  func equalsDefinition(
    _ size: (channels: Int, out: Int, wideSkip: Bool, algorithm: ConvolutionAlgorithm),
    resampling: ResBlock.Resampling
  ) throws {
    for usesScaleShiftNorm in [false, true] {
      let (block, weights) = try randomLayer { weights in
        ResBlock(
          channels: size.channels, outChannels: size.out, embeddingChannels: 12,
          usesScaleShiftNorm: usesScaleShiftNorm, usesConvolutionSkip: size.wideSkip, resampling: resampling,
          algorithm: { _, _ in size.algorithm }, weights: weights)
      }
      var random = Philox(seed: 2)
      let (x, embedding) = (random.normal(shape: [2, size.channels, 6, 4]), random.normal(shape: [2, 12]))
      // In two parts, as after a skip.
      let wide = x.channelsLast
      let parts = [0..<8, 8..<size.channels].map { channels in
        let rows = stride(from: 0, to: wide.count, by: size.channels).flatMap { pixel in
          channels.map { wide.elements[pixel + $0] }
        }
        return Tensor(rows, shape: [2, 6, 4, channels.count])
      }
      let whole = block(ConvolutionInput(wide), siluEmbedding: silu(embedding))
      let joined = block(
        ConvolutionInput(parts[0], joinedWith: parts[1]), siluEmbedding: silu(embedding))
      let expected = reference(
        weights, x: x, embedding: embedding, usesScaleShiftNorm: usesScaleShiftNorm, resampling: resampling)
      expectClose(whole.channelsFirst, expected, absolute: 1e-4, relative: 1e-4)
      expectClose(joined.channelsFirst, expected, absolute: 1e-4, relative: 1e-4)
    }
  }

  @Test func smallestPicture() throws {
    let (block, _) = try randomLayer {
      ResBlock(channels: 32, outChannels: 32, embeddingChannels: 4, usesScaleShiftNorm: true, weights: $0)
    }
    let x = ConvolutionInput(Tensor(repeating: 1, shape: [1, 1, 1, 32]))
    let y = block(x, siluEmbedding: Tensor(zeros: [1, 4]))
    #expect(y.shape == [1, 1, 1, 32] && y.elements.allSatisfy { $0.isFinite })
  }
}
