import Base
import Checkpoints
import DiffusionCore
import Features
import Layers
import TensorCore

/// A latent diffusion model (Rombach et al. 2022) as a backbone: an autoencoder, and a U-Net that denoises its latents.
///
/// Read are the checkpoints of CompVis/latent-diffusion and of Stable Diffusion 1. Text encoders are not: what they make
/// of a text is given as a file.
public struct LatentDiffusion: Backbone {
  public static let kind = "latent-diffusion"
  public static let summary =
    "an autoencoder and the U-Net of its latents (Rombach et al. 2022), Stable Diffusion 1"

  public static let anchor = LatentCheckpoint.Part.network.rawValue + UNetConfiguration.anchor
  public static let landmarks =
    UNetConfiguration.landmarks.map { LatentCheckpoint.Part.network.rawValue + $0 }
    + ["encoder.conv_in.weight", "decoder.conv_out.weight"].map {
      LatentCheckpoint.Part.firstStage.rawValue + $0
    }

  public let network: UNet
  public let autoencoder: Autoencoder
  /// Nil for a network that is told no class.
  public let classEmbedder: ClassEmbedder?
  /// All settings, also those that were guessed.
  public let options: LatentDiffusionOptions
  public let origin: ModelOrigin
  /// The architecture that was read from the file.
  public let configuration: LatentDiffusionConfiguration
  /// The process that the network was trained for.
  public let diffusion: GaussianDiffusion

  /// Side of the square pictures that are shown to the model, in pixels.
  public var imageSize: Int { options.imageSize! }
  /// What the autoencoder's latents are multiplied by.
  public var scaleFactor: Float { Float(options.scaleFactor!) }
  /// Steps of the process.
  public var steps: Int { diffusion.steps }

  public static func recognizes(_ checkpoint: Checkpoint) -> Bool {
    !LatentCheckpoint.prefixes(in: checkpoint).isEmpty && OtherCheckpoint.isLatentDiffusion(checkpoint)
  }

  public static func networkNames(in checkpoint: Checkpoint) -> [String] {
    LatentCheckpoint.networks(in: checkpoint).members.map(\.name)
  }

  public static func state(
    in checkpoint: Checkpoint, weights: WeightsChoice, notices: Notices
  ) throws(DataError) -> (state: StateDictionary, origin: ModelOrigin) {
    let choice = try LatentCheckpoint.choice(in: checkpoint, weights: weights, notices: notices)
    return (
      choice.checkpoint.state(averaged: choice.isAveraged, notices: notices),
      ModelOrigin(checkpoint.file, weights: choice.name)
    )
  }

  /// Half precision would leave little of the first steps of a schedule.
  public static func keepsPrecision(_ name: String) -> Bool { LatentCheckpoint.tables.contains(name) }

  public init(
    _ checkpoint: Checkpoint, options: LatentDiffusionOptions = .init(), weights: WeightsChoice = .automatic,
    notices: Notices = Notices()
  ) throws(DataError) {
    let (state, origin) = try Self.state(in: checkpoint, weights: weights, notices: notices)
    let configuration = try LatentDiffusionConfiguration(state: state, options: options)
    let options = try configuration.completed(options, state: state, notices: notices)
    try configuration.checkMakesFeatures(of: state)
    try configuration.check(imageSize: options.imageSize!)
    diffusion =
      configuration.steps == nil
      ? try GaussianDiffusion(
        .linear(from: options.betaStart!, to: options.betaEnd!), steps: options.diffusionSteps!)
      : try GaussianDiffusion(storedIn: state)
    let scope = WeightScope(state, requiresFinite: true)
    func part(_ part: LatentCheckpoint.Part) -> WeightScope { scope.scope(String(part.rawValue.dropLast())) }
    let stage = configuration.autoencoder!
    network = try UNet(
      configuration.network, weights: part(.network),
      convolutions: Self.convolutions(
        precision: options.precision, imageSize: options.imageSize! / stage.factor))
    autoencoder = Autoencoder(
      stage,
      convolutions: Self.convolutions(precision: options.precision, imageSize: options.imageSize!),
      weights: part(.firstStage))
    classEmbedder = configuration.classCount.map {
      ClassEmbedder(
        classCount: $0, channels: configuration.network.transformer!.contextChannels,
        weights: part(.conditionStage))
    }
    for name in LatentCheckpoint.tables { scope.ignore(name) }
    try scope.finish()
    (self.options, self.origin, self.configuration) = (options, origin, configuration)
  }

  /// How both networks compute their convolutions: in little more memory than the file takes, as these models are large
  /// and their latents small.
  /// - Parameters:
  ///   - precision: how convolutions round
  ///   - imageSize: side of the pictures, or of the latents, in pixels
  public static func convolutions(
    precision: ConvolutionPolicy.Precision = .fast, imageSize: Int
  ) -> ConvolutionPolicy {
    ConvolutionPolicy(precision: precision, imageSize: imageSize, memoryFactor: 1.1)
  }

  // MARK: Latents

  /// The latents that the U-Net was trained on.
  /// - Parameters:
  ///   - pictures: `[N, 3, H, W]` in [-1, 1]
  ///   - noise: draws latents from their distribution, `[N, z, h, w]`; nil for the mean
  /// - Returns: `[N, z, h, w]`, scaled
  public func latents(of pictures: Tensor, noise: Tensor? = nil) -> Tensor {
    let pictures = pictures.channelsLast
    guard let noise, autoencoder.configuration.bottleneck == .gaussian else {
      return autoencoder.latents(of: pictures).channelsFirst * scaleFactor
    }
    let posterior = GaussianPosterior(moments: autoencoder.encode(pictures))
    return posterior.sample(noise: noise.channelsLast).channelsFirst * scaleFactor
  }

  /// Pictures of latents.
  /// - Parameter latents: `[N, z, h, w]`, scaled
  /// - Returns: `[N, 3, H, W]`, about in [-1, 1]
  public func pictures(of latents: Tensor) -> Tensor {
    autoencoder.decode((latents * (1 / scaleFactor)).channelsLast).channelsFirst
  }

  // MARK: Size and cost

  /// Side of the latents of pictures of the model's own size.
  var latentSize: Int { imageSize / autoencoder.configuration.factor }

  /// Size and cost of every output block for pictures of the model's own size.
  var cost: UNetConfiguration.CostReport {
    network.configuration.cost(height: latentSize, width: latentSize)
  }

  /// Output blocks with channels and size, as a list for messages: `0: 128@8, 1: 128@8, …`.
  var blockList: String {
    cost.outputBlocks.map { "\($0.index): \($0.channels)@\($0.height)" }.joined(separator: ", ")
  }
}
