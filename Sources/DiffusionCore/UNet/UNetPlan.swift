import Layers

/// The blocks of a U-Net in order, as its configuration implies them.
///
/// Names, weights, costs and sizes are all read off this list (`UNetModel.__init__` of the reference).
struct UNetPlan: Sendable {
  /// One layer of a block; its place in the block is its index in the checkpoint's names.
  enum Layer: Sendable {
    case conv(inChannels: Int, outChannels: Int)
    case residual(channels: Int, outChannels: Int, resampling: ResBlock.Resampling)
    case attention(channels: Int)
    case transformer(channels: Int)
    case downsample(channels: Int)
    case upsample(channels: Int)
  }

  let inputBlocks: [[Layer]]
  let middleBlock: [Layer]
  let outputBlocks: [[Layer]]
  /// Channels after the last output block.
  let finalChannels: Int

  init(_ configuration: UNetConfiguration) {
    let levels = configuration.levels
    var channels = configuration.levelChannels[0]
    finalChannels = channels
    var inputBlocks: [[Layer]] = [[.conv(inChannels: configuration.inChannels, outChannels: channels)]]
    var skipChannels = [channels]

    func attention(_ channels: Int) -> Layer {
      configuration.transformer == nil ? .attention(channels: channels) : .transformer(channels: channels)
    }

    func residual(from channels: Int, level: Int) -> [Layer] {
      let outChannels = configuration.levelChannels[level]
      var layers: [Layer] = [.residual(channels: channels, outChannels: outChannels, resampling: .none)]
      if configuration.levelHasAttention[level] { layers.append(attention(outChannels)) }
      return layers
    }

    for level in 0..<levels {
      for _ in 0..<configuration.residualBlocks {
        inputBlocks.append(residual(from: channels, level: level))
        channels = configuration.levelChannels[level]
        skipChannels.append(channels)
      }
      if level < levels - 1 {
        inputBlocks.append([
          configuration.resampling == .residual
            ? .residual(channels: channels, outChannels: channels, resampling: .down)
            : .downsample(channels: channels)
        ])
        skipChannels.append(channels)
      }
    }
    self.inputBlocks = inputBlocks

    middleBlock = [
      .residual(channels: channels, outChannels: channels, resampling: .none), attention(channels),
      .residual(channels: channels, outChannels: channels, resampling: .none),
    ]

    var outputBlocks: [[Layer]] = []
    for level in (0..<levels).reversed() {
      for index in 0...configuration.residualBlocks {
        var layers = residual(from: channels + skipChannels.removeLast(), level: level)
        channels = configuration.levelChannels[level]
        if level > 0 && index == configuration.residualBlocks {
          layers.append(
            configuration.resampling == .residual
              ? .residual(channels: channels, outChannels: channels, resampling: .up)
              : .upsample(channels: channels))
        }
        outputBlocks.append(layers)
      }
    }
    self.outputBlocks = outputBlocks
  }
}

extension UNetPlan.Layer {
  /// Side of the pictures after the layer, which is that of its convolutions of stride 1 too.
  func side(after side: Int) -> Int {
    switch self {
    case .residual(_, _, .up), .upsample: 2 * side
    case .residual(_, _, .down), .downsample: (side + 1) / 2
    default: side
    }
  }
}

extension UNetPlan {
  /// All 3×3 convolutions of stride 1 between inner layers, for pictures of this side.
  func convolutions(imageSize: Int) -> [PlannedConvolution] {
    var side = imageSize
    var convolutions: [PlannedConvolution] = []
    for layer in inputBlocks.joined() + middleBlock + outputBlocks.joined() {
      side = layer.side(after: side)
      func append(_ inChannels: Int, _ outChannels: Int) {
        convolutions.append(
          PlannedConvolution(inChannels: inChannels, outChannels: outChannels, side: side))
      }
      switch layer {
      case .conv(let inChannels, let outChannels): append(inChannels, outChannels)
      case .residual(let channels, let outChannels, _):
        append(channels, outChannels)
        append(outChannels, outChannels)
      case .upsample(let channels): append(channels, channels)
      case .attention, .transformer, .downsample: break
      }
    }
    return convolutions
  }
}
