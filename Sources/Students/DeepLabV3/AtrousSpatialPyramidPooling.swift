import Checkpoints
import Layers
import TensorCore

// x: [N, H, W, C]

/// Atrous spatial pyramid pooling (Chen et al. 2017, section 3.3; torchvision's `ASPP`): a 1×1 convolution, 3×3 convolutions
/// of several dilations and the mean of the map, side by side, brought together by a 1×1 convolution.
public struct AtrousSpatialPyramidPooling: Sendable {
  private let pointwise: NormalizedConv2d
  private let dilated: [NormalizedConv2d]
  private let pooled: NormalizedConv2d
  private let project: NormalizedConv2d

  /// Loads the parameters from a scope: `convs.0.0`, `convs.0.1`, …, `project.0`, `project.1`.
  /// - Parameters:
  ///   - inChannels: channels of the input
  ///   - outChannels: of each branch and of the result
  ///   - rates: dilations of the 3×3 convolutions
  ///   - eps: of the normalisations
  ///   - use: what it is loaded for
  ///   - weights: where the parameters lie
  public init(
    inChannels: Int, outChannels: Int, rates: [Int], eps: Float = 1e-5, use: NetworkUse = .inference,
    weights: WeightScope
  ) {
    func layer(
      _ scope: WeightScope, from: Int = inChannels, kernelSize: Int = 1, dilation: Int = 1, first: Int = 0
    ) -> NormalizedConv2d {
      NormalizedConv2d(
        inChannels: from, outChannels: outChannels, kernelSize: kernelSize,
        padding: kernelSize == 1 ? 0 : Padding2D(dilation), dilation: dilation, eps: eps, use: use,
        weights: scope.scope(first), norm: scope.scope(first + 1))
    }
    let convs = weights.scope("convs")
    pointwise = layer(convs.scope(0))
    dilated = rates.enumerated().map { index, rate in
      layer(convs.scope(index + 1), kernelSize: 3, dilation: rate)
    }
    // The mean comes first in torchvision's list.
    pooled = layer(convs.scope(rates.count + 1), first: 1)
    project = layer(weights.scope("project"), from: (rates.count + 2) * outChannels)
  }

  /// `[N, H, W, inChannels]` gives `[N, H, W, outChannels]`.
  /// - Parameters:
  ///   - x: the input
  ///   - dropout: what becomes of the result in training
  ///   - tape: where to record; nil for inference
  ///   - statistics: where running statistics go in training; nil for evaluation
  /// - Precondition: in training there are at least two pictures, since the mean of the map is one value a picture.
  public func callAsFunction(
    _ x: Tensor, dropout: StudentDropout = .none, tape: Tape? = nil, statistics: RunningStatistics? = nil
  ) -> Tensor {
    var branches = ([pointwise] + dilated).map {
      $0(x, activation: .relu, tape: tape, statistics: statistics)
    }
    let mean = pooled(
      meanOfPixels(x, tape: tape), activation: .relu, tape: tape, statistics: statistics)
    branches.append(repeatingPixels(mean, height: x.shape[1], width: x.shape[2], tape: tape))
    let y = project(
      joinedChannels(branches, tape: tape), activation: .relu, tape: tape, statistics: statistics)
    return dropout(y, tape: tape)
  }
}

/// What becomes of an activation before the last layers of a network in training: each number is dropped with some
/// probability, and the rest are scaled so that the mean stays.
public enum StudentDropout: Sendable {
  /// Nothing, as in evaluation.
  case none
  /// Numbers to drop are drawn from the tape's generator.
  case drawn(probability: Float)
  /// Which numbers stay is given: 1 for those, 0 for the others, in the activation's shape `[N, H, W, C]`.
  case given(keep: Tensor, probability: Float)

  func callAsFunction(_ x: Tensor, tape: Tape?) -> Tensor {
    switch self {
    case .none: return x
    case .drawn(let probability):
      guard let tape else { preconditionFailure("dropout of \(probability) without a tape") }
      return dropout(x, probability: probability, tape: tape)
    case .given(let keep, let probability):
      precondition(keep.shape == x.shape, "a mask \(keep.shape) for an activation \(x.shape)")
      return multiplied(x, by: keep * (1 / (1 - probability)), tape: tape)
    }
  }
}
