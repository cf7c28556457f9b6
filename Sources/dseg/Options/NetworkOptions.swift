import ArgumentParser
import DiffusionSegmentation

extension AttentionOrder: ExpressibleByArgument {}
extension NoiseSchedule: ExpressibleByArgument {}
extension ImageFit: ExpressibleByArgument {}
extension ConvolutionPolicy.Precision: ExpressibleByArgument {}

/// What the weights of a checkpoint do not tell about its network. What is not given keeps the value that the file or
/// the segmenter has, or else its default.
struct NetworkOptions: ParsableArguments {
  @Option(help: "Side of the pictures that the model was trained on, in pixels. (default: 256)")
  var imageSize: Int?

  @Option(help: "Channels of an attention head. (default: 64)")
  var headChannels: Int?

  @Option(help: "Number of attention heads, instead of --head-channels.")
  var heads: Int?

  @Option(help: "Number of attention heads on the way up, if it differs from --heads.")
  var headsUpsample: Int?

  @Option(help: "How queries, keys and values lie in the weights: legacy or new. (default: legacy)")
  var attentionOrder: AttentionOrder?

  @Option(help: "Noise schedule of the diffusion: linear or cosine. (default: linear)")
  var noiseSchedule: NoiseSchedule?

  @Option(help: "Steps of the diffusion. (default: 1000)")
  var diffusionSteps: Int?

  @Flag(help: "The model saw time scaled to 0-1000, whatever the number of steps.")
  var rescaleTimesteps = false

  @Option(
    help: ArgumentHelp(
      "Which network of a checkpoint that holds several, by what stands before its names, such as ema or model. (default: the moving average)",
      valueName: "name"))
  var weights: String?

  @Option(
    help: """
      How convolutions are computed: fast, or reference, which rounds a few times less and takes twice as long. \
      (default: fast)
      """)
  var precision: ConvolutionPolicy.Precision?

  @Option(
    help: ArgumentHelp(
      "Noise for all pictures, [3, size, size], instead of the seed's.", valueName: "file.npy"))
  var noise: String?

  func validate() throws {
    if headChannels != nil && heads != nil {
      throw ValidationError("--head-channels and --heads exclude each other.")
    }
  }

  /// Changes what was given on the command line.
  func apply(to options: inout BackboneOptions) {
    if let imageSize { options.imageSize = imageSize }
    if let headChannels { options.attention.heads = .channels(headChannels) }
    if let heads { options.attention.heads = .count(heads) }
    if let headsUpsample { options.attention.headsUpsample = headsUpsample }
    if let attentionOrder { options.attention.order = attentionOrder }
    if let noiseSchedule { options.noiseSchedule = noiseSchedule }
    if let diffusionSteps { options.diffusionSteps = diffusionSteps }
    if rescaleTimesteps { options.rescaleTimesteps = true }
    if let precision { options.precision = precision }
  }

  /// Which network was asked for.
  var weightsChoice: WeightsChoice { weights.map { .named($0) } ?? .automatic }

  /// Those of a checkpoint, with what was given on the command line. What contradicts the checkpoint is said.
  /// - Parameter imageSize: of a configuration
  func backboneOptions(for checkpoint: Checkpoint, imageSize: Int? = nil) throws(DataError) -> BackboneOptions
  {
    let isDecided = headChannels != nil || heads != nil
    let stated = try BackboneOptions(
      metadata: checkpoint.metadata, notices: isDecided ? Notices() : .ofThisRun, file: checkpoint.path)
    var options = stated
    if let imageSize { options.imageSize = imageSize }
    apply(to: &options)
    options.noticeContradictions(
      to: stated, metadata: checkpoint.metadata, file: checkpoint.path, notices: .ofThisRun)
    return options
  }

  /// The diffusion model of a checkpoint, which is opened once.
  func backbone(checkpoint path: String) throws(DataError) -> DiffusionBackbone {
    let checkpoint = try Checkpoint(contentsOf: path)
    return try DiffusionBackbone(
      checkpoint, options: backboneOptions(for: checkpoint), weights: weightsChoice, notices: .ofThisRun)
  }

  /// The noise of `--noise`; nil when it was not given.
  func fixedNoise() throws(DataError) -> FeatureNoise? {
    guard let noise else { return nil }
    let tensor = try NpyFile(contentsOf: noise).array.tensor()
    // The reference saves its noise with a batch dimension of one.
    guard tensor.rank == 3 || tensor.rank == 4, tensor.count > 0, tensor.elements.allSatisfy(\.isFinite)
    else {
      throw DataError(
        .malformed, file: noise, expected: "finite numbers of shape [3, size, size]",
        found: "shape \(tensor.shape)" + (tensor.elements.allSatisfy(\.isFinite) ? "" : " with other numbers")
      )
    }
    return .fixed(tensor)
  }
}
