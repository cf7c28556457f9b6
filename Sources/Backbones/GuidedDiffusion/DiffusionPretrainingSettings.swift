import Augment
import Base
import DiffusionCore
import Images
import TensorCore

/// A diffusion model to train, and how. Everything that decides on its weights is in here, but for the pictures.
public struct DiffusionPretrainingSettings: Sendable, Equatable {
  /// Side of the pictures, in pixels.
  public var imageSize = 64
  /// Channels of the first level.
  public var channels = 32
  /// Channels of every level, in multiples of those.
  public var channelMult: [Double] = [1, 2, 3, 4]
  public var residualBlocks = 2
  /// Sides of the maps that have attention, in pixels.
  public var attentionResolutions = [16, 8]
  /// Channels of an attention head.
  public var headChannels = 32
  /// Whether the network is told the class of a picture.
  public var usesClasses = false
  /// Number of classes, known once the pictures are.
  public var classCount: Int?
  /// Whether the network predicts the variance too.
  public var learnsVariance = false
  public var noiseSchedule = NoiseSchedule.linear
  public var diffusionSteps = 1000
  /// How files become pictures.
  public var reading = PictureReading()
  /// Which square of a picture the network sees.
  public var crop = PictureCrop.centre
  public var training = DiffusionTrainingOptions()

  public init() { training.average.warmsUp = true }

  /// The network, with the layers of the published checkpoints.
  public var configuration: UNetConfiguration {
    UNetConfiguration(
      modelChannels: channels, outChannels: learnsVariance ? 6 : 3, channelMult: channelMult,
      residualBlocks: residualBlocks,
      attentionDownsampleFactors: Set(attentionResolutions.filter { $0 > 0 }.map { imageSize / $0 }),
      resampling: .residual, usesScaleShiftNorm: true, classCount: classCount,
      attention: AttentionSettings(heads: .channels(headChannels)))
  }

  /// What the weights do not tell.
  public var diffusionOptions: DiffusionOptions {
    DiffusionOptions(
      attention: configuration.attention, imageSize: imageSize, noiseSchedule: noiseSchedule,
      diffusionSteps: diffusionSteps)
  }
}

extension DiffusionPretrainingSettings {
  private static let limit = 1 << 14

  /// - Throws: `DataError` that names the setting that cannot be.
  public func validate() throws(DataError) {
    func check(_ holds: Bool, _ name: String, _ expected: String, _ found: Any) throws(DataError) {
      if !holds { throw DataError(.invalidArgument, file: name, expected: expected, found: "\(found)") }
    }
    let limit = Self.limit
    try check((1...limit).contains(imageSize), "image size", "1 to \(limit)", imageSize)
    try check((1...limit).contains(channels), "channels", "1 to \(limit)", channels)
    try check(
      !channelMult.isEmpty && channelMult.count <= 10
        && channelMult.allSatisfy { $0 > 0 && $0 * Double(channels) <= Double(limit) },
      "channel multiples", "1 to 10 numbers above 0", channelMult)
    // Without any, the shapes of a checkpoint do not tell the levels, and it could not be read.
    try check((1...64).contains(residualBlocks), "residual blocks", "1 to 64", residualBlocks)
    try check(
      attentionResolutions.allSatisfy { $0 > 0 && imageSize % $0 == 0 }, "attention resolutions",
      "divisors of the image size of \(imageSize)", attentionResolutions)
    try check(headChannels > 0, "head channels", "a number above 0", headChannels)
    try check(
      (1...1_000_000).contains(diffusionSteps), "diffusion steps", "1 to 1,000,000", diffusionSteps)
    let multiple = 1 << (channelMult.count - 1)
    try check(
      imageSize % multiple == 0, "image size", "a multiple of \(multiple), for \(channelMult.count) levels",
      imageSize)
    let betas = noiseSchedule.betas(steps: diffusionSteps)
    try check(
      betas.allSatisfy { $0 > 0 && $0 < 1 }, "diffusion steps",
      "enough steps for variances between 0 and 1 with the \(noiseSchedule) schedule", diffusionSteps)
    try configuration.validate()
    try training.validate()
  }
}
