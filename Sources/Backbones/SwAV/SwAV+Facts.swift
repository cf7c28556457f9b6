import Base
import Checkpoints
import Features
import Layers

extension SwAV {
  public static func facts(
    of state: StateDictionary, options: SwAVOptions
  ) throws(DataError) -> BackboneFacts {
    try options.validate()
    let configuration = try ResNetConfiguration(state: state)
    let side = options.imageSize
    let cost = configuration.cost(side: side)
    let gigaMACs = cost.total / 1e9
    return BackboneFacts(
      rows: [
        .init("channels", .integer(configuration.inChannels), title: "channels"),
        .init(
          "blocks", .integers(configuration.stages.map(\.count)), title: "blocks of the stages"),
        .init(
          "stageChannels", .integers(configuration.stages.map { $0.last?.outChannels ?? 0 }),
          title: "channels of the stages"),
        .init("groups", .integers(configuration.stages.map { $0.last?.groups ?? 1 })),
        .init("stem", .integer(configuration.stem), title: "channels of the stem"),
        .init("imageSize", .integer(side)),
        .init(
          "gigaMACs", .number(gigaMACs), title: "cost of a forward",
          text: "\((gigaMACs * 100).rounded() / 100) GMAC at \(side)×\(side)"),
      ],
      hindrance: configuration.inChannels == 3
        ? nil : "conv1.weight: expected pictures of 3 channels, found \(configuration.inChannels)",
      activationTitle: "input of block",
      activations: zip(configuration.taps, cost.before).map { tap, before in
        BackboneFacts.Activation(
          name: tap.name, channels: tap.channels, height: side / tap.stride, width: side / tap.stride,
          costSoFar: before / cost.total)
      })
  }
}

extension ResNetConfiguration {
  /// Multiply-adds of a forward for one picture: before each block, and of all.
  /// - Parameter side: of the picture, a multiple of 32
  func cost(side: Int) -> (before: [Double], total: Double) {
    var pixels = Double(side * side) / 4
    var sum = pixels * 49 * Double(inChannels) * Double(stem)
    pixels /= 4
    var (before, channels) = ([Double](), Double(stem))
    for block in stages.joined() {
      before.append(sum)
      let (width, out) = (Double(block.width), Double(block.outChannels))
      let after = pixels / Double(block.stride * block.stride)
      sum += pixels * channels * width + after * (9 * width * width / Double(block.groups) + width * out)
      if block.hasDownsample { sum += after * channels * out }
      (pixels, channels) = (after, out)
    }
    return (before, sum)
  }
}
