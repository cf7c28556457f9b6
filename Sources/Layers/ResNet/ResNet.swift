import Checkpoints
import TensorCore

// x: [N, H, W, C]

/// A residual network of bottleneck blocks, without a head (He et al. 2016; the variant of torchvision, whose strides sit
/// on the 3×3 convolutions).
public struct ResNet: Sendable {
  public let configuration: ResNetConfiguration
  private let stem: NormalizedConv2d
  /// Of all stages in a row.
  private let blocks: [ResNetBottleneck]

  /// Loads a network from a scope.
  /// - Parameters:
  ///   - configuration: the architecture
  ///   - use: what it is loaded for
  ///   - policy: how 3×3 convolutions are computed
  ///   - weights: where the parameters lie, under torchvision's names
  public init(
    _ configuration: ResNetConfiguration, use: NetworkUse = .inference,
    convolutions policy: ConvolutionPolicy = .init(), weights: WeightScope
  ) {
    self.configuration = configuration
    stem = NormalizedConv2d(
      inChannels: configuration.inChannels, outChannels: configuration.stem, kernelSize: 7, stride: 2,
      padding: 3, use: use, weights: weights.scope("conv1"), norm: weights.scope("bn1"))
    let planned = Self.planned(configuration, imageSize: policy.imageSize)
    let chooser = ConvolutionChooser(policy, convolutions: planned.compactMap(\.self))
    var blocks: [ResNetBottleneck] = []
    var channels = configuration.stem
    for (stage, shapes) in configuration.stages.enumerated() {
      for (index, shape) in shapes.enumerated() {
        blocks.append(
          ResNetBottleneck(
            shape, inChannels: channels,
            algorithm: planned[blocks.count].map(chooser.algorithm) ?? .im2col, use: use,
            weights: weights.scope("layer\(stage + 1)").scope(index)))
        channels = shape.outChannels
      }
    }
    self.blocks = blocks
  }

  /// The 3×3 convolution of each block; nil where it has a stride or groups.
  private static func planned(
    _ configuration: ResNetConfiguration, imageSize: Int
  ) -> [PlannedConvolution?] {
    configuration.stages.enumerated().flatMap { stage, blocks in
      blocks.map { block in
        // Planned are plain convolutions.
        block.stride > 1 || block.groups > 1
          ? nil
          : PlannedConvolution(
            inChannels: block.width, outChannels: block.width, side: max(1, imageSize >> (2 + stage)))
      }
    }
  }

  /// The input of the first block: convolution, normalisation, ReLU and max pooling.
  /// - Parameters:
  ///   - x: `[N, H, W, inChannels]`
  ///   - tape: where to record; nil for inference
  /// - Returns: `[N, H', W', stem]`, each side halved twice: `⌊(n - 1) / 2⌋ + 1`
  public func stemOutput(_ x: Tensor, tape: Tape? = nil) -> Tensor {
    maxPool2d(stem(x, activation: .relu, tape: tape), kernelSize: 3, stride: 2, padding: 1, tape: tape)
  }

  /// The inputs of some blocks, and nothing beyond the last of them.
  /// - Parameters:
  ///   - x: `[N, H, W, inChannels]`
  ///   - chosen: numbers of blocks over all stages, from 0; their number gives the network's output
  /// - Returns: `[N, h, w, c]` in the order of `chosen`
  public func inputs(of chosen: [Int], for x: Tensor) -> [Tensor] {
    precondition(
      chosen.allSatisfy { (0...blocks.count).contains($0) }, "inputs of blocks \(chosen) of \(blocks.count)")
    var found: [Int: Tensor] = [:]
    var hidden = stemOutput(x)
    for index in 0...(chosen.max() ?? 0) {
      if chosen.contains(index) { found[index] = hidden }
      if index < (chosen.max() ?? 0) { hidden = blocks[index](hidden) }
    }
    return chosen.map { found[$0]! }
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
  ///   - shape: widths and stride
  ///   - inChannels: channels of the input
  ///   - eps: of the normalisations
  ///   - algorithm: of the 3×3 convolution
  ///   - use: what it is loaded for
  ///   - weights: where the parameters lie
  public init(
    _ shape: ResNetConfiguration.Block, inChannels: Int, eps: Float = 1e-5,
    algorithm: ConvolutionAlgorithm = .im2col, use: NetworkUse = .inference, weights: WeightScope
  ) {
    func layer(
      _ number: Int, _ from: Int, _ to: Int, kernelSize: Int = 1, groups: Int = 1, stride: Int = 1,
      algorithm: ConvolutionAlgorithm = .im2col
    ) -> NormalizedConv2d {
      NormalizedConv2d(
        inChannels: from, outChannels: to, kernelSize: kernelSize, groups: groups, stride: stride,
        padding: Padding2D(kernelSize / 2), eps: eps, algorithm: algorithm, use: use,
        weights: weights.scope("conv\(number)"), norm: weights.scope("bn\(number)"))
    }
    reduce = layer(1, inChannels, shape.width)
    spatial = layer(
      2, shape.width, shape.width, kernelSize: 3, groups: shape.groups, stride: shape.stride,
      algorithm: algorithm)
    expand = layer(3, shape.width, shape.outChannels)
    downsample =
      shape.hasDownsample
      ? NormalizedConv2d(
        inChannels: inChannels, outChannels: shape.outChannels, kernelSize: 1, stride: shape.stride,
        eps: eps, use: use, weights: weights.scope("downsample").scope(0),
        norm: weights.scope("downsample").scope(1)) : nil
  }

  /// `[N, H, W, inChannels]` gives `[N, H', W', outChannels]`.
  public func callAsFunction(_ x: Tensor, tape: Tape? = nil) -> Tensor {
    let hidden = spatial(reduce(x, activation: .relu, tape: tape), activation: .relu, tape: tape)
    return expand(
      hidden, residual: downsample.map { $0(x, tape: tape) } ?? x, activation: .relu, tape: tape)
  }
}
