import Layers

extension AutoencoderConfiguration {
  /// Side of a level's pictures, for pictures of `imageSize` pixels.
  static func side(level: Int, imageSize: Int) -> Int { max(1, imageSize >> level) }

  /// All 3×3 convolutions of stride 1.
  func plannedConvolutions(imageSize: Int) -> [PlannedConvolution] {
    var planned: [PlannedConvolution] = []
    let last = levelChannels.count - 1
    func add(_ inChannels: Int, _ outChannels: Int, level: Int) {
      planned.append(
        PlannedConvolution(
          inChannels: inChannels, outChannels: outChannels,
          side: Self.side(level: level, imageSize: imageSize)))
    }
    func addLevel(_ level: Int, from channels: Int, blocks: Int) {
      for block in 0..<blocks {
        add(block == 0 ? channels : levelChannels[level], levelChannels[level], level: level)
        add(levelChannels[level], levelChannels[level], level: level)
      }
    }
    let top = levelChannels[last]
    add(inChannels, channels, level: 0)
    for level in 0...last {
      addLevel(level, from: level == 0 ? channels : levelChannels[level - 1], blocks: residualBlocks)
    }
    add(top, (bottleneck == .gaussian ? 2 : 1) * latentChannels, level: last)
    add(latentChannels, top, level: last)
    // Both middles, of two blocks each.
    addLevel(last, from: top, blocks: 4)
    for level in (0...last).reversed() {
      addLevel(level, from: levelChannels[min(level + 1, last)], blocks: residualBlocks + 1)
      if level > 0 { add(levelChannels[level], levelChannels[level], level: level - 1) }
    }
    add(levelChannels[0], inChannels, level: 0)
    return planned
  }

  /// Multiply-adds of the encoder for one picture.
  func encoderMACs(height: Int, width: Int) -> Double {
    var pixels = Double(height) * Double(width)
    var (macs, before) = (9 * pixels * Double(inChannels) * Double(channels), Double(channels))
    func attention(_ width: Double) -> Double { pixels * width * (4 * width + 2 * pixels) }
    for (level, channels) in levelChannels.enumerated() {
      let width = Double(channels)
      for _ in 0..<residualBlocks {
        macs += 9 * pixels * width * (before + width) + (before == width ? 0 : pixels * before * width)
        before = width
        if levelHasAttention[level] { macs += attention(width) }
      }
      guard level < levelChannels.count - 1 else { break }
      pixels /= 4
      macs += 9 * pixels * width * width
    }
    macs += 36 * pixels * before * before + (middleHasAttention ? attention(before) : 0)
    let outputs = Double(latentChannels) * (bottleneck == .gaussian ? 2 : 1)
    return macs + pixels * outputs * (9 * before + outputs)
  }

  /// Bytes of activations that encoding a picture holds at its fullest, roughly: a few maps of the widest level.
  func encodingBytes(height: Int, width: Int) -> Double {
    var widest = 0.0
    for (level, channels) in levelChannels.enumerated() {
      let before = level == 0 ? self.channels : levelChannels[level - 1]
      let pixels = Double(max(1, height >> level)) * Double(max(1, width >> level))
      widest = max(widest, pixels * Double(max(channels, before)))
    }
    return 4 * 6 * widest
  }
}
