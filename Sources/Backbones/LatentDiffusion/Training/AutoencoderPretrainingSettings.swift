import Augment
import Base
import Checkpoints
import Features
import Images
import TensorCore
import Training

/// A KL-regularised autoencoder to train, and how: the first stage of a latent diffusion model.
///
/// The losses are the reference's without its perceptual and adversarial terms (Rombach et al. 2022, section 3.1); network,
/// batch and learning rate are of a size for a CPU.
public struct AutoencoderPretrainingSettings: Sendable, Equatable {
  /// Side of the pictures, in pixels.
  public var imageSize = 64
  /// Channels of the first level, a multiple of 32.
  public var channels = 32
  /// Channels of every level, in multiples of those; each level after the first halves the picture.
  public var channelMult = [1, 2, 4]
  /// Residual blocks of every level of the encoder; the decoder has one more.
  public var residualBlocks = 1
  /// Channels of the latents.
  public var latentChannels = 4
  /// Weight of the divergence of the latents from a standard normal distribution.
  public var klWeight = 1e-6
  /// Whether every other picture is mirrored.
  public var flips = true
  /// Whether pictures are turned by a random number of right angles.
  public var quarterTurns = false
  public var reading = PictureReading()
  /// Which square of a picture the network sees.
  public var crop = PictureCrop.centre
  public var trainer = TrainerOptions()

  public init() {
    trainer.batch = 8
    trainer.optimizer = Adam(learningRate: 5e-4, beta1: 0.5, beta2: 0.9)
    trainer.average = ExponentialAverage(decay: 0.999, warmsUp: true)
  }

  /// With attention between encoder and decoder levels alone, as in the published ones of factor 4 and 8.
  public var configuration: AutoencoderConfiguration {
    AutoencoderConfiguration(
      channels: channels, levelChannels: channelMult.map { $0 &* channels }, residualBlocks: residualBlocks,
      middleHasAttention: true, latentChannels: latentChannels, embedChannels: latentChannels,
      bottleneck: .gaussian)
  }

  /// - Throws: `DataError` that names the setting that cannot be.
  public func validate() throws(DataError) {
    func check(_ holds: Bool, _ name: String, _ expected: String, _ found: Any) throws(DataError) {
      if !holds { throw DataError(.invalidArgument, file: name, expected: expected, found: "\(found)") }
    }
    let most = 1 << 13
    try check(
      channels > 0 && channels <= most && channels % 32 == 0, "channels", "a multiple of 32 up to \(most)",
      channels)
    try check(
      (1...8).contains(channelMult.count)
        && channelMult.allSatisfy { $0 > 0 && $0 <= most && $0 * channels <= most },
      "channel multiples", "1 to 8 numbers from 1", channelMult)
    try check((1...64).contains(residualBlocks), "residual blocks", "1 to 64", residualBlocks)
    try check((1...most).contains(latentChannels), "latent channels", "1 to \(most)", latentChannels)
    try check(klWeight >= 0 && klWeight.isFinite, "KL weight", "a number from 0", klWeight)
    let factor = configuration.factor
    try check(
      imageSize > 0 && imageSize <= 1 << 14 && imageSize % factor == 0, "image size",
      "a multiple of \(factor), for \(channelMult.count) levels, up to \(1 << 14)", imageSize)
    try trainer.validate()
  }
}

extension AutoencoderPretrainingSettings: PretrainingSettings {
  public static let kind = "autoencoder"
  public static let summary = "the autoencoder of a latent diffusion model, with a normal distribution (KL)"
  public static let lossTerms = ["difference", "likelihood", "divergence"]

  public static let options: [TableOption<AutoencoderPretrainingSettings>] =
    [
      TableOption("image-size", "Side of the pictures, in pixels. (default: 64)", \.imageSize),
      TableOption("channels", "Channels of the first level, a multiple of 32. (default: 32)", \.channels),
      TableOption(
        "channel-mult",
        "Channels of every level, in multiples of those; each after the first halves the picture. (default: 1,2,4)",
        \.channelMult),
      TableOption(
        "residual-blocks", "Residual blocks of every level of the encoder. (default: 1)", \.residualBlocks),
      TableOption("latent-channels", "Channels of the latents. (default: 4)", \.latentChannels),
      TableOption(
        "kl-weight", "Weight of the latents' divergence from a normal distribution. (default: 1e-06)",
        \.klWeight),
      TableOption("flips", "Whether every other picture is mirrored. (default: true)", \.flips),
      TableOption(
        "quarter-turns", "Whether pictures are turned by random right angles. (default: false)",
        \.quarterTurns),
    ] + trainerRows()

  /// What the layers keep of a picture for the way back: a few times the widest level.
  public var trainingBytes: Double {
    let parameters = configuration.parameterCount
    let floats = zip(0..., configuration.levelChannels).reduce(0.0) { sum, level in
      let side = Double(imageSize) / Double(1 << level.0)
      return sum + side * side * Double(level.1) * Double(6 * (2 * residualBlocks + 1))
    }
    return 4 * (6 * parameters + Double(trainer.microBatch ?? trainer.batch) * floats)
  }

  public func objective() throws(DataError) -> AutoencoderObjective {
    var loss = AutoencoderLoss()
    loss.klWeight = klWeight
    return try AutoencoderObjective(
      configuration: configuration, imageSize: imageSize, loss: loss, seed: trainer.seed, flips: flips,
      quarterTurns: quarterTurns)
  }

  public func initialParameters() -> [NamedTensor] {
    Autoencoder.initialParameters(
      configuration, random: Philox(seed: trainer.seed).split(.initialWeights))
  }

  /// The shapes of the weights tell all.
  public func modelMetadata(of goal: AutoencoderObjective) -> [String: String] { [:] }

  /// Pictures of the training, and as they come back.
  public func sheet(
    of model: Autoencoder, goal: AutoencoderObjective, samples: SampleSettings
  ) throws(DataError) -> Image {
    guard let pictures = goal.sequence.pictures else { preconditionFailure("a sheet without pictures") }
    let columns = samples.count > 4 ? 4 : 2
    var sheet = ContactSheet(
      columns: columns, columnTitles: (0..<columns).map { $0 % 2 == 0 ? "picture" : "decoded" }, margin: 4,
      zoom: max(1, 128 / imageSize))
    for index in 0..<min(samples.count, pictures.count) {
      var picture = Tensor(zeros: [3, imageSize, imageSize])
      try picture.withMutablePointer { picture in
        Result { () throws(DataError) in try pictures.read(index, into: picture) }
      }.get()
      let decoded = model.decode(model.latents(of: picture.reshaped([1] + picture.shape).channelsLast))
      sheet.append(Image(tensor: picture))
      sheet.append(Image(tensor: decoded.channelsFirst.slice(0)))
    }
    return try sheet.image()
  }
}

extension AutoencoderConfiguration {
  /// Number of parameters, in floating point, where absurd settings cannot overflow; attention between the levels alone.
  var parameterCount: Double {
    func block(_ from: Int, _ to: Int) -> Double {
      9 * Double(to) * Double(from + to) + (from == to ? 0 : Double(from) * Double(to)) + 4 * Double(to)
    }
    let widest = levelChannels.last ?? 0
    var count = 2 * (2 * block(widest, widest) + 4 * Double(widest) * Double(widest))
    var previous = channels
    for width in levelChannels {
      let resampled = 18 * Double(width) * Double(width)
      count += block(previous, width) * 2 + resampled
      count += Double(2 * residualBlocks - 1) * block(width, width)
      previous = width
    }
    return count + 9 * Double(widest) * Double(3 * latentChannels) + 54 * Double(channels)
  }
}
