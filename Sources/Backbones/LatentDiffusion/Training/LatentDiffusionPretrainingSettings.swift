import Augment
import Base
import Checkpoints
import DiffusionCore
import Images
import Layers
import TensorCore
import Training

/// A latent diffusion model to train on the latents of an autoencoder, and how (Rombach et al. 2022, section 3.2).
///
/// Process, loss and decay are the reference's; network and batch are of a size for a CPU.
public struct LatentDiffusionPretrainingSettings: Sendable, Equatable {
  /// The autoencoder; there is no training without one.
  public var firstStage: FirstStage?
  /// Side of the pictures, in pixels.
  public var imageSize = 64
  /// Channels of the first level, a multiple of 32 with every multiple below.
  public var channels = 64
  /// Channels of every level, in multiples of those; the first is 1.
  public var channelMult: [Double] = [1, 2, 3]
  public var residualBlocks = 2
  /// Sides of the maps that have attention, in latents.
  public var attentionResolutions = [8, 4]
  /// Channels of an attention head.
  public var headChannels = 32
  /// Steps of the process.
  public var diffusionSteps = 1000
  /// Variance of the first step.
  public var betaStart = 0.0015
  /// Variance of the last step.
  public var betaEnd = 0.0195
  /// What differences of the noise are measured by.
  public var loss = LatentLossOptions.Norm.l2
  /// Whether every other picture is mirrored.
  public var flips = true
  /// Whether pictures are turned by a random number of right angles.
  public var quarterTurns = false
  public var reading = PictureReading()
  /// Which square of a picture the network sees.
  public var crop = PictureCrop.centre
  public var trainer = TrainerOptions()

  public init() {
    trainer.batch = 32
    trainer.optimizer = Adam(learningRate: 2e-4, weightDecay: 0.01, decay: .decoupled)
    trainer.average = ExponentialAverage(decay: 0.9999, warmsUp: true)
  }

  /// Channels of the latents; 0 without an autoencoder.
  var latentChannels: Int { firstStage?.autoencoder.configuration.embedChannels ?? 0 }
  /// Side of the latents.
  var latentSide: Int { imageSize / (firstStage?.autoencoder.configuration.factor ?? 1) }

  /// The network, with the layers of the published models without a condition.
  public var configuration: UNetConfiguration {
    UNetConfiguration(
      inChannels: latentChannels, modelChannels: channels, outChannels: latentChannels,
      channelMult: channelMult, residualBlocks: residualBlocks,
      attentionDownsampleFactors: Set(attentionResolutions.filter { $0 > 0 }.map { latentSide / $0 }),
      resampling: .convolution, usesScaleShiftNorm: false, classCount: nil,
      attention: AttentionSettings(heads: .channels(headChannels)))
  }

  private var schedule: LatentSchedule { .linear(from: betaStart, to: betaEnd) }

  /// - Throws: `DataError` when there can be no such process.
  func diffusion() throws(DataError) -> GaussianDiffusion {
    try GaussianDiffusion(schedule, steps: diffusionSteps)
  }

  /// - Throws: `DataError` that names the setting that cannot be.
  public func validate() throws(DataError) {
    func check(_ holds: Bool, _ name: String, _ expected: String, _ found: Any) throws(DataError) {
      if !holds { throw DataError(.invalidArgument, file: name, expected: expected, found: "\(found)") }
    }
    guard let firstStage else {
      throw DataError(
        .invalidArgument, file: "--first-stage",
        expected: "an autoencoder, such as dseg pretrain --kind autoencoder trains", found: "none")
    }
    let most = 1 << 14
    try check((1...most).contains(channels), "channels", "1 to \(most)", channels)
    try check(
      (1...10).contains(channelMult.count) && channelMult[0] == 1
        && channelMult.allSatisfy { $0 > 0 && $0 * Double(channels) <= Double(most) },
      "channel multiples", "1 to 10 numbers above 0, the first 1", channelMult)
    try check((1...64).contains(residualBlocks), "residual blocks", "1 to 64", residualBlocks)
    let multiple = firstStage.autoencoder.configuration.factor << (channelMult.count - 1)
    try check(
      imageSize > 0 && imageSize <= most && imageSize % multiple == 0, "image size",
      "a multiple of \(multiple), for the autoencoder and \(channelMult.count) levels, up to \(most)",
      imageSize)
    try check(
      attentionResolutions.allSatisfy { $0 > 0 && latentSide % $0 == 0 }, "attention resolutions",
      "divisors of the latents' side of \(latentSide)", attentionResolutions)
    try check(headChannels > 0, "head channels", "a number above 0", headChannels)
    try check(betaStart > 0 && betaStart < 1, "beta start", "a number between 0 and 1", betaStart)
    try check(betaEnd > 0 && betaEnd < 1, "beta end", "a number between 0 and 1", betaEnd)
    try check(
      LatentSchedule.steps.contains(diffusionSteps), "diffusion steps", "\(LatentSchedule.steps)",
      diffusionSteps)
    _ = try schedule.betas(steps: diffusionSteps)
    try configuration.validate()
    try trainer.validate()
  }
}
