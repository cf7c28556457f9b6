import Base
import Checkpoints
import Layers

extension DiffusionOptions {
  /// - Throws: `DataError` when the network cannot see pictures of this size.
  fileprivate func validate(for configuration: UNetConfiguration) throws(DataError) {
    let multiple = configuration.sizeMultiple
    guard imageSize > 0, imageSize <= 1 << 14, imageSize % multiple == 0 else {
      throw DataError(
        .invalidArgument, file: "image size",
        expected: "a multiple of \(multiple), for a network of \(configuration.levels) levels",
        found: "\(imageSize)")
    }
  }
}

/// A pretrained diffusion model: the network of a checkpoint and the process it was trained for.
public struct DiffusionBackbone: Sendable {
  public let network: UNet
  public let diffusion: GaussianDiffusion
  public let options: DiffusionOptions
  /// The file that the weights were read from.
  public let checkpoint: ModelOrigin

  /// Path of the checkpoint.
  public var checkpointPath: String { checkpoint.path }

  /// Loads a guided-diffusion checkpoint (`.pt` or `.safetensors`). The architecture is read from it.
  /// - Parameters:
  ///   - path: the file, `.pt` or `.safetensors`
  ///   - options: what the weights do not tell; the defaults are those of the published checkpoints
  ///   - weights: which network, when the file holds several
  ///   - notices: told which of several was taken
  /// - Throws: `DataError` when the file cannot be read, is no such network, has weights that are no numbers, or the
  ///   options do not fit it.
  public init(
    checkpoint path: String, options: DiffusionOptions = .init(), weights: WeightsChoice = .automatic,
    notices: Notices = Notices()
  ) throws(DataError) {
    try self.init(Checkpoint(contentsOf: path), options: options, weights: weights, notices: notices)
  }

  /// Loads a guided-diffusion checkpoint that is open.
  /// - Throws: `DataError` as `init(checkpoint:options:weights:notices:)` does.
  public init(
    _ checkpoint: Checkpoint, options: DiffusionOptions = .init(), weights: WeightsChoice = .automatic,
    notices: Notices = Notices()
  ) throws(DataError) {
    let (state, origin) = try UNetConfiguration.state(in: checkpoint, weights: weights, notices: notices)
    let configuration = try UNetConfiguration(state: state, attention: options.attention)
    try configuration.checkSeesPictures(file: checkpoint.path, prefix: state.prefix)
    try options.validate(for: configuration)
    try self.init(
      network: UNet(
        configuration, weights: WeightScope(state, requiresFinite: true),
        convolutions: ConvolutionPolicy(precision: options.precision, imageSize: options.imageSize)),
      options: options, checkpoint: origin)
  }

  /// A model from its parts, whose checkpoint is at a path.
  /// - Throws: `DataError` when the image size does not fit the network, or the schedule cannot have so few steps.
  public init(network: UNet, options: DiffusionOptions, checkpointPath: String) throws(DataError) {
    try self.init(network: network, options: options, checkpoint: ModelOrigin(path: checkpointPath))
  }

  /// A model from its parts.
  /// - Throws: `DataError` when the image size does not fit the network, or the schedule cannot have so few steps.
  public init(network: UNet, options: DiffusionOptions, checkpoint: ModelOrigin) throws(DataError) {
    try options.validate(for: network.configuration)
    guard options.diffusionSteps > 0, options.diffusionSteps <= 1_000_000 else {
      throw DataError(
        .invalidArgument, file: "diffusion steps", expected: "1 to 1,000,000",
        found: "\(options.diffusionSteps)")
    }
    // The linear schedule is scaled to the number of steps, and few steps leave the range of variances.
    let betas = options.noiseSchedule.betas(steps: options.diffusionSteps)
    guard betas.allSatisfy({ $0 > 0 && $0 < 1 }) else {
      throw DataError(
        .invalidArgument, file: "diffusion steps",
        expected: "enough steps for variances between 0 and 1 with the \(options.noiseSchedule) schedule",
        found: "\(options.diffusionSteps)")
    }
    self.network = network
    self.options = options
    self.checkpoint = checkpoint
    diffusion = GaussianDiffusion(
      schedule: options.noiseSchedule, steps: options.diffusionSteps,
      varianceType: network.configuration.hasLearnedVariance ? .learnedRange : .fixedLarge,
      rescaleTimesteps: options.rescaleTimesteps)
  }

  /// Size and cost of every output block for pictures of the model's own size.
  public var cost: UNetConfiguration.CostReport {
    network.configuration.cost(height: options.imageSize, width: options.imageSize)
  }

  /// Output blocks with channels and size, as a list for messages: `0: 128@8, 1: 128@8, …`.
  public var blockList: String {
    cost.outputBlocks.map { "\($0.index): \($0.channels)@\($0.height)" }.joined(separator: ", ")
  }
}

extension UNetConfiguration {
  /// Reads the architecture off a state dictionary.
  /// - Throws: `DataError` when it is not that of a guided-diffusion U-Net.
  public init(state: StateDictionary, attention: AttentionSettings = .init()) throws(DataError) {
    let shapes = Dictionary(state.tensors.map { ($0.name, $0.array.shape) }) { first, _ in first }
    try self.init(shapes: shapes, file: state.file, attention: attention)
  }
}
