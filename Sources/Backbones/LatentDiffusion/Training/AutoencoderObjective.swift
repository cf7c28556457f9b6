import Base
import Checkpoints
import Layers
import TensorCore
import Training

/// Training of a KL-regularised autoencoder: pictures are encoded, latents drawn and decoded again.
public struct AutoencoderObjective: PictureObjective {
  public let configuration: AutoencoderConfiguration
  public let loss: AutoencoderLoss
  public var sequence: PictureSequence
  private let imageSize: Int
  private let latentSide: Int
  /// Whether every other picture is mirrored.
  private let flips: Bool
  /// Whether pictures are turned by a random number of right angles.
  private let quarterTurns: Bool

  /// - Parameters:
  ///   - configuration: the network's shape
  ///   - imageSize: side of the pictures, in pixels
  ///   - loss: what is minimised
  ///   - seed: of the order of the pictures: that of the trainer
  ///   - flips: whether every other picture is mirrored
  ///   - quarterTurns: whether pictures are turned by a random number of right angles
  /// - Throws: `DataError` for an autoencoder with a codebook, one that takes no pictures of three channels, or a size of
  ///   pictures that would not come back.
  public init(
    configuration: AutoencoderConfiguration, imageSize: Int, loss: AutoencoderLoss = .init(),
    seed: UInt64 = 0, flips: Bool = true, quarterTurns: Bool = false
  ) throws(DataError) {
    guard configuration.bottleneck == .gaussian else {
      throw DataError(
        .unsupported, file: "autoencoder", item: "bottleneck", expected: "a normal distribution (KL)",
        found: "\(configuration.bottleneck)")
    }
    guard configuration.inChannels == 3 else {
      throw DataError(
        .unsupported, file: "autoencoder", item: "channels", expected: "3",
        found: "\(configuration.inChannels)")
    }
    latentSide = try configuration.latentSide(imageSize: imageSize)
    (self.configuration, self.loss, self.imageSize) = (configuration, loss, imageSize)
    (self.flips, self.quarterTurns) = (flips, quarterTurns)
    sequence = PictureSequence(seed: seed)
  }

  public func parameterShapes() -> [(name: String, shape: [Int])] {
    Autoencoder.parameterShapes(configuration)
  }

  public func model(_ parameters: [NamedTensor]) throws(DataError) -> Autoencoder {
    let scope = WeightScope(StateDictionary(parameters, file: "training state"))
    let model = Autoencoder(
      configuration, convolutions: ConvolutionPolicy(imageSize: imageSize), weights: scope)
    try scope.finish()
    return model
  }

  /// Pictures with the noise of their latents.
  public struct Batch: TrainingBatch {
    /// `[N, H, W, 3]`
    var pictures: Tensor
    /// `[N, h, w, embed]`
    var noise: Tensor

    public func part(_ range: Range<Int>) -> Batch {
      Batch(pictures: pictures.samples(range), noise: noise.samples(range))
    }
  }

  public mutating func batch(_ count: Int, step: Int, random: Philox) throws(DataError) -> Batch {
    var drawn = try sequence.squares(
      count, step: step, side: imageSize, mirrors: flips, turns: quarterTurns, random: random)
    let shape = [latentSide, latentSide, configuration.embedChannels]
    return Batch(pictures: drawn.pictures.channelsLast, noise: normal(shape: shape, of: &drawn.random))
  }

  public func loss(of model: Autoencoder, on batch: Batch, pass: TrainingPass) -> TrainingLoss {
    let found = loss(model, pictures: batch.pictures, noise: batch.noise, tape: pass.tape)
    return TrainingLoss(
      output: found.output, outputGradient: Tensor(repeating: 1, shape: found.output.shape),
      losses: found.loss.map { Float($0) }, weights: [Float](repeating: 1, count: found.loss.count),
      terms: [
        "difference": found.difference.reduce(0, +), "likelihood": found.likelihood.reduce(0, +),
        "divergence": found.divergence.reduce(0, +),
      ])
  }
}

extension AutoencoderConfiguration {
  /// Side of the latents of square pictures that come back in their size.
  /// - Throws: `DataError` when they do not.
  func latentSide(imageSize: Int) throws(DataError) -> Int {
    guard imageSize % factor == 0, imageSize > 0 else {
      throw DataError(
        .invalidArgument, file: "pictures", item: "size", expected: "a multiple of \(factor)",
        found: "\(imageSize)")
    }
    return imageSize / factor
  }
}
