import Checkpoints
import TensorCore

/// A network in training at one moment. A training that goes on from it gives the bits of one that never stopped:
/// whatever is drawn follows from the seed and the number of the step.
public struct TrainingState: Sendable {
  /// Steps done.
  public var step: Int
  public var parameters: [NamedTensor]
  /// Their moving averages, in the same order.
  public var averages: [NamedTensor]
  /// Moments of the optimizer, in the same order.
  public var moments: [AdamMoments]

  /// Steps that can have been done. The place of an item in the sequence is a multiple of them.
  public static let steps = 0...1 << 40

  /// Weights before the first step.
  public init(parameters: [NamedTensor]) {
    step = 0
    self.parameters = parameters
    averages = parameters
    moments = parameters.map { AdamMoments(shape: $0.tensor.shape) }
  }

  init(step: Int, parameters: [NamedTensor], averages: [NamedTensor], moments: [AdamMoments]) {
    self.step = step
    self.parameters = parameters
    self.averages = averages
    self.moments = moments
  }
}
