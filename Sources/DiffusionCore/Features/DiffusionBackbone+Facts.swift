import Base
import Checkpoints
import Features

extension DiffusionBackbone {
  /// A network of latent diffusion has the same names, and sees no pictures.
  public static func recognizes(_ checkpoint: Checkpoint) -> Bool {
    !networkNames(in: checkpoint).isEmpty && !OtherCheckpoint.isLatentDiffusion(checkpoint)
  }

  public static func state(
    in checkpoint: Checkpoint, weights: WeightsChoice, notices: Notices
  ) throws(DataError) -> (state: StateDictionary, origin: ModelOrigin) {
    try UNetConfiguration.state(in: checkpoint, weights: weights, notices: notices)
  }

  public static func facts(
    of state: StateDictionary, options: DiffusionOptions
  ) throws(DataError) -> BackboneFacts {
    let configuration = try UNetConfiguration(state: state)
    let side = options.imageSize
    guard side > 0, side <= 1 << 14, side % configuration.sizeMultiple == 0 else {
      throw DataError(
        .invalidArgument, file: "--image-size", expected: "a multiple of \(configuration.sizeMultiple)",
        found: "\(side)")
    }
    let cost = configuration.cost(height: side, width: side)
    let attention = configuration.levelHasAttention.indices.filter { configuration.levelHasAttention[$0] }
    let channels = configuration.levelChannels.map { "\($0)" }.joined(separator: ", ")
    let gigaMACs = Double(cost.totalMACs) / 1e9
    let rows: [BackboneFacts.Row] = [
      .init("channels", .integer(configuration.inChannels), title: "channels"),
      .init(
        "levels", .integer(configuration.levels), title: "levels",
        text: "\(configuration.levels) of \(channels) channels"),
      .init("levelChannels", .integers(configuration.levelChannels)),
      .init(
        "residualBlocks", .integer(configuration.residualBlocks), title: "residual blocks a level"),
      .init(
        "attentionLevels", .integers(attention), title: "attention",
        text: attention.isEmpty
          ? "in the middle"
          : "at levels \(attention.map { "\($0)" }.joined(separator: ", ")) and in the middle"),
      .init("resampling", .text(configuration.resampling.rawValue), title: "resampling"),
      .init("scaleShiftNorm", .flag(configuration.usesScaleShiftNorm), title: "scale-shift norm"),
      .init("learnedSigma", .flag(configuration.hasLearnedVariance), title: "learned sigma"),
      configuration.classCount.map { .init("classes", .integer($0), title: "classes") }
        ?? .init("classes", .none, title: "classes", text: "none"),
      .init("imageSize", .integer(side)),
      .init(
        "gigaMACs", .number(gigaMACs), title: "cost of a forward",
        text: "\(hundredths(gigaMACs)) GMAC at \(side)×\(side)"),
    ]
    return BackboneFacts(
      rows: rows, hindrance: hindrance(of: configuration, in: state), activationTitle: "output block",
      activations: cost.outputBlocks.map {
        BackboneFacts.Activation(
          name: "\($0.index)", channels: $0.channels, height: $0.height, width: $0.width,
          costSoFar: Double($0.cumulativeMACs) / Double(cost.totalMACs))
      })
  }

  private static func hundredths(_ number: Double) -> String {
    let digits = "\(Int((number * 100).rounded()))"
    let padded = String(repeating: "0", count: max(0, 3 - digits.count)) + digits
    return "\(padded.dropLast(2)).\(padded.suffix(2))"
  }

  private static func hindrance(of configuration: UNetConfiguration, in state: StateDictionary) -> String? {
    do throws(DataError) {
      try configuration.checkSeesPictures(file: state.file, prefix: state.prefix)
      return nil
    } catch {
      return "\(error.item): expected \(error.expected), found \(error.found)"
    }
  }
}
