import Base
import Checkpoints
import DiffusionCore
import Layers
import TensorCore
import Training

/// How a latent diffusion model without a condition is trained.
public struct LatentTrainingOptions: Sendable, Equatable {
  /// Seed of the order of the pictures: that of the trainer.
  public var seed: UInt64 = 0
  public var loss = LatentLossOptions()
  /// Whether every other picture is mirrored.
  public var flips = true

  public init() {}
}

/// Predicting the noise of the noised latents of pictures (Rombach et al. 2022, section 3.2; `LatentDiffusion.p_losses`).
/// The autoencoder stays as it is.
public struct LatentDiffusionObjective: Objective {
  public let configuration: UNetConfiguration
  public let diffusion: GaussianDiffusion
  public let options: LatentTrainingOptions
  public let autoencoder: Autoencoder
  /// Factor of the latents.
  public let scale: Double
  /// Sides of the latents.
  private let latentSide: Int
  private let pictures: any TrainingPictures & Sendable
  private var batches: PictureBatches

  /// - Parameters:
  ///   - configuration: the network's shape
  ///   - diffusion: the process
  ///   - autoencoder: what makes latents of pictures
  ///   - scale: factor of the latents, such as `Autoencoder.standardizingScale(of:)`
  ///   - pictures: to train on
  ///   - options: the loss, and how pictures are drawn
  /// - Throws: `DataError` when the network does not fit the latents, the process or the size of the pictures.
  public init(
    configuration: UNetConfiguration, diffusion: GaussianDiffusion, autoencoder: Autoencoder, scale: Double,
    pictures: any TrainingPictures & Sendable, options: LatentTrainingOptions = .init()
  ) throws(DataError) {
    let channels = autoencoder.configuration.embedChannels
    func check(_ found: Int, is expected: Int, _ item: String) throws(DataError) {
      guard found == expected else {
        throw DataError(
          .invalidArgument, file: "network", item: item, expected: "\(expected)", found: "\(found)")
      }
    }
    try check(configuration.inChannels, is: channels, "input channels")
    try check(configuration.outChannels, is: channels, "output channels")
    guard configuration.classCount == nil, configuration.transformer == nil else {
      throw DataError(
        .unsupported, file: "network", item: "condition", expected: "none: training is without one",
        found: configuration.classCount.map { "\($0) classes" } ?? "a context")
    }
    guard scale > 0, scale.isFinite else {
      throw DataError(
        .invalidArgument, file: "scale of latents", expected: "a number above 0", found: "\(scale)")
    }
    latentSide = try autoencoder.configuration.latentSide(imageSize: pictures.imageSize)
    guard latentSide % configuration.sizeMultiple == 0 else {
      throw DataError(
        .invalidArgument, file: "network", item: "side of the latents",
        expected: "a multiple of \(configuration.sizeMultiple)", found: "\(latentSide)")
    }
    precondition(
      !diffusion.varianceType.isLearned && diffusion.meanType != .previousX,
      "training of latents with \(diffusion.varianceType), \(diffusion.meanType)")
    (self.configuration, self.diffusion, self.options) = (configuration, diffusion, options)
    (self.autoencoder, self.scale, self.pictures) = (autoencoder, scale, pictures)
    batches = PictureBatches(seed: options.seed, mirrors: options.flips, turns: false)
  }

  public func model(_ parameters: [NamedTensor]) throws(DataError) -> UNet {
    try UNet(
      configuration, weights: WeightScope(StateDictionary(parameters, file: "training state")),
      convolutions: ConvolutionPolicy(imageSize: latentSide))
  }

  /// Latents with everything that is drawn for them.
  public struct Batch: TrainingBatch {
    /// Scaled latents, `[N, C, h, w]`.
    var xStart: Tensor
    var noise: Tensor
    var t: [Int]

    public func part(_ range: Range<Int>) -> Batch {
      Batch(xStart: xStart.samples(range), noise: noise.samples(range), t: Array(t[range]))
    }
  }

  public mutating func batch(_ count: Int, step: Int, random: Philox) throws(DataError) -> Batch {
    var timesteps = random.split(0)
    let t = (0..<count).map { _ in timesteps.integer(below: diffusion.steps) }
    var drawn = try batches.next(count, step: step, of: pictures, random: random)
    let shape = [autoencoder.configuration.embedChannels, latentSide, latentSide]
    let latentNoise = normal(shape: shape, of: &drawn.random).channelsLast
    let latents = autoencoder.latents(of: drawn.pictures.channelsLast, noise: latentNoise)
    return Batch(
      xStart: latents.channelsFirst * Float(scale), noise: normal(shape: shape, of: &drawn.random), t: t)
  }

  public func loss(of model: UNet, on batch: Batch, pass: TrainingPass) -> TrainingLoss {
    let xT = diffusion.qSample(xStart: batch.xStart, t: batch.t, noise: batch.noise)
    let output = model(xT, timesteps: diffusion.modelTimesteps(batch.t), training: pass)
    let losses = diffusion.latentLosses(
      modelOutput: output, xStart: batch.xStart, noise: batch.noise, t: batch.t, options: options.loss)
    return TrainingLoss(
      output: output, outputGradient: losses.outputGradient, losses: losses.loss.map { Float($0) },
      weights: [Float](repeating: 1, count: batch.t.count),
      terms: ["simple": losses.simple.reduce(0, +), "elbo": losses.elbo.reduce(0, +)])
  }
}
