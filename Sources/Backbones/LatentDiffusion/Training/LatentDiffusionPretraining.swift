import Base
import Checkpoints
import DiffusionCore
import Features
import Images
import TensorCore
import Training

extension LatentDiffusionPretrainingSettings: PretrainingSettings {
  public static var kind: String { LatentDiffusion.kind }
  public static var summary: String { "a diffusion model of an autoencoder's latents (Rombach et al. 2022)" }
  public static var lossTerms: [String] { ["simple"] }

  public static let options: [TableOption<LatentDiffusionPretrainingSettings>] =
    networkRows + processRows + trainerRows() + blockRows()

  private static let networkRows: [TableOption<LatentDiffusionPretrainingSettings>] = [
    TableOption(
      "first-stage",
      "The autoencoder: a file of its own, or that of a latent diffusion model. It stays as it is.",
      expected: "file", get: { $0.firstStage?.digest },
      set: { (settings, text) throws(DataError) in
        settings.firstStage = try FirstStage(contentsOf: text)
        return true
      }),
    TableOption("image-size", "Side of the pictures, in pixels. (default: 64)", \.imageSize),
    TableOption(
      "channels",
      "Channels of the first level, a multiple of 32 with every multiple below. (default: 64)", \.channels),
    TableOption(
      "channel-mult", "Channels of every level, in multiples of those. (default: 1,2,3)", \.channelMult),
    TableOption("residual-blocks", "Residual blocks of every level. (default: 2)", \.residualBlocks),
    TableOption(
      "attention-resolutions", "Sides of the maps with attention, in latents. (default: 8,4)",
      \.attentionResolutions),
    TableOption("head-channels", "Channels of an attention head. (default: 32)", \.headChannels),
  ]

  private static let processRows: [TableOption<LatentDiffusionPretrainingSettings>] = [
    TableOption("diffusion-steps", "Steps of the diffusion. (default: 1000)", \.diffusionSteps),
    TableOption("beta-start", "Variance of the first step. (default: 0.0015)", \.betaStart),
    TableOption("beta-end", "Variance of the last step. (default: 0.0195)", \.betaEnd),
    TableOption("loss", "What is minimised: l1 or l2. (default: l2)", \.loss),
    TableOption("flips", "Whether every other picture is mirrored. (default: true)", \.flips),
    TableOption(
      "quarter-turns", "Whether pictures are turned by random right angles. (default: false)",
      \.quarterTurns),
  ]

  public var trainingBytes: Double {
    configuration.trainingBytes(
      imageSize: latentSide, pictures: trainer.microBatch ?? trainer.batch,
      recomputesBlocks: trainer.recomputesBlocks)
  }

  public func objective() throws(DataError) -> LatentDiffusionObjective {
    try validate()
    var options = LatentTrainingOptions()
    options.seed = trainer.seed
    options.loss.norm = loss
    (options.flips, options.quarterTurns) = (flips, quarterTurns)
    return try LatentDiffusionObjective(
      configuration: configuration, diffusion: diffusion(), autoencoder: firstStage!.autoencoder,
      imageSize: imageSize, options: options)
  }

  public func initialParameters() throws(DataError) -> [NamedTensor] {
    try UNet.initialParameters(configuration, random: Philox(seed: trainer.seed).split(.initialWeights))
  }

  public func modelMetadata(of goal: LatentDiffusionObjective) -> [String: String] {
    var options = LatentDiffusionOptions()
    (options.headChannels, options.imageSize) = (headChannels, imageSize)
    return options.metadata
  }

  /// The model under the names of the published ones: U-Net, autoencoder, variances and the factor of the latents.
  public func modelTensors(
    _ trained: [NamedTensor], of goal: LatentDiffusionObjective
  ) -> [NamedTensor] {
    func renamed(_ tensors: [NamedTensor], _ part: LatentCheckpoint.Part) -> [NamedTensor] {
      tensors.map { NamedTensor(name: part.rawValue + $0.name, tensor: $0.tensor) }
    }
    let betas = goal.diffusion.betas.map { Float($0) }
    return renamed(trained, .network) + renamed(firstStage?.parameters ?? [], .firstStage) + [
      NamedTensor(name: "betas", tensor: Tensor(betas, shape: [betas.count])),
      NamedTensor(name: "scale_factor", tensor: Tensor([Float(goal.scale ?? 1)], shape: [])),
    ]
  }

  /// Pictures decoded from latents that DDIM makes.
  public func sheet(
    of model: UNet, goal: LatentDiffusionObjective, samples: SampleSettings
  ) throws(DataError) -> Image {
    let steps = min(samples.samplingSteps, diffusionSteps)
    let sampler = try LatentSampler(
      goal.diffusion, method: steps < diffusionSteps ? .ddim(steps: steps) : .ancestral())
    let latents = try sampler.sample(
      count: samples.count, shape: [latentChannels, latentSide, latentSide], seed: trainer.seed,
      network: { (x, times, _) throws(DataError) in model(x, timesteps: times) })
    let scale = Float(1 / (goal.scale ?? 1))
    let pictures = (0..<samples.count).map { index in
      goal.autoencoder.decode((latents.samples(index..<index + 1) * scale).channelsLast).channelsFirst.slice(
        0)
    }
    return try SampleSheet.image(of: stack(pictures))
  }
}
