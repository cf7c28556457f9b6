import Checkpoints
import TensorCore

/// A convolution whose kernel and stride are a patch, and the tokens that it gives row by row (Dosovitskiy et al. 2021).
public struct PatchEmbedding: Sendable {
  public let patchSize: Int
  private let proj: Conv2d

  /// Loads `proj` from a scope.
  /// - Parameters:
  ///   - inChannels: channels of the pictures
  ///   - channels: numbers of a token
  ///   - patchSize: side of a patch, in pixels
  ///   - weights: where the parameters lie
  public init(inChannels: Int, channels: Int, patchSize: Int, weights: WeightScope) {
    self.patchSize = patchSize
    proj = Conv2d(
      inChannels: inChannels, outChannels: channels, kernelSize: patchSize, stride: patchSize,
      weights: weights.scope("proj"))
  }

  /// `[N, H, W, inChannels]` gives `[N, (H / patchSize) · (W / patchSize), channels]`.
  /// - Precondition: both sides are multiples of the patch size.
  public func callAsFunction(_ x: Tensor, tape: Tape? = nil) -> Tensor {
    precondition(
      x.rank == 4 && x.shape[1] % patchSize == 0 && x.shape[2] % patchSize == 0,
      "patches of \(patchSize) pixels of \(x.shape)")
    let y = proj(x, tape: tape)
    return y.reshaped([y.shape[0], y.shape[1] * y.shape[2], y.shape[3]])
  }
}
