extension UNetConfiguration {
  /// Size and cost of one output block for a picture.
  public struct BlockReport: Sendable, Equatable {
    /// Index in `output_blocks`.
    public var index: Int
    public var channels: Int
    public var height: Int
    public var width: Int
    /// Multiply-adds of one forward up to and with this block.
    public var cumulativeMACs: Double
  }

  /// What a forward of one picture costs.
  public struct CostReport: Sendable, Equatable {
    public var outputBlocks: [BlockReport]
    /// Multiply-adds of the whole network: convolutions, linear layers and attention.
    public var totalMACs: Double
  }

  /// Counts the multiply-adds of a forward for one picture of `height` × `width` pixels.
  /// - Precondition: both are multiples of `sizeMultiple`.
  public func cost(height: Int, width: Int) -> CostReport {
    precondition(
      height % sizeMultiple == 0 && width % sizeMultiple == 0,
      "\(height)×\(width) is no multiple of \(sizeMultiple)")
    let plan = UNetPlan(self)
    var (height, width) = (height, width)
    var macs = Double(embeddingChannels) * Double(modelChannels + embeddingChannels)

    func run(_ block: [UNetPlan.Layer]) {
      for layer in block { macs += self.macs(of: layer, height: &height, width: &width) }
    }
    plan.inputBlocks.forEach(run)
    run(plan.middleBlock)
    var reports: [BlockReport] = []
    for (index, block) in plan.outputBlocks.enumerated() {
      run(block)
      let level = levels - 1 - index / (residualBlocks + 1)
      reports.append(
        BlockReport(
          index: index, channels: levelChannels[level], height: height, width: width, cumulativeMACs: macs))
    }
    let last = macs + 9 * product(plan.finalChannels, outChannels, height, width)
    return CostReport(outputBlocks: reports, totalMACs: last)
  }

  private func macs(of layer: UNetPlan.Layer, height: inout Int, width: inout Int) -> Double {
    switch layer {
    case .conv(let inChannels, let outChannels):
      return 9 * product(inChannels, outChannels, height, width)
    case .residual(let channels, let outChannels, let change):
      switch change {
      case .none: break
      case .up: (height, width) = (2 * height, 2 * width)
      case .down: (height, width) = (height / 2, width / 2)
      }
      let skip = channels == outChannels ? 0 : product(channels, outChannels, height, width)
      return 9 * product(channels, outChannels, height, width) + skip
        + 9 * product(outChannels, outChannels, height, width)
        + product(embeddingChannels, outChannels, usesScaleShiftNorm ? 2 : 1)
    case .attention(let channels):
      return 4 * product(channels, channels, height, width)
        + 2 * product(channels, height, width) * product(height, width)
    case .transformer(let channels):
      let counts = transformerCounts(channels: channels)
      let pixels = product(height, width)
      return pixels * (counts.perPixel + pixels * counts.perPair)
    case .downsample(let channels):
      (height, width) = (height / 2, width / 2)
      return resampling == .convolution ? 9 * product(channels, channels, height, width) : 0
    case .upsample(let channels):
      (height, width) = (2 * height, 2 * width)
      return resampling == .convolution ? 9 * product(channels, channels, height, width) : 0
    }
  }

  /// In floating point, where the sizes that a hostile file tells cannot overflow.
  private func product(_ factors: Int...) -> Double { factors.reduce(1) { $0 * Double($1) } }

  /// Bytes of activations that one forward of one picture holds at its fullest, roughly: every skip, and a few
  /// maps of the widest block.
  public func activationBytes(height: Int, width: Int) -> Int {
    let plan = UNetPlan(self)
    var (height, width) = (height, width)
    var skips = 0
    var widest = 0
    for (index, block) in plan.inputBlocks.enumerated() {
      for layer in block { _ = macs(of: layer, height: &height, width: &width) }
      let isResampling = index > 0 && index % (residualBlocks + 1) == 0
      let level = index == 0 ? 0 : (index - 1) / (residualBlocks + 1)
      let channels = levelChannels[min(level, levels - 1)]
      let bytes = 4 * channels * height * width
      skips += bytes
      widest = max(widest, isResampling ? 4 * bytes : bytes)
    }
    return skips + 6 * widest
  }
}
