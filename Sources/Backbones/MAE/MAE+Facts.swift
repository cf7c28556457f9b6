import Base
import Checkpoints
import Features

extension MAE {
  public static func facts(of state: StateDictionary, options: MAEOptions) throws(DataError) -> BackboneFacts
  {
    let configuration = try MAEConfiguration(state: state, options: options)
    try check(options.imageSize, for: configuration)
    let side = options.imageSize ?? configuration.imageSize
    let places = side / configuration.patchSize
    let encoder = configuration.encoder
    let (embedding, block) = cost(encoder, configuration: configuration, places: places)
    let total = embedding + block * Double(encoder.depth)
    let decoder = configuration.decoder.map {
      "\($0.depth) blocks of \($0.channels) channels and \($0.heads) heads"
    }
    return BackboneFacts(
      rows: [
        .init("channels", .integer(configuration.inChannels), title: "channels"),
        .init("patchSize", .integer(configuration.patchSize), title: "patch"),
        .init("trainedSize", .integer(configuration.imageSize), title: "trained on pictures of"),
        .init("width", .integer(encoder.channels), title: "channels of a token"),
        .init("depth", .integer(encoder.depth), title: "blocks"),
        .init("heads", .integer(encoder.heads), title: "heads"),
        .init("hidden", .integer(encoder.hidden), title: "channels of an MLP"),
        .init(
          "hasDecoder", .flag(decoder != nil), title: "decoder",
          text: decoder ?? "none: gives features and no pictures"),
        .init(
          "normalization", .text(options.pixelMean == nil ? "ImageNet's" : "of its own"),
          title: "pictures normalised by",
          text: options.pixelMean == nil
            ? "ImageNet's statistics" : "statistics of the pictures it was trained on"),
        .init("imageSize", .integer(side)),
        .init(
          "gigaMACs", .number(total / 1e9), title: "cost of the encoder",
          text: "\((total / 1e7).rounded() / 100) GMAC at \(side)×\(side)"),
      ],
      activationTitle: "encoder block",
      activations: (0..<encoder.depth).map { index in
        BackboneFacts.Activation(
          name: "\(index)", channels: encoder.channels, height: places, width: places,
          costSoFar: (embedding + block * Double(index + 1)) / total)
      })
  }

  /// Multiply-adds of the patch embedding and of a block.
  private static func cost(
    _ stack: MAEConfiguration.Stack, configuration: MAEConfiguration, places: Int
  ) -> (embedding: Double, block: Double) {
    let (tokens, width) = (Double(places * places), Double(stack.channels))
    let patch = Double(configuration.patchSize * configuration.patchSize * configuration.inChannels)
    let all = tokens + 1
    return (
      tokens * patch * width,
      all * width * (4 * width + 2 * Double(stack.hidden)) + 2 * all * all * width
    )
  }
}
