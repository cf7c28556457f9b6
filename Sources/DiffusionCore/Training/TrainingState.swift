import Checkpoints
import TensorCore

/// Everything that a training is made of at one moment. A training that goes on from it gives the bits of one that never
/// stopped: whatever is random follows from the seed and the number of the step.
public struct DiffusionTrainingState: Sendable {
  /// Steps done.
  public var step: Int
  public var parameters: [NamedTensor]
  /// Their moving averages, in the same order.
  public var averages: [NamedTensor]
  /// Of the optimizer, in the same order.
  public var moments: [AdamMoments]
  /// Losses that the choice of timesteps remembers.
  public var timesteps: TimestepSampler

  /// Steps that can have been done. The place of a picture in the sequence is a multiple of them.
  static let steps = 0...1 << 40

  /// Before the first step.
  /// - Throws: `DataError` when the configuration cannot be.
  public init(
    _ configuration: UNetConfiguration, options: DiffusionTrainingOptions, diffusionSteps: Int
  ) throws(DataError) {
    let random = Philox(seed: options.seed).split(RandomStream.weights.rawValue)
    let parameters = try UNet.initialParameters(configuration, random: random)
    self.init(parameters: parameters, options: options, diffusionSteps: diffusionSteps)
  }

  /// Weights from elsewhere, before the first step.
  public init(parameters: [NamedTensor], options: DiffusionTrainingOptions, diffusionSteps: Int) {
    step = 0
    self.parameters = parameters
    averages = parameters
    moments = parameters.map { AdamMoments(shape: $0.tensor.shape) }
    timesteps = TimestepSampler(options.timesteps, steps: diffusionSteps)
  }
}

/// Generators that follow from a training's seed.
enum RandomStream: UInt64 {
  case weights = 1
  case order
  case steps
}
