import Checkpoints
import TensorCore

/// What a network is loaded for.
public enum NetworkUse: Sendable {
  /// Normalisations are folded into the convolutions before them; no gradients can be asked for.
  case inference
  /// All parameters stay as they are in the file.
  case training
}

/// A convolution without a bias and the batch normalisation after it, the unit that residual networks are made of.
public struct NormalizedConv2d: Sendable {
  private enum Convolution {
    case plain(Conv2d)
    case grouped(GroupedConv2d)
  }
  private let convolution: Convolution
  /// Nil where it is folded into the convolution.
  private let norm: BatchNorm2d?

  /// Loads both from their scopes.
  /// - Parameters:
  ///   - inChannels: channels of the input
  ///   - outChannels: channels of the result
  ///   - kernelSize: side of the kernel
  ///   - groups: of channels that do not see each other
  ///   - stride: pixels from output to output
  ///   - padding: zeros around the picture
  ///   - dilation: pixels from tap to tap of the kernel
  ///   - eps: of the normalisation
  ///   - algorithm: of the convolution
  ///   - use: what the network is loaded for
  ///   - weights: scope of the convolution
  ///   - norm: scope of the normalisation
  public init(
    inChannels: Int, outChannels: Int, kernelSize: Int, groups: Int = 1, stride: Int = 1,
    padding: Padding2D = 0,
    dilation: Int = 1, eps: Float = 1e-5, algorithm: ConvolutionAlgorithm = .im2col, use: NetworkUse,
    weights: WeightScope, norm: WeightScope
  ) {
    let normalization = BatchNorm2d(channels: outChannels, eps: eps, weights: norm)
    let isFolded = use == .inference
    self.norm = isFolded ? nil : normalization
    if groups > 1 {
      convolution = .grouped(
        GroupedConv2d(
          inChannels: inChannels, outChannels: outChannels, kernelSize: kernelSize, groups: groups,
          stride: stride, padding: padding, dilation: dilation, hasBias: false,
          folding: isFolded ? normalization : nil, algorithm: algorithm, weights: weights))
    } else if isFolded {
      convolution = .plain(
        Conv2d(
          inChannels: inChannels, outChannels: outChannels, kernelSize: kernelSize, stride: stride,
          padding: padding, dilation: dilation, folding: normalization, algorithm: algorithm, weights: weights
        ))
    } else {
      convolution = .plain(
        Conv2d(
          inChannels: inChannels, outChannels: outChannels, kernelSize: kernelSize, stride: stride,
          padding: padding, dilation: dilation, hasBias: false, algorithm: algorithm, weights: weights))
    }
  }

  /// `[N, H, W, inChannels]` gives `[N, H', W', outChannels]`.
  /// - Parameters:
  ///   - x: the input
  ///   - residual: added after the normalisation, of the result's shape
  ///   - activation: of the sum
  ///   - tape: where to record; nil for inference
  ///   - statistics: where the running statistics go that a batch in training leaves behind, which is normalised with
  ///     statistics of its own; nil for the running statistics
  /// - Precondition: gradients and statistics are asked for of a network that was loaded for training.
  public func callAsFunction(
    _ x: Tensor, residual: Tensor? = nil, activation: ConvolutionActivation = .none, tape: Tape? = nil,
    statistics: RunningStatistics? = nil
  ) -> Tensor {
    guard let norm else {
      precondition(
        tape == nil && statistics == nil, "gradients or statistics of a network that was loaded for inference"
      )
      return convolved(x, residual: residual, activation: activation, tape: nil)
    }
    var y = norm(
      convolved(x, residual: nil, activation: .none, tape: tape), tape: tape,
      statistics: statistics)
    if let residual { y = sum(y, residual, tape: tape) }
    return activation == .relu ? relu(y, tape: tape) : y
  }

  private func convolved(
    _ x: Tensor, residual: Tensor?, activation: ConvolutionActivation, tape: Tape?
  ) -> Tensor {
    switch convolution {
    case .plain(let convolution):
      convolution(x, residual: residual, activation: activation, tape: tape)
    case .grouped(let convolution):
      convolution(x, residual: residual, activation: activation, tape: tape)
    }
  }
}
