import Base
import Checkpoints
import TensorCore
import Training

/// Trains a diffusion model.
public typealias DiffusionTrainer = Trainer<DiffusionObjective>

extension Trainer<DiffusionObjective> {
  /// Before the first step.
  /// - Parameters:
  ///   - configuration: the network
  ///   - diffusion: the process
  ///   - imageSize: side of the pictures, in pixels
  ///   - options: loss, turns of the pictures, and how the network is trained
  ///   - parameters: weights to begin with; drawn from the seed unless given
  /// - Throws: `DataError` when the network or the options cannot be, or the parameters are not those of the network.
  public init(
    configuration: UNetConfiguration, diffusion: GaussianDiffusion, imageSize: Int,
    options: DiffusionTrainingOptions, parameters: [NamedTensor]? = nil
  ) throws(DataError) {
    let random = Philox(seed: options.seed).split(.initialWeights)
    let weights =
      if let parameters { parameters } else {
        try UNet.initialParameters(configuration, random: random)
      }
    try self.init(
      objective: DiffusionObjective(
        configuration: configuration, diffusion: diffusion, imageSize: imageSize, options: options),
      options: options.training, state: TrainingState(parameters: weights))
  }

  public var configuration: UNetConfiguration { objective.configuration }
  public var diffusion: GaussianDiffusion { objective.diffusion }
}

extension TrainingReport {
  /// Mean squared error of the noise; nil where it is no part of the loss.
  public var mse: Double? { terms["mse"] }
  /// Variational bound in bits; nil where it is no part of the loss.
  public var variational: Double? { terms["variational"] }
}
