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

  /// Normalises `[N, channels, …]`, then modulates, then applies SiLU.
  public func callAsFunction(
    _ x: Tensor, modulation: ChannelModulation? = nil, applyingSiLU: Bool = false
  ) -> Tensor {
    groupNorm(
      x, groups: Self.groups, weight: weight, bias: bias, modulation: modulation, applyingSiLU: applyingSiLU)
  }
}
