import Checkpoints
import TensorCore

/// Group normalisation (Wu and He 2018).
public struct GroupNorm: Sendable {
  /// Number of groups.
  public let groups: Int
  /// `[channels]`
  public var weight: Tensor
  /// `[channels]`
  public var bias: Tensor
  public let eps: Float

  /// Loads `weight` and `bias` from a scope.
  /// - Parameters:
  ///   - groups: number of groups, which divides the channels
  ///   - channels: channels of the input
  ///   - eps: added to the variance inside the root
  ///   - weights: where the parameters lie
  public init(groups: Int, channels: Int, eps: Float = 1e-5, weights: WeightScope) {
    precondition(groups > 0 && channels % groups == 0, "\(channels) channels in \(groups) groups")
    self.groups = groups
    self.eps = eps
    weight = weights.tensor("weight", shape: [channels])
    bias = weights.tensor("bias", shape: [channels])
  }

  /// Normalises `[N, …, channels]`, then modulates, then applies SiLU. The statistics are taken now, the rest
  /// is done by the convolution that reads the result.
  public func callAsFunction(
    _ x: ConvolutionInput, modulation: ChannelModulation? = nil, applyingSiLU: Bool = false
  ) -> ConvolutionInput {
    let normalization = ChannelNormalization.groups(
      groups, of: x, weight: weight, bias: bias, eps: eps, modulation: modulation)
    return x.normalized(by: normalization, applyingSiLU: applyingSiLU)
  }
}
