import Base
import Checkpoints
import Layers
import TensorCore
import Training

// x: [N, 3, H, W]   t: N steps

/// Predicting the noise of noised pictures (Ho et al. 2020, Algorithm 1).
public struct DiffusionObjective: PictureObjective {
  public let configuration: UNetConfiguration
  public let diffusion: GaussianDiffusion
  public let options: DiffusionTrainingOptions
  public let imageSize: Int
  /// Losses that the choice of timesteps remembers.
  public var timesteps: TimestepSampler
  public var sequence: PictureSequence

  /// - Parameters:
  ///   - configuration: the network
  ///   - diffusion: the process
  ///   - imageSize: side of the pictures, in pixels
  ///   - options: loss, turns of the pictures, and how the network is trained
  /// - Throws: `DataError` when the network does not take pictures and give what the process needs.
  public init(
    configuration: UNetConfiguration, diffusion: GaussianDiffusion, imageSize: Int,
    options: DiffusionTrainingOptions
  ) throws(DataError) {
    try configuration.requireNoise()
    guard configuration.inChannels == 3 else {
      throw DataError(
        .unsupported, file: "network", item: "input channels", expected: "3",
        found: "\(configuration.inChannels)")
    }
    guard configuration.hasLearnedVariance == diffusion.varianceType.isLearned else {
      throw DataError(
        .invalidArgument, file: "network", item: "output channels",
        expected: "\(diffusion.varianceType.isLearned ? 6 : 3), for a variance of \(diffusion.varianceType)",
        found: "\(configuration.outChannels)")
    }
    self.configuration = configuration
    self.diffusion = diffusion
    self.imageSize = imageSize
    self.options = options
    timesteps = TimestepSampler(options.timesteps, steps: diffusion.steps)
    sequence = PictureSequence(seed: options.seed)
  }

  public func parameterShapes() throws(DataError) -> [(name: String, shape: [Int])] {
    try UNet.parameterShapes(configuration)
  }

  public func model(_ parameters: [NamedTensor]) throws(DataError) -> UNet {
    try UNet(
      configuration, weights: WeightScope(StateDictionary(parameters, file: "training state")),
      convolutions: ConvolutionPolicy(imageSize: imageSize))
  }

  /// Pictures with everything that is drawn for them.
  public struct Batch: TrainingBatch {
    var xStart: Tensor
    var noise: Tensor
    var t: [Int]
    /// Weights of the losses.
    var weights: [Float]
    var labels: [Int]?

    public func part(_ range: Range<Int>) -> Batch {
      Batch(
        xStart: xStart.samples(range), noise: noise.samples(range), t: Array(t[range]),
        weights: Array(weights[range]), labels: labels.map { Array($0[range]) })
    }
  }

  public mutating func batch(_ count: Int, step: Int, random: Philox) throws(DataError) -> Batch {
    var timestepRandom = random.split(0)
    let (t, weights) = timesteps.draw(count, random: &timestepRandom)
    var drawn = try sequence.squares(
      count, step: step, side: imageSize, mirrors: options.flips, turns: options.quarterTurns, random: random)
    let noise = normal(shape: [3, imageSize, imageSize], of: &drawn.random)
    return Batch(
      xStart: drawn.pictures, noise: noise, t: t, weights: weights,
      labels: configuration.classCount.map { _ in drawn.labels })
  }

  public func loss(of model: UNet, on batch: Batch, pass: TrainingPass) -> TrainingLoss {
    let xT = diffusion.qSample(xStart: batch.xStart, t: batch.t, noise: batch.noise)
    let output = model(
      xT, timesteps: diffusion.modelTimesteps(batch.t), classes: batch.labels, training: pass)
    let losses = diffusion.trainingLosses(
      modelOutput: output, xStart: batch.xStart, xT: xT, noise: batch.noise, t: batch.t, loss: options.loss)
    func sum(_ tensor: Tensor) -> Double { tensor.elements.reduce(0) { $0 + Double($1) } }
    var terms: [String: Double] = [:]
    terms["mse"] = losses.mse.map(sum)
    terms["variational"] = losses.variational.map(sum)
    return TrainingLoss(
      output: output, outputGradient: losses.outputGradient, losses: losses.loss.elements,
      weights: batch.weights, terms: terms)
  }

  public mutating func note(losses: [Float], of batch: Batch) {
    timesteps.note(losses: losses, at: batch.t)
  }

  public var memory: [NamedTensor] { timesteps.memory }

  /// The losses by time step are read where they decide which steps are drawn.
  public mutating func restore(from reader: StateReader) throws(DataError) {
    if options.timesteps == .lossSecondMoment {
      timesteps = try TimestepSampler(options.timesteps, steps: diffusion.steps, from: reader)
    }
  }
}
