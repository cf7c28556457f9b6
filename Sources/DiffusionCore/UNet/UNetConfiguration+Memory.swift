import TensorCore

extension UNetConfiguration {
  /// Number of parameters. In floating point, where absurd settings cannot overflow, and without making the network,
  /// which such settings have no memory for.
  public var parameterCount: Double {
    let plan = UNetPlan(self)
    let embedding = Double(embeddingChannels)
    var count = linear(Double(modelChannels), embedding) + linear(embedding, embedding)
    if let classCount { count += Double(classCount) * embedding }
    for layer in plan.inputBlocks.joined() + plan.middleBlock + plan.outputBlocks.joined() {
      switch layer {
      case .conv(let inChannels, let outChannels): count += convolution(inChannels, outChannels)
      case .residual(let channels, let outChannels, _):
        count += 2 * Double(channels + outChannels) + convolution(channels, outChannels)
        count += convolution(outChannels, outChannels)
        count += linear(embedding, Double(usesScaleShiftNorm ? 2 * outChannels : outChannels))
        if channels != outChannels { count += linear(Double(channels), Double(outChannels)) }
      case .attention(let channels):
        count += 2 * Double(channels) + linear(Double(channels), 4 * Double(channels))
      case .transformer(let channels): count += transformerCounts(channels: channels).parameters
      case .downsample(let channels), .upsample(let channels):
        if resampling == .convolution { count += convolution(channels, channels) }
      }
    }
    return count + 2 * Double(plan.finalChannels) + convolution(plan.finalChannels, outChannels)
  }

  private func linear(_ inputs: Double, _ outputs: Double) -> Double { inputs * outputs + outputs }
  private func convolution(_ inChannels: Int, _ outChannels: Int) -> Double {
    linear(9 * Double(inChannels), Double(outChannels))
  }

  /// Bytes that a training step cannot do without: weights, their copy in the order that
  /// the kernels read, their averages, both moments and the gradients, and what the
  /// layers keep of some pictures for the way back. A real step takes more, so that what is refused for it would have
  /// failed.
  /// - Parameters:
  ///   - imageSize: side of the square pictures, in pixels
  ///   - pictures: whose activations exist at a time
  ///   - recomputesBlocks: whether what is inside residual blocks is computed again on the way back
  public func trainingBytes(imageSize: Int, pictures: Int, recomputesBlocks: Bool) -> Double {
    let plan = UNetPlan(self)
    var side = imageSize
    var floats = 0.0
    for layer in plan.inputBlocks.joined() + plan.middleBlock + plan.outputBlocks.joined() {
      side = layer.side(after: side)
      let pixels = Double(side) * Double(side)
      switch layer {
      case .conv(_, let outChannels): floats += Double(outChannels) * pixels
      case .residual(let channels, let outChannels, _):
        // The normalised input, both convolutions' outputs, and what is between them.
        floats += Double(recomputesBlocks ? outChannels : channels + 3 * outChannels) * pixels
      case .attention(let channels): floats += 5 * Double(channels) * pixels
      case .transformer(let channels):
        // Of each block: queries, keys and values, and both sides of the gate.
        floats += (2 + 20 * Double(transformer?.depth ?? 1)) * Double(channels) * pixels
      case .downsample(let channels), .upsample(let channels): floats += Double(channels) * pixels
      }
    }
    return 4 * (6 * parameterCount + Double(pictures) * floats)
  }
}
