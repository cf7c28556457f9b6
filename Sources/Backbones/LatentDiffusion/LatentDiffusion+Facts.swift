import Base
import Checkpoints
import DiffusionCore
import Features

extension LatentDiffusion {
  public static func facts(
    of state: StateDictionary, options: LatentDiffusionOptions
  ) throws(DataError) -> BackboneFacts {
    let configuration = try LatentDiffusionConfiguration(state: state, options: options)
    // What is guessed is told beside its value.
    func remark(_ isKnown: Bool) -> String { isKnown ? "" : ", not in the file: as in the published models" }
    let (knowsHeads, knowsScale) = (
      options.attentionHeads != nil, options.scaleFactor != nil || state["scale_factor"] != nil
    )
    let options = try configuration.completed(options, state: state, notices: Notices())
    let side = options.imageSize!
    try configuration.check(imageSize: side)
    let network = configuration.network
    let latentSide = side / (configuration.autoencoder?.factor ?? 1)
    let cost = network.cost(height: latentSide, width: latentSide)
    let encoding = configuration.autoencoder?.encoderMACs(height: side, width: side) ?? 0
    let total = encoding + cost.totalMACs
    let attention = network.levelHasAttention.indices.filter { network.levelHasAttention[$0] }
    let channels = network.levelChannels.map { "\($0)" }.joined(separator: ", ")
    let places =
      attention.isEmpty
      ? "in the middle" : "at levels \(attention.map { "\($0)" }.joined(separator: ", ")) and in the middle"
    let heads = options.heads.map { "\($0) heads" } ?? "heads of \(options.headChannels!) channels"
    let rows: [BackboneFacts.Row] = [
      .init("firstStage", .text(configuration.firstStage), title: "first stage"),
      .init("channels", .integer(network.inChannels), title: "channels of a latent"),
      .init(
        "levels", .integer(network.levels), title: "levels", text: "\(network.levels) of \(channels) channels"
      ),
      .init("levelChannels", .integers(network.levelChannels)),
      .init("residualBlocks", .integer(network.residualBlocks), title: "residual blocks a level"),
      .init(
        "attentionLevels", .integers(attention),
        title: network.transformer == nil ? "attention" : "transformers",
        text: "\(places), \(heads)\(remark(knowsHeads))"),
      .init("resampling", .text(network.resampling.rawValue), title: "resampling"),
      .init("scaleShiftNorm", .flag(network.usesScaleShiftNorm), title: "scale-shift norm"),
      network.transformer.map {
        .init(
          "contextChannels", .integer($0.contextChannels), title: "context",
          text: "tokens of \($0.contextChannels) numbers, depth \($0.depth)")
      } ?? .init("contextChannels", .none, title: "context", text: "none"),
      (configuration.classCount ?? network.classCount).map {
        .init("classes", .integer($0), title: "classes")
      }
        ?? .init("classes", .none, title: "classes", text: "none"),
      .init(
        "scaleFactor", .number(options.scaleFactor!), title: "scale factor",
        text: "\(options.scaleFactor!)\(remark(knowsScale))"),
      .init(
        "steps", .integer(configuration.steps ?? options.diffusionSteps ?? 0), title: "steps",
        text: "\(configuration.steps ?? options.diffusionSteps ?? 0)\(remark(configuration.steps != nil))"),
      .init("imageSize", .integer(side)),
      .init(
        "gigaMACs", .number(total / 1e9), title: "cost of a forward",
        text: "\((total / 1e7).rounded() / 100) GMAC at \(side)×\(side)"),
    ]
    return BackboneFacts(
      rows: rows, hindrance: configuration.hindrance(of: state), activationTitle: "output block",
      activations: cost.outputBlocks.map {
        BackboneFacts.Activation(
          name: "\($0.index)", channels: $0.channels, height: $0.height, width: $0.width,
          costSoFar: (encoding + $0.cumulativeMACs) / total)
      })
  }
}

extension LatentDiffusionConfiguration {
  /// The autoencoder in a line.
  fileprivate var firstStage: String {
    guard let autoencoder else { return "none" }
    let latent = "1/\(autoencoder.factor) of the side, \(autoencoder.embedChannels) channels"
    switch autoencoder.bottleneck {
    case .gaussian: return "KL-regularised, \(latent)"
    case .codebook(let codes): return "VQ-regularised, \(codes) vectors, \(latent)"
    }
  }

  fileprivate func hindrance(of state: StateDictionary) -> String? {
    do throws(DataError) {
      try checkMakesFeatures(of: state)
      return nil
    } catch {
      return "\(error.item): expected \(error.expected), found \(error.found)"
    }
  }
}
