import Checkpoints
import TensorCore

/// Group normalisation with 32 groups, as everywhere in guided-diffusion (`nn.py`, `normalization`).
public struct GroupNorm32: Sendable {
  /// Number of groups.
  public static let groups = 32

  /// `[channels]`
  public var weight: Tensor
  /// `[channels]`
  public var bias: Tensor

  /// Loads `weight` and `bias` from a scope.
  /// - Precondition: the channels are a multiple of 32.
  public init(channels: Int, weights: WeightScope) {
    precondition(channels % Self.groups == 0, "\(channels) channels in \(Self.groups) groups")
    weight = weights.tensor("weight", shape: [channels])
    bias = weights.tensor("bias", shape: [channels])
  }

  /// Normalises `[N, …, channels]`, then modulates, then applies SiLU. The statistics are taken now, the rest
  /// is done by the convolution that reads the result.
  public func callAsFunction(
    _ x: ConvolutionInput, modulation: ChannelModulation? = nil, applyingSiLU: Bool = false
  ) -> ConvolutionInput {
    let normalization = ChannelNormalization.groups(
      Self.groups, of: x, weight: weight, bias: bias, modulation: modulation)
    return x.normalized(by: normalization, applyingSiLU: applyingSiLU)
  }
}
