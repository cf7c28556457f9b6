import Checkpoints
import TensorCore

/// The residual block of guided-diffusion's U-Net (`unet.py`, `ResBlock`), in evaluation mode.
///
/// Normalise, SiLU, convolve; add the embedding, or normalise and modulate by it; SiLU, convolve; add the
/// skip path. Dropout is off.
public struct ResBlock: Sendable {
  /// A change of size inside the block, on both paths.
  public enum Resampling: Sendable {
    case none
    /// Nearest ×2.
    case up
    /// Mean of 2×2.
    case down
  }

  public var inNorm: GroupNorm32
  public var inConv: Conv2d
  public var embedding: Linear
  public var outNorm: GroupNorm32
  public var outConv: Conv2d
  /// Nil when the input itself is added.
  public var skip: Conv2d?
  /// Whether the embedding scales and shifts after the second normalisation, rather than being added.
  public let usesScaleShiftNorm: Bool
  public let resampling: Resampling

  /// Loads `in_layers`, `emb_layers`, `out_layers` and, if the channels change, `skip_connection`.
  /// - Parameter usesConvolutionSkip: the skip path is a 3×3 convolution instead of a 1×1
  public init(
    channels: Int, outChannels: Int, embeddingChannels: Int, usesScaleShiftNorm: Bool,
    usesConvolutionSkip: Bool = false, resampling: Resampling = .none, weights: WeightScope
  ) {
    self.usesScaleShiftNorm = usesScaleShiftNorm
    self.resampling = resampling
    inNorm = GroupNorm32(channels: channels, weights: weights.scope("in_layers.0"))
    inConv = Conv2d(
      inChannels: channels, outChannels: outChannels, kernelSize: 3, padding: 1,
      weights: weights.scope("in_layers.2"))
    embedding = Linear(
      inFeatures: embeddingChannels, outFeatures: usesScaleShiftNorm ? 2 * outChannels : outChannels,
      weights: weights.scope("emb_layers.1"))
    outNorm = GroupNorm32(channels: outChannels, weights: weights.scope("out_layers.0"))
    outConv = Conv2d(
      inChannels: outChannels, outChannels: outChannels, kernelSize: 3, padding: 1,
      weights: weights.scope("out_layers.3"))
    if channels != outChannels {
      skip = Conv2d(
        inChannels: channels, outChannels: outChannels, kernelSize: usesConvolutionSkip ? 3 : 1,
        padding: usesConvolutionSkip ? 1 : 0, weights: weights.scope("skip_connection"))
    }
  }

  /// - Parameters:
  ///   - x: `[N, channels, H, W]`
  ///   - siluEmbedding: SiLU of the time embedding, `[N, embeddingChannels]`; taken once for all blocks
  /// - Returns: `[N, outChannels, H', W']`
  public func callAsFunction(_ x: Tensor, siluEmbedding: Tensor) -> Tensor {
    var hidden = inConv(resample(inNorm(x, applyingSiLU: true)))
    let embedded = embedding(siluEmbedding)
    if usesScaleShiftNorm {
      let (scale, shift) = halves(embedded)
      hidden = outNorm(hidden, modulation: ChannelModulation(scale: scale, shift: shift), applyingSiLU: true)
    } else {
      hidden = outNorm(hidden.addingPerChannel(embedded), applyingSiLU: true)
    }
    let identity = resample(x)
    return outConv(hidden, residual: skip?(identity) ?? identity)
  }

  private func resample(_ x: Tensor) -> Tensor {
    switch resampling {
    case .none: x
    case .up: upsampleNearest2x(x)
    case .down: averagePool2x2(x)
    }
  }

  /// `[N, 2C]` as two of `[N, C]`.
  private func halves(_ x: Tensor) -> (Tensor, Tensor) {
    let (rows, half) = (x.shape[0], x.shape[1] / 2)
    func part(_ offset: Int) -> Tensor {
      Tensor(shape: [rows, half]) { y in
        withPointers(x) { x in
          for row in 0..<rows { (y + row * half).update(from: x + row * 2 * half + offset, count: half) }
        }
      }
    }
    return (part(0), part(half))
  }
}

extension Tensor {
  /// `[N, C, H, W]` plus `[N, C]`, the same number over a plane.
  func addingPerChannel(_ offsets: Tensor) -> Tensor {
    precondition(
      rank == 4 && offsets.shape == [shape[0], shape[1]], "offsets \(offsets.shape) per channel of \(shape)")
    let plane = shape[2] * shape[3]
    return Tensor(shape: shape) { y in
      withPointers(self, offsets) { x, offsets in
        parallelFor(shape[0] * shape[1]) { channel in
          let offset = offsets[channel]
          for index in channel * plane..<(channel + 1) * plane { y[index] = x[index] + offset }
        }
      }
    }
  }
}
