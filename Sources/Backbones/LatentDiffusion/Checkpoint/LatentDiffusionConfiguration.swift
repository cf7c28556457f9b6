import Base
import Checkpoints
import DiffusionCore

/// The architecture of a latent diffusion model, read from the names and shapes of its weights.
public struct LatentDiffusionConfiguration: Sendable, Equatable {
  /// The U-Net, which sees latents.
  public var network: UNetConfiguration
  /// The first stage; nil where the file has none.
  public var autoencoder: AutoencoderConfiguration?
  /// Rows of the class embedder; nil where there is none.
  public var classCount: Int?
  /// Steps of the schedule in the file; nil where it has none.
  public var steps: Int?

  /// - Parameters:
  ///   - state: of the whole model
  ///   - options: what the weights do not tell
  /// - Throws: `DataError` that names the tensor which no such model has, or lacks.
  public init(state: StateDictionary, options: LatentDiffusionOptions = .init()) throws(DataError) {
    func shapes(_ part: LatentCheckpoint.Part) -> [String: [Int]] {
      var shapes: [String: [Int]] = [:]
      for tensor in state.tensors where tensor.name.hasPrefix(part.rawValue) {
        shapes[String(tensor.name.dropFirst(part.rawValue.count))] = tensor.array.shape
      }
      return shapes
    }
    let file = state.file
    network = try Self.network(shapes: shapes(.network), file: file, options: options)
    let stage = shapes(.firstStage)
    if !stage.isEmpty {
      autoencoder = try AutoencoderConfiguration(
        shapes: stage, file: file, prefix: state.prefix + LatentCheckpoint.Part.firstStage.rawValue)
    }
    if let table = state[ClassEmbedder.name]?.shape {
      guard table.count == 2, (1...1 << 20).contains(table[0]),
        table[1] == network.transformer?.contextChannels
      else {
        throw DataError(
          .malformed, file: file, item: state.prefix + ClassEmbedder.name,
          expected:
            "[classes, \(network.transformer?.contextChannels ?? 0)], tokens of the network's context",
          found: "shape \(table)")
      }
      classCount = table[0]
    }
    steps = LatentNoiseTable.source(in: state).flatMap { state[$0.rawValue]?.count }
  }

  /// The U-Net of a state dictionary of its own, with heads as they are given or else guessed.
  /// - Parameters:
  ///   - shapes: shape of each tensor by name
  ///   - file: where they come from, for messages
  ///   - options: what the weights do not tell
  public static func network(
    shapes: [String: [Int]], file: String, options: LatentDiffusionOptions = .init()
  ) throws(DataError) -> UNetConfiguration {
    var heads = options.attentionHeads
    if heads == nil {
      let plain = try UNetConfiguration(
        shapes: shapes, file: file, attention: AttentionSettings(heads: .count(1)))
      heads = guessedHeads(of: plain)
    }
    var network = try UNetConfiguration(
      shapes: shapes, file: file, attention: AttentionSettings(heads: heads ?? .count(1)))
    if let isLegacy = options.legacy { network.transformer?.isLegacy = isLegacy }
    return network
  }

  // MARK: What no weight tells

  /// How attention is divided in the published model of this shape.
  public static func guessedHeads(of network: UNetConfiguration) -> AttentionSettings.Heads {
    let width = network.modelChannels
    if let context = network.transformer?.contextChannels {
      if (context == 768 && width == 320) || context == 1280 { return .count(8) }
      return context == 512 && width == 192 ? .count(1) : .channels(32)
    }
    let isSemantic = network.levelChannels == [width, 4 * width, 8 * width]
    return network.resampling == .residual || isSemantic ? .count(8) : .channels(32)
  }

  /// Whether it has the shape of Stable Diffusion 1.
  private var isStable: Bool { network.transformer?.contextChannels == 768 && network.modelChannels == 320 }

  /// Side of the pictures that the published model of this shape was trained on, in pixels.
  public var guessedImageSize: Int { isStable ? 512 : 256 }

  /// What latents are scaled by in the published model of this shape, where the file does not say it.
  public var guessedScaleFactor: Double {
    guard let autoencoder else { return 1 }
    if autoencoder.latentChannels == 16 { return 0.22765929 }
    let hasText = [768, 1280].contains(network.transformer?.contextChannels)
    return hasText && autoencoder.bottleneck == .gaussian && autoencoder.factor == 8 ? 0.18215 : 1
  }

  /// First and last variance of the published model of this shape.
  public var guessedBetas: (first: Double, last: Double) {
    if [768, 1280].contains(network.transformer?.contextChannels) && autoencoder?.latentChannels != 16 {
      return (0.00085, 0.012)
    }
    if autoencoder?.latentChannels == 16 { return (0.0015, 0.015) }
    let isChurches = network.transformer == nil && autoencoder?.factor == 8
    return (0.0015, isChurches ? 0.0155 : 0.0195)
  }

  /// Output blocks whose activations are features unless others are asked for: those with half the latents' side, and
  /// the first with all of it.
  ///
  /// For the models of faces and bedrooms, of cin256-v2 and of Stable Diffusion these are the blocks 5 to 8 (of faces
  /// 2,016 channels a step), for churches 8 to 11, for cin256 2 to 5.
  public static func defaultBlocks(of network: UNetConfiguration) -> [Int] {
    let (count, perLevel) = (network.outputBlockCount, network.residualBlocks + 1)
    return Array(max(0, count - 2 * perLevel - 1)...max(0, count - perLevel - 1))
  }
}
