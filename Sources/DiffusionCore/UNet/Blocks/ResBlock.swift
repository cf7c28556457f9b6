import Checkpoints
import Layers
import TensorCore

/// The residual block of guided-diffusion's U-Net (`unet.py`, `ResBlock`).
///
/// Normalise, SiLU, convolve; add the embedding, or normalise and modulate by it; SiLU, dropout in training,
/// convolve; add the skip path.
public struct ResBlock: Sendable {
  /// A change of size inside the block, on both paths.
  public enum Resampling: Sendable {
    case none
    /// Nearest ×2.
    case up
    /// Mean of 2×2.
    case down
  }

  public var inNorm: GroupNorm
  public var inConv: Conv2d
  public var embedding: Linear
  public var outNorm: GroupNorm
  public var outConv: Conv2d
  /// Nil when the input itself is added.
  public var skip: Conv2d?
  /// Whether the embedding scales and shifts after the second normalisation, rather than being added.
  public let usesScaleShiftNorm: Bool
  public let resampling: Resampling

  /// Loads `in_layers`, `emb_layers`, `out_layers` and, if the channels change, `skip_connection`.
  /// - Parameters:
  ///   - channels: of the input
  ///   - outChannels: of the output
  ///   - embeddingChannels: of the time embedding
  ///   - usesScaleShiftNorm: whether the embedding scales and shifts the second normalisation's output, rather than
  ///     being added before it
  ///   - usesConvolutionSkip: the skip path is a 3×3 convolution instead of a 1×1
  ///   - resampling: change of size inside the block
  ///   - algorithm: for a 3×3 convolution of so many inputs and outputs
  ///   - weights: the scope of the block
  public init(
    channels: Int, outChannels: Int, embeddingChannels: Int, usesScaleShiftNorm: Bool,
    usesConvolutionSkip: Bool = false, resampling: Resampling = .none,
    algorithm: (_ inChannels: Int, _ outChannels: Int) -> ConvolutionAlgorithm = { _, _ in .im2col },
    weights: WeightScope
  ) {
    self.usesScaleShiftNorm = usesScaleShiftNorm
    self.resampling = resampling
    inNorm = GroupNorm(
      groups: UNetConfiguration.normGroups, channels: channels, weights: weights.scope("in_layers.0"))
    inConv = Conv2d(
      inChannels: channels, outChannels: outChannels, kernelSize: 3, padding: 1,
      algorithm: algorithm(channels, outChannels), weights: weights.scope("in_layers.2"))
    embedding = Linear(
      inFeatures: embeddingChannels, outFeatures: usesScaleShiftNorm ? 2 * outChannels : outChannels,
      weights: weights.scope("emb_layers.1"))
    outNorm = GroupNorm(
      groups: UNetConfiguration.normGroups, channels: outChannels, weights: weights.scope("out_layers.0"))
    outConv = Conv2d(
      inChannels: outChannels, outChannels: outChannels, kernelSize: 3, padding: 1,
      algorithm: algorithm(outChannels, outChannels), weights: weights.scope("out_layers.3"))
    if channels != outChannels {
      skip = Conv2d(
        inChannels: channels, outChannels: outChannels, kernelSize: usesConvolutionSkip ? 3 : 1,
        padding: usesConvolutionSkip ? 1 : 0,
        algorithm: usesConvolutionSkip ? algorithm(channels, outChannels) : .im2col,
        weights: weights.scope("skip_connection"))
    }
  }

  /// - Parameters:
  ///   - x: `[N, H, W, channels]`, perhaps two tensors side by side
  ///   - siluEmbedding: SiLU of the time embedding, `[N, embeddingChannels]`; taken once for all blocks
  ///   - dropout: share of the numbers before the last convolution that are dropped, with a tape
  ///   - tape: records the way back; nil for evaluation, without dropout
  /// - Returns: `[N, H', W', outChannels]`
  public func callAsFunction(
    _ x: ConvolutionInput, siluEmbedding: Tensor, dropout: Float = 0, tape: Tape? = nil
  ) -> Tensor {
    let embedded = embedding(siluEmbedding, tape: tape)
    let normalized = resample(inNorm(x, applyingSiLU: true), tape: tape)
    var hidden: ConvolutionInput
    if usesScaleShiftNorm {
      let (scale, shift) = splitChannels(embedded, tape: tape)
      hidden = outNorm(
        ConvolutionInput(inConv(normalized, tape: tape)),
        modulation: ChannelModulation(scale: scale, shift: shift), applyingSiLU: true)
    } else {
      hidden = outNorm(
        ConvolutionInput(inConv(normalized, offset: embedded, tape: tape)), applyingSiLU: true)
    }
    if let tape, dropout > 0 {
      hidden = ConvolutionInput(
        Layers.dropout(hidden.tensor(tape), probability: dropout, tape: tape))
    }
    let identity = resample(x, tape: tape)
    let residual = skip.map { $0(identity, tape: tape) } ?? identity.tensor(tape)
    return outConv(hidden, residual: residual, tape: tape)
  }

  private func resample(_ x: ConvolutionInput, tape: Tape?) -> ConvolutionInput {
    switch resampling {
    case .none: x
    case .up: ConvolutionInput(upsampleNearest2x(x.tensor(tape), tape: tape))
    case .down: ConvolutionInput(averagePool2x2(x.tensor(tape), tape: tape))
    }
  }
}
