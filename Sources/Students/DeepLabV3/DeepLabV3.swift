import Checkpoints
import Layers
import TensorCore

// x: [N, H, W, 3]

/// DeepLabV3 (Chen et al. 2017; torchvision's `deeplabv3_resnet101` and its like), which tells the class of each pixel.
public struct DeepLabV3: Sendable {
  public let configuration: DeepLabV3Configuration
  private let backbone: ResNet
  private let pooling: AtrousSpatialPyramidPooling
  private let head: DeepLabHead
  private let auxiliary: DeepLabHead?

  /// Loads a network from a scope.
  /// - Parameters:
  ///   - configuration: the architecture
  ///   - use: what it is loaded for
  ///   - policy: how 3×3 convolutions are computed
  ///   - weights: where the parameters lie, under torchvision's names
  public init(
    _ configuration: DeepLabV3Configuration, use: NetworkUse = .inference,
    convolutions policy: ConvolutionPolicy = .init(), weights: WeightScope
  ) {
    self.configuration = configuration
    let network = configuration.backbone
    backbone = ResNet(network, use: use, convolutions: policy, weights: weights.scope("backbone"))
    let classifier = weights.scope("classifier")
    pooling = AtrousSpatialPyramidPooling(
      inChannels: network.channels(ofStage: 3), outChannels: configuration.poolingChannels,
      rates: configuration.rates, use: use, weights: classifier.scope(0))
    head = DeepLabHead(
      inChannels: configuration.poolingChannels, channels: configuration.headChannels,
      classes: configuration.classes, first: 1, use: use, weights: classifier)
    auxiliary = configuration.auxiliaryChannels.map { channels in
      DeepLabHead(
        inChannels: network.channels(ofStage: 2), channels: channels, classes: configuration.classes,
        first: 0, use: use, weights: weights.scope("aux_classifier"))
    }
  }

  /// What the network makes of pictures.
  public struct Output: Sendable {
    /// Scores of the classes at the size of the pictures, `[N, H, W, classes]`.
    public var scores: Tensor
    /// Those of the auxiliary head, `[N, H, W, classes]`; nil where there is none.
    public var auxiliaryScores: Tensor?

    /// The class of the largest score of each pixel, `N · H · W` numbers; of equal scores the first.
    public var labels: [Int] {
      let classes = scores.shape[3]
      return withPointers(scores) { scores in
        (0..<self.scores.count / classes).map { pixel in
          let line = scores + pixel * classes
          return (1..<classes).reduce(0) { line[$1] > line[$0] ? $1 : $0 }
        }
      }
    }
  }

  /// Where an activation of a pass was taken.
  public enum Place: Sendable, Hashable {
    /// After the first pooling.
    case stem
    /// After a stage, counted from 1.
    case stage(Int)
    /// After the pooling at several rates.
    case pooling
    /// The scores before they are brought to the size of the pictures.
    case scores
  }

  /// Scores of pictures in evaluation.
  /// - Parameters:
  ///   - x: `[N, H, W, 3]`, normalised as ImageNet is
  ///   - observe: called with activations on the way, `[N, h, w, c]`
  public func callAsFunction(_ x: Tensor, observe: (Place, Tensor) -> Void = { _, _ in }) -> Output {
    run(x, pass: nil, observe: observe)
  }

  /// Scores of pictures in training: with the statistics of the batch, dropout and a way back.
  /// - Parameters:
  ///   - x: `[N, H, W, 3]`, normalised as ImageNet is
  ///   - pass: where to record, what to drop, where running statistics go
  /// - Precondition: the network was loaded for training, and there are at least two pictures: the mean of the map is one
  ///   value a picture.
  public func training(_ x: Tensor, pass: DeepLabV3Pass) -> Output {
    precondition(x.shape[0] >= 2, "training of a DeepLabV3 on \(x.shape[0]) pictures at a time")
    return run(x, pass: pass) { _, _ in }
  }

  private func run(_ x: Tensor, pass: DeepLabV3Pass?, observe: (Place, Tensor) -> Void) -> Output {
    precondition(
      x.rank == 4 && x.shape[3] == configuration.backbone.inChannels,
      "pictures \(x.shape) of a network of \(configuration.backbone.inChannels) channels")
    let (tape, statistics) = (pass?.tape, pass?.statistics)
    let stem = backbone.stemOutput(x, tape: tape, statistics: statistics)
    observe(.stem, stem)
    let stages = backbone.stageOutputs(stem, tape: tape, statistics: statistics)
    for (index, stage) in stages.enumerated() { observe(.stage(index + 1), stage) }
    let pooled = pooling(
      stages[3], dropout: pass?.dropout ?? .none, tape: tape, statistics: statistics)
    observe(.pooling, pooled)
    let scores = head(pooled, tape: tape, statistics: statistics)
    observe(.scores, scores)
    func resized(_ scores: Tensor) -> Tensor {
      resizeBilinearChannelsLast(scores, height: x.shape[1], width: x.shape[2], tape: tape)
    }
    return Output(
      scores: resized(scores),
      auxiliaryScores: auxiliary.map { auxiliary in
        resized(
          auxiliary(
            stages[2], dropout: pass?.auxiliaryDropout ?? .none, tape: tape, statistics: statistics))
      })
  }
}

/// What a DeepLabV3 is given when it is trained.
public struct DeepLabV3Pass {
  public var tape: Tape
  /// Where the running statistics go.
  public var statistics: RunningStatistics
  /// After the pooling at several rates; torchvision drops half.
  public var dropout: StudentDropout
  /// Before the scores of the auxiliary head; torchvision drops a tenth.
  public var auxiliaryDropout: StudentDropout

  public init(
    tape: Tape, statistics: RunningStatistics, dropout: StudentDropout = .drawn(probability: 0.5),
    auxiliaryDropout: StudentDropout = .drawn(probability: 0.1)
  ) {
    self.tape = tape
    self.statistics = statistics
    self.dropout = dropout
    self.auxiliaryDropout = auxiliaryDropout
  }
}

/// A 3×3 convolution with its normalisation and ReLU, perhaps dropout, and a 1×1 convolution to the scores: the end of
/// torchvision's `DeepLabHead`, and its `FCNHead`.
struct DeepLabHead: Sendable {
  private let hidden: NormalizedConv2d
  private let scores: Conv2d

  /// - Parameter first: place of the first convolution in torchvision's list; the last one's is 4
  init(
    inChannels: Int, channels: Int, classes: Int, first: Int, use: NetworkUse, weights: WeightScope
  ) {
    hidden = NormalizedConv2d(
      inChannels: inChannels, outChannels: channels, kernelSize: 3, padding: 1, use: use,
      weights: weights.scope(first), norm: weights.scope(first + 1))
    scores = Conv2d(inChannels: channels, outChannels: classes, kernelSize: 1, weights: weights.scope(4))
  }

  func callAsFunction(
    _ x: Tensor, dropout: StudentDropout = .none, tape: Tape?, statistics: RunningStatistics?
  ) -> Tensor {
    let y = hidden(x, activation: .relu, tape: tape, statistics: statistics)
    return scores(dropout(y, tape: tape), tape: tape)
  }
}
