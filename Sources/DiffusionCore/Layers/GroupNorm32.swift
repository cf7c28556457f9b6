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
  /// - Throws: `DataError` when the channels are no multiple of 32.
  public init(channels: Int, weights: WeightScope) throws(DataError) {
    guard channels % Self.groups == 0 else {
      throw DataError(
        .unsupported, file: weights.file, item: weights.path, expected: "a multiple of 32 channels",
        found: "\(channels)")
    }
    weight = try weights.tensor("weight", shape: [channels])
    bias = try weights.tensor("bias", shape: [channels])
  }

  /// Normalises `[N, channels, …]`, then modulates, then applies SiLU.
  public func callAsFunction(
    _ x: Tensor, modulation: ChannelModulation? = nil, applyingSiLU: Bool = false
  ) -> Tensor {
    groupNorm(
      x, groups: Self.groups, weight: weight, bias: bias, modulation: modulation, applyingSiLU: applyingSiLU)
  }
}
