import Checkpoints
import TensorCore

// x: [N, H, W, C]

/// A residual network without a head (He et al. 2016; the variant of torchvision, whose strides sit on the 3×3
/// convolutions).
public struct ResNet: Sendable {
  public let configuration: ResNetConfiguration
  private let stem: NormalizedConv2d
  /// Of all stages in a row.
  private let blocks: [ResNetBlock]

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
    var blocks: [ResNetBlock] = []
    var channels = configuration.stem
    for (stage, shapes) in configuration.stages.enumerated() {
      for (index, shape) in shapes.enumerated() {
        blocks.append(
          ResNetBlock(
            shape, inChannels: channels,
            algorithm: planned[blocks.count].map(chooser.algorithm) ?? .im2col, use: use,
            weights: weights.scope("layer\(stage + 1)").scope(index)))
        channels = shape.outChannels
      }
    }
    self.blocks = blocks
  }

  /// The 3×3 convolution of each block; nil where it has a stride, a dilation or groups.
  private static func planned(
    _ configuration: ResNetConfiguration, imageSize: Int
  ) -> [PlannedConvolution?] {
    var side = imageSize >> 2
    return configuration.stages.joined().map { block in
      side /= block.stride
      // Planned are plain convolutions.
      return block.stride > 1 || block.groups > 1 || block.dilation > 1
        ? nil
        : PlannedConvolution(inChannels: block.width, outChannels: block.width, side: max(1, side))
    }
  }

  /// The input of the first block: convolution, normalisation, ReLU and max pooling.
  /// - Parameters:
  ///   - x: `[N, H, W, inChannels]`
  ///   - tape: where to record; nil for inference
  ///   - statistics: where running statistics go in training; nil for evaluation
  /// - Returns: `[N, H', W', stem]`, each side halved twice: `⌊(n - 1) / 2⌋ + 1`
  public func stemOutput(
    _ x: Tensor, tape: Tape? = nil, statistics: RunningStatistics? = nil
  ) -> Tensor {
    maxPool2d(
      stem(x, activation: .relu, tape: tape, statistics: statistics), kernelSize: 3, stride: 2, padding: 1,
      tape: tape)
  }

  /// The outputs of all stages.
  /// - Parameters:
  ///   - x: `[N, h, w, stem]`, the output of the stem
  ///   - tape: where to record; nil for inference
  ///   - statistics: where running statistics go in training; nil for evaluation
  /// - Returns: `[N, h', w', c]` of each stage
  public func stageOutputs(
    _ x: Tensor, tape: Tape? = nil, statistics: RunningStatistics? = nil
  ) -> [Tensor] {
    var (outputs, hidden, index) = ([Tensor](), x, 0)
    for stage in configuration.stages {
      for _ in stage {
        hidden = blocks[index](hidden, tape: tape, statistics: statistics)
        index += 1
      }
      outputs.append(hidden)
    }
    return outputs
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
