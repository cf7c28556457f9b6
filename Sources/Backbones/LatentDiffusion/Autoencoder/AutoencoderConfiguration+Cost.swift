extension AutoencoderConfiguration {
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
