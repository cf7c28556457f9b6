import Layers
import TensorCore

/// The loss of a DeepLabV3 on labelled pictures.
public struct DeepLabV3Loss: Sendable {
  /// Label of pixels that do not count; nil for none, as DatasetDDPM has it.
  public var ignored: UInt8?
  /// Share of the auxiliary head's loss: 0 for DatasetDDPM, 0.5 for torchvision's reference training.
  public var auxiliaryWeight: Float

  public init(ignored: UInt8? = nil, auxiliaryWeight: Float = 0) {
    self.ignored = ignored
    self.auxiliaryWeight = auxiliaryWeight
  }

  /// A loss and its parts, `[1]` each and on the tape, in nats.
  public struct Value {
    public var total: Tensor
    /// Mean cross entropy of the scores.
    public var scores: Tensor
    /// That of the auxiliary head's; nil where there is none or it has no share.
    public var auxiliary: Tensor?
  }

  /// Mean cross entropy over the labelled pixels.
  /// - Parameters:
  ///   - output: of the network in training
  ///   - labels: of each pixel of each picture, row by row
  ///   - tape: that of the network's pass
  /// - Precondition: every label is below the number of classes, or ignored.
  public func callAsFunction(of output: DeepLabV3.Output, labels: [UInt8], tape: Tape?) -> Value {
    let scores = crossEntropy(output.scores, labels: labels, ignoring: ignored, tape: tape)
    guard auxiliaryWeight != 0, let other = output.auxiliaryScores else {
      return Value(total: scores, scores: scores)
    }
    let auxiliary = crossEntropy(other, labels: labels, ignoring: ignored, tape: tape)
    let share = Tensor([auxiliaryWeight], shape: [1])
    return Value(
      total: sum(scores, multiplied(auxiliary, by: share, tape: tape), tape: tape), scores: scores,
      auxiliary: auxiliary)
  }
}
