import Base
import Checkpoints
import Training

/// Trains a diffusion model: a `Trainer` with what a diffusion's state keeps beside the network.
public struct DiffusionTrainer: Sendable {
  private var trainer: Trainer<DiffusionObjective>

  /// - Throws: `DataError` when the options or the steps done cannot be, or the parameters are not those of the network.
  public init(
    configuration: UNetConfiguration, diffusion: GaussianDiffusion, imageSize: Int,
    options: DiffusionTrainingOptions, state: DiffusionTrainingState
  ) throws(DataError) {
    trainer = try Trainer(
      objective: DiffusionObjective(
        configuration: configuration, diffusion: diffusion, imageSize: imageSize, options: options,
        timesteps: state.timesteps),
      options: options.training, state: state.network)
  }

  public var configuration: UNetConfiguration { trainer.objective.configuration }
  public var diffusion: GaussianDiffusion { trainer.objective.diffusion }
  public var options: DiffusionTrainingOptions { trainer.objective.options }
  public var state: DiffusionTrainingState {
    DiffusionTrainingState(network: trainer.state, timesteps: trainer.objective.timesteps)
  }

  /// The network with the averaged weights, for making and segmenting pictures.
  public var averagedNetwork: UNet { trainer.averagedModel }

  /// One step over a batch.
  /// - Throws: `DataError` as `Trainer.step`; the state stays as it was.
  public mutating func step(
    on pictures: some TrainingPictures & Sendable
  ) throws(DataError) -> TrainingReport {
    trainer.objective.pictures = pictures
    return try trainer.step()
  }
}

extension TrainingReport {
  /// Mean squared error of the noise; nil where it is no part of the loss.
  public var mse: Double? { terms["mse"] }
  /// Variational bound in bits; nil where it is no part of the loss.
  public var variational: Double? { terms["variational"] }
}
