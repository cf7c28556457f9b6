import Base
import Checkpoints
import DiffusionCore
import Features
import Images
import TensorCore
import Training

extension DiffusionPretrainingSettings: PretrainingSettings {
  public static var kind: String { DiffusionBackbone.kind }
  public static var summary: String {
    "a diffusion model of pixels (Ho et al. 2020, Dhariwal and Nichol 2021)"
  }
  public static var lossTerms: [String] { ["mse", "variational"] }

  public static let options: [TableOption<DiffusionPretrainingSettings>] =
    networkRows + lossRows + trainerRows() + blockRows()

  private static let networkRows: [TableOption<DiffusionPretrainingSettings>] = [
    TableOption("image-size", "Side of the pictures, in pixels. (default: 64)", \.imageSize),
    TableOption(
      "channels",
      "Channels of the first level, a multiple of 32 with every multiple below. (default: 32)", \.channels),
    TableOption(
      "channel-mult", "Channels of every level, in multiples of those. (default: 1,2,3,4)", \.channelMult),
    TableOption("residual-blocks", "Residual blocks of every level. (default: 2)", \.residualBlocks),
    TableOption(
      "attention-resolutions", "Sides of the maps with attention, in pixels. (default: 16,8)",
      \.attentionResolutions),
    TableOption("head-channels", "Channels of an attention head. (default: 32)", \.headChannels),
    TableOption(
      "learn-sigma", "Whether the variance is learned too, with rescaled mse. (default: false)",
      expected: "true|false", get: { "\($0.learnsVariance)" },
      set: { settings, text in
        guard let learns = Bool(text) else { return false }
        settings.learnsVariance = learns
        if learns { settings.training.loss = .rescaledMSE }
        return true
      }),
    TableOption(
      "noise-schedule", "Noise schedule of the diffusion: linear or cosine. (default: linear)",
      \.noiseSchedule),
    TableOption("diffusion-steps", "Steps of the diffusion. (default: 1000)", \.diffusionSteps),
    TableOption(
      "class-conditional",
      "Whether the network is told the class of a picture: the folder that it lies in. (default: false)",
      \.usesClasses),
  ]

  private static let lossRows: [TableOption<DiffusionPretrainingSettings>] = [
    TableOption(
      "loss", "What is minimised: mse, rescaled_mse, kl or rescaled_kl. (default: mse)", \.training.loss),
    TableOption(
      "timesteps",
      "How steps of the diffusion are drawn: uniform or loss-second-moment. (default: uniform)",
      \.training.timesteps),
    TableOption("flips", "Whether every other picture is mirrored. (default: true)", \.training.flips),
    TableOption(
      "quarter-turns", "Whether pictures are turned by random right angles. (default: false)",
      \.training.quarterTurns),
  ]

  public var trainer: TrainerOptions {
    get { training.training }
    set { training.training = newValue }
  }

  public mutating func prepare(classCount: Int?) { self.classCount = classCount }

  public var trainingBytes: Double {
    configuration.trainingBytes(
      imageSize: imageSize, pictures: training.microBatch ?? training.batch,
      recomputesBlocks: training.recomputesBlocks)
  }

  public func objective() throws(DataError) -> DiffusionObjective {
    try DiffusionObjective(
      configuration: configuration,
      diffusion: GaussianDiffusion(
        schedule: noiseSchedule, steps: diffusionSteps,
        varianceType: learnsVariance ? .learnedRange : .fixedLarge),
      imageSize: imageSize, options: training)
  }

  public func initialParameters() throws(DataError) -> [NamedTensor] {
    try UNet.initialParameters(configuration, random: Philox(seed: training.seed).split(.initialWeights))
  }

  public func modelMetadata(of goal: Goal) -> [String: String] { diffusionOptions.metadata }

  /// Pictures made from noise by DDIM.
  public func sheet(
    of model: UNet, goal: DiffusionObjective, samples: SampleSettings
  ) throws(DataError) -> Image {
    let sampler = try DiffusionSampler(
      network: model, options: diffusionOptions, method: .ddim(),
      steps: min(samples.samplingSteps, diffusionSteps))
    let classes = classCount.map { count in (0..<samples.count).map { $0 % count } }
    return try SampleSheet.image(
      of: sampler.sample(count: samples.count, seed: training.seed, classes: classes))
  }
}
