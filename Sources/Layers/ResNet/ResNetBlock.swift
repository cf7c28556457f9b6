import Checkpoints
import TensorCore

// x: [N, H, W, C]

/// A block of a residual network, of either kind.
enum ResNetBlock: Sendable {
  case bottleneck(ResNetBottleneck)
  case basic(ResNetBasicBlock)

  init(
    _ shape: ResNetConfiguration.Block, inChannels: Int, algorithm: ConvolutionAlgorithm, use: NetworkUse,
    weights: WeightScope
  ) {
    self =
      shape.isBasic
      ? .basic(
        ResNetBasicBlock(shape, inChannels: inChannels, algorithm: algorithm, use: use, weights: weights))
      : .bottleneck(
        ResNetBottleneck(shape, inChannels: inChannels, algorithm: algorithm, use: use, weights: weights))
  }

  func callAsFunction(_ x: Tensor, tape: Tape? = nil, statistics: RunningStatistics? = nil) -> Tensor {
    switch self {
    case .bottleneck(let block): block(x, tape: tape, statistics: statistics)
    case .basic(let block): block(x, tape: tape, statistics: statistics)
    }
  }
}

/// `relu(x + norm(conv1×1(relu(norm(conv3×3(relu(norm(conv1×1(x)))))))))`, x through a 1×1 convolution where shapes differ.
public struct ResNetBottleneck: Sendable {
  private let reduce: NormalizedConv2d
  private let spatial: NormalizedConv2d
  private let expand: NormalizedConv2d
  private let downsample: NormalizedConv2d?

  /// Loads a block from a scope: `conv1`, `bn1`, …, `downsample.0`, `downsample.1`.
  /// - Parameters:
  ///   - shape: widths, stride and dilation
  ///   - inChannels: channels of the input
  ///   - eps: of the normalisations
  ///   - algorithm: of the 3×3 convolution
  ///   - use: what it is loaded for
  ///   - weights: where the parameters lie
  public init(
    _ shape: ResNetConfiguration.Block, inChannels: Int, eps: Float = 1e-5,
    algorithm: ConvolutionAlgorithm = .im2col, use: NetworkUse = .inference, weights: WeightScope
  ) {
    func layer(_ number: Int, _ from: Int, _ to: Int) -> NormalizedConv2d {
      NormalizedConv2d(
        inChannels: from, outChannels: to, kernelSize: 1, eps: eps, use: use,
        weights: weights.scope("conv\(number)"), norm: weights.scope("bn\(number)"))
    }
    reduce = layer(1, inChannels, shape.width)
    spatial = NormalizedConv2d(
      inChannels: shape.width, outChannels: shape.width, kernelSize: 3, groups: shape.groups,
      stride: shape.stride, padding: Padding2D(shape.dilation), dilation: shape.dilation, eps: eps,
      algorithm: algorithm, use: use, weights: weights.scope("conv2"), norm: weights.scope("bn2"))
    expand = layer(3, shape.width, shape.outChannels)
    downsample = shape.downsample(inChannels: inChannels, eps: eps, use: use, weights: weights)
  }

  /// `[N, H, W, inChannels]` gives `[N, H', W', outChannels]`.
  /// - Parameters:
  ///   - x: the input
  ///   - tape: where to record; nil for inference
  ///   - statistics: where running statistics go in training; nil for evaluation
  public func callAsFunction(
    _ x: Tensor, tape: Tape? = nil, statistics: RunningStatistics? = nil
  ) -> Tensor {
    let reduced = reduce(x, activation: .relu, tape: tape, statistics: statistics)
    let hidden = spatial(reduced, activation: .relu, tape: tape, statistics: statistics)
    return expand(
      hidden, residual: downsample.map { $0(x, tape: tape, statistics: statistics) } ?? x, activation: .relu,
      tape: tape, statistics: statistics)
  }
}

/// `relu(x + norm(conv3×3(relu(norm(conv3×3(x))))))`, x through a 1×1 convolution where shapes differ (ResNet-18 and
/// ResNet-34).
public struct ResNetBasicBlock: Sendable {
  private let first: NormalizedConv2d
  private let second: NormalizedConv2d
  private let downsample: NormalizedConv2d?

  /// Loads a block from a scope: `conv1`, `bn1`, `conv2`, `bn2`, `downsample.0`, `downsample.1`.
  /// - Parameters:
  ///   - shape: widths, stride and dilation
  ///   - inChannels: channels of the input
  ///   - eps: of the normalisations
  ///   - algorithm: of the second convolution
  ///   - use: what it is loaded for
  ///   - weights: where the parameters lie
  public init(
    _ shape: ResNetConfiguration.Block, inChannels: Int, eps: Float = 1e-5,
    algorithm: ConvolutionAlgorithm = .im2col, use: NetworkUse = .inference, weights: WeightScope
  ) {
    func layer(_ number: Int, _ from: Int, stride: Int, algorithm: ConvolutionAlgorithm) -> NormalizedConv2d {
      NormalizedConv2d(
        inChannels: from, outChannels: shape.outChannels, kernelSize: 3, stride: stride,
        padding: Padding2D(shape.dilation), dilation: shape.dilation, eps: eps, algorithm: algorithm,
        use: use, weights: weights.scope("conv\(number)"), norm: weights.scope("bn\(number)"))
    }
    first = layer(1, inChannels, stride: shape.stride, algorithm: .im2col)
    second = layer(2, shape.outChannels, stride: 1, algorithm: algorithm)
    downsample = shape.downsample(inChannels: inChannels, eps: eps, use: use, weights: weights)
  }

  /// `[N, H, W, inChannels]` gives `[N, H', W', outChannels]`.
  /// - Parameters:
  ///   - x: the input
  ///   - tape: where to record; nil for inference
  ///   - statistics: where running statistics go in training; nil for evaluation
  public func callAsFunction(
    _ x: Tensor, tape: Tape? = nil, statistics: RunningStatistics? = nil
  ) -> Tensor {
    second(
      first(x, activation: .relu, tape: tape, statistics: statistics),
      residual: downsample.map { $0(x, tape: tape, statistics: statistics) } ?? x, activation: .relu,
      tape: tape, statistics: statistics)
  }
}

extension ResNetConfiguration.Block {
  /// The convolution of the skip, where there is one.
  fileprivate func downsample(
    inChannels: Int, eps: Float, use: NetworkUse, weights: WeightScope
  ) -> NormalizedConv2d? {
    guard hasDownsample else { return nil }
    let scope = weights.scope("downsample")
    return NormalizedConv2d(
      inChannels: inChannels, outChannels: outChannels, kernelSize: 1, stride: stride, eps: eps, use: use,
      weights: scope.scope(0), norm: scope.scope(1))
  }
}
