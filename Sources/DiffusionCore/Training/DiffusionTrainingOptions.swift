import Base
import Training

/// How a diffusion model is trained. The defaults are those of guided-diffusion's `image_train.py`, with fewer
/// pictures a step.
@dynamicMemberLookup
public struct DiffusionTrainingOptions: Sendable, Equatable {
  /// What is the same for all networks: batch, optimizer, averages.
  public var training = TrainerOptions()
  public var loss = DiffusionLoss.mse
  public var timesteps = TimestepSampling.uniform
  /// Whether every other picture is mirrored.
  public var flips = true
  /// Whether pictures are turned by a random number of right angles.
  public var quarterTurns = false

  public init() {}

  public subscript<Value>(dynamicMember path: WritableKeyPath<TrainerOptions, Value>) -> Value {
    get { training[keyPath: path] }
    set { training[keyPath: path] = newValue }
  }

  /// The learning rate of a step, from 0.
  package func learningRate(step: Int) -> Double { training.learningRate(step: step) }

  /// - Throws: `DataError` naming the setting that cannot be.
  public func validate() throws(DataError) { try training.validate() }
}
