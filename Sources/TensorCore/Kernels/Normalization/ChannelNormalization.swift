// x: [N, …, C]

/// An affine map of every channel of every sample, `y = (x - mean) · factor + offset`, as normalisations come
/// down to once their statistics are known. `[N, C]` each.
///
/// The mean stands apart: folded into the offset it would cost the digits of `x - mean`.
public struct ChannelNormalization: Sendable {
  public let mean: Tensor
  public let factor: Tensor
  public let offset: Tensor

  // What it was made from, for the gradients.

  /// `[C]`
  public let weight: Tensor
  /// `[C]`
  public let bias: Tensor
  public let modulation: ChannelModulation?
  /// `1 / sqrt(variance + eps)` of every group of every sample, `N · G`.
  let inverseDeviations: [Float]
}

/// Scale and shift of every channel that depend on the sample, each `[N, C]`: `y · (1 + scale) + shift`.
public struct ChannelModulation: Sendable {
  public var scale: Tensor
  public var shift: Tensor

  public init(scale: Tensor, shift: Tensor) {
    self.scale = scale
    self.shift = shift
  }
}
