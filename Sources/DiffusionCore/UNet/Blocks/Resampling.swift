import Checkpoints
import Layers
import TensorCore

/// Doubles height and width: nearest neighbour, then optionally a 3×3 convolution (`Upsample`).
public struct Upsample: Sendable {
  public var conv: Conv2d?

  /// - Parameters:
  ///   - channels: of the input
  ///   - outChannels: of the convolution's output; nil for those of the input
  ///   - usesConvolution: loads `conv` from the scope; without it the layer has no weights
  ///   - algorithm: of the convolution
  ///   - weights: the scope of the layer
  public init(
    channels: Int, outChannels: Int? = nil, usesConvolution: Bool,
    algorithm: ConvolutionAlgorithm = .im2col, weights: WeightScope
  ) {
    guard usesConvolution else { return }
    conv = Conv2d(
      inChannels: channels, outChannels: outChannels ?? channels, kernelSize: 3, padding: 1,
      algorithm: algorithm, weights: weights.scope("conv"))
  }

  /// `[N, H, W, C]` gives `[N, 2H, 2W, C']`.
  public func callAsFunction(_ x: Tensor, tape: Tape? = nil) -> Tensor {
    let wide = upsampleNearest2x(x, tape: tape)
    return conv?(wide, tape: tape) ?? wide
  }
}

/// Halves height and width: a 3×3 convolution of stride 2, or the mean of 2×2 squares (`Downsample`).
public struct Downsample: Sendable {
  public var op: Conv2d?

  /// - Parameters:
  ///   - channels: of the input
  ///   - outChannels: of the convolution's output; nil for those of the input
  ///   - usesConvolution: loads `op` from the scope; without it the layer has no weights
  ///   - weights: the scope of the layer
  public init(channels: Int, outChannels: Int? = nil, usesConvolution: Bool, weights: WeightScope) {
    guard usesConvolution else { return }
    op = Conv2d(
      inChannels: channels, outChannels: outChannels ?? channels, kernelSize: 3, stride: 2, padding: 1,
      weights: weights.scope("op"))
  }

  /// `[N, H, W, C]` gives `[N, H / 2, W / 2, C']`, rounded up with a convolution and down without.
  public func callAsFunction(_ x: Tensor, tape: Tape? = nil) -> Tensor {
    op?(x, tape: tape) ?? averagePool2x2(x, tape: tape)
  }
}
