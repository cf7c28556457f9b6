import Checkpoints
import Layers
import TensorCore

// x: [N, H, W, C]

/// Groups and eps of all normalisations of an autoencoder (`Normalize` of latent-diffusion's `model.py`).
func autoencoderNorm(_ channels: Int, _ weights: WeightScope) -> GroupNorm {
  GroupNorm(groups: 32, channels: channels, eps: 1e-6, weights: weights)
}

/// Normalise, SiLU, convolve, twice; plus the input, through a 1×1 convolution where widths differ (`ResnetBlock`).
public struct AutoencoderResBlock: Sendable {
  private let norm1: GroupNorm
  private let conv1: Conv2d
  private let norm2: GroupNorm
  private let conv2: Conv2d
  private let shortcut: Conv2d?

  /// Loads `norm1`, `conv1`, `norm2`, `conv2` and, where widths differ, `nin_shortcut` from a scope.
  /// - Parameters:
  ///   - channels: channels of the input
  ///   - outChannels: channels of the result
  ///   - algorithm: for a 3×3 convolution of so many inputs and outputs
  ///   - weights: where the parameters lie
  public init(
    channels: Int, outChannels: Int,
    algorithm: (_ inChannels: Int, _ outChannels: Int) -> ConvolutionAlgorithm = { _, _ in .im2col },
    weights: WeightScope
  ) {
    norm1 = autoencoderNorm(channels, weights.scope("norm1"))
    conv1 = Conv2d(
      inChannels: channels, outChannels: outChannels, kernelSize: 3, padding: 1,
      algorithm: algorithm(channels, outChannels), weights: weights.scope("conv1"))
    norm2 = autoencoderNorm(outChannels, weights.scope("norm2"))
    conv2 = Conv2d(
      inChannels: outChannels, outChannels: outChannels, kernelSize: 3, padding: 1,
      algorithm: algorithm(outChannels, outChannels), weights: weights.scope("conv2"))
    shortcut =
      channels == outChannels
      ? nil
      : Conv2d(
        inChannels: channels, outChannels: outChannels, kernelSize: 1, weights: weights.scope("nin_shortcut"))
  }

  /// `[N, H, W, channels]` gives `[N, H, W, outChannels]`.
  public func callAsFunction(_ x: Tensor, tape: Tape? = nil) -> Tensor {
    let hidden = conv1(norm1(ConvolutionInput(x), applyingSiLU: true), tape: tape)
    return conv2(
      norm2(ConvolutionInput(hidden), applyingSiLU: true),
      residual: shortcut.map { $0(x, tape: tape) } ?? x, tape: tape)
  }
}

/// Attention of one head over all pixels, plus the input (`AttnBlock`).
public struct AutoencoderAttention: Sendable {
  private let norm: GroupNorm
  private let q: TokenLinear
  private let k: TokenLinear
  private let v: TokenLinear
  private let projOut: TokenLinear

  /// Loads `norm`, `q`, `k`, `v` and `proj_out` from a scope.
  /// - Parameters:
  ///   - channels: channels of the input
  ///   - weights: where the parameters lie
  public init(channels: Int, weights: WeightScope) {
    func layer(_ name: String) -> TokenLinear {
      TokenLinear(
        inFeatures: channels, outFeatures: channels, isPointwiseConvolution: true,
        weights: weights.scope(name))
    }
    norm = autoencoderNorm(channels, weights.scope("norm"))
    (q, k, v, projOut) = (layer("q"), layer("k"), layer("v"), layer("proj_out"))
  }

  /// `[N, H, W, channels]` gives the same shape.
  public func callAsFunction(_ x: Tensor, tape: Tape? = nil) -> Tensor {
    let flat = x.reshaped([x.shape[0], x.shape[1] * x.shape[2], x.shape[3]])
    let normalized = norm(ConvolutionInput(flat))
    let attended = attention(
      q(normalized, tape: tape), k(normalized, tape: tape), v(normalized, tape: tape), heads: 1, tape: tape)
    return projOut(attended, residual: flat, tape: tape).reshaped(x.shape)
  }
}

/// Halves height and width: zeros to the right and below alone, then a 3×3 convolution of stride 2 (`Downsample`).
public struct AutoencoderDownsample: Sendable {
  private let conv: Conv2d

  /// Loads `conv` from a scope.
  /// - Parameters:
  ///   - channels: channels of input and result
  ///   - weights: where the parameters lie
  public init(channels: Int, weights: WeightScope) {
    conv = Conv2d(
      inChannels: channels, outChannels: channels, kernelSize: 3, stride: 2,
      padding: Padding2D(top: 0, left: 0, bottom: 1, right: 1), weights: weights.scope("conv"))
  }

  /// `[N, H, W, channels]` gives `[N, ⌊H / 2⌋, ⌊W / 2⌋, channels]`.
  public func callAsFunction(_ x: Tensor, tape: Tape? = nil) -> Tensor { conv(x, tape: tape) }
}

/// Doubles height and width: nearest neighbour, then a 3×3 convolution (`Upsample`).
public struct AutoencoderUpsample: Sendable {
  private let conv: Conv2d

  /// Loads `conv` from a scope.
  /// - Parameters:
  ///   - channels: channels of input and result
  ///   - algorithm: of the convolution
  ///   - weights: where the parameters lie
  public init(channels: Int, algorithm: ConvolutionAlgorithm = .im2col, weights: WeightScope) {
    conv = Conv2d(
      inChannels: channels, outChannels: channels, kernelSize: 3, padding: 1, algorithm: algorithm,
      weights: weights.scope("conv"))
  }

  /// `[N, H, W, channels]` gives `[N, 2H, 2W, channels]`.
  public func callAsFunction(_ x: Tensor, tape: Tape? = nil) -> Tensor {
    conv(upsampleNearest2x(x, tape: tape), tape: tape)
  }
}
