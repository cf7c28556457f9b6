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
  /// Whether pictures are turned by a random number of right angles.
  public var quarterTurns = false

  public init() {}
}

/// Predicting the noise of the noised latents of pictures (Rombach et al. 2022, section 3.2; `LatentDiffusion.p_losses`).
/// The autoencoder stays as it is.
public struct LatentDiffusionObjective: PictureObjective {
  public let configuration: UNetConfiguration
  public let diffusion: GaussianDiffusion
  public let options: LatentTrainingOptions
  public let autoencoder: Autoencoder
  /// Factor of the latents; nil until the first batch has told it.
  public private(set) var scale: Double?
  public var sequence: PictureSequence
  /// Sides of the latents.
  private let latentSide: Int
  private let imageSize: Int

  /// - Parameters:
  ///   - configuration: the network's shape
  ///   - diffusion: the process
  ///   - autoencoder: what makes latents of pictures
  ///   - scale: factor of the latents; nil for the one that gives those of the first batch a deviation of 1
  ///   - imageSize: side of the pictures, in pixels
  ///   - options: the loss, and how pictures are drawn
  /// - Throws: `DataError` when the network does not fit the latents, the process or the size of the pictures.
  public init(
    configuration: UNetConfiguration, diffusion: GaussianDiffusion, autoencoder: Autoencoder,
    scale: Double? = nil, imageSize: Int, options: LatentTrainingOptions = .init()
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
    if let scale, !(scale > 0 && scale.isFinite) {
      throw DataError(
        .invalidArgument, file: "scale of latents", expected: "a number above 0", found: "\(scale)")
    }
    latentSide = try autoencoder.configuration.latentSide(imageSize: imageSize)
    guard latentSide % configuration.sizeMultiple == 0 else {
      throw DataError(
        .invalidArgument, file: "network", item: "side of the latents",
        expected: "a multiple of \(configuration.sizeMultiple)", found: "\(latentSide)")
    }
    precondition(
      !diffusion.varianceType.isLearned && diffusion.meanType != .previousX,
      "training of latents with \(diffusion.varianceType), \(diffusion.meanType)")
    (self.configuration, self.diffusion, self.options) = (configuration, diffusion, options)
    (self.autoencoder, self.scale, self.imageSize) = (autoencoder, scale, imageSize)
    sequence = PictureSequence(seed: options.seed)
  }

  public func parameterShapes() throws(DataError) -> [(name: String, shape: [Int])] {
    try UNet.parameterShapes(configuration)
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
    var drawn = try sequence.squares(
      count, step: step, side: imageSize, mirrors: options.flips, turns: options.quarterTurns, random: random)
    let shape = [autoencoder.configuration.embedChannels, latentSide, latentSide]
    let latentNoise = normal(shape: shape, of: &drawn.random).channelsLast
    let latents = autoencoder.latents(of: drawn.pictures.channelsLast, noise: latentNoise)
    // In single precision, as checkpoints keep it.
    if scale == nil { scale = Double(Float(try standardizingScale(of: latents))) }
    return Batch(
      xStart: latents.channelsFirst * Float(scale!), noise: normal(shape: shape, of: &drawn.random), t: t)
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

  /// Pictures of one colour have latents that are all alike.
  private func standardizingScale(of latents: Tensor) throws(DataError) -> Double {
    guard let scale = Autoencoder.standardizingScale(of: latents) else {
      throw DataError(
        .malformed, file: "latents", item: "first batch", expected: "numbers that differ", found: "all alike")
    }
    return scale
  }

  /// The factor of the latents; 0 before the first step.
  public var memory: [NamedTensor] {
    [NamedTensor(name: "scale_factor", tensor: Tensor([Float(scale ?? 0)], shape: [1]))]
  }

  public mutating func restore(from reader: StateReader) throws(DataError) {
    let tensor = try reader.tensor("scale_factor", shape: [1], "a number from 0") { $0 >= 0 && $0.isFinite }
    try reader.finish()
    scale = tensor.elements[0] > 0 ? Double(tensor.elements[0]) : nil
  }
}
