import Base

extension UNetConfiguration {
  /// Reads the architecture off the names and shapes of a state dict's tensors.
  ///
  /// Everything follows from them except how attention divides its channels. That heads of transformers are widened
  /// (`legacy`) is told by the width of `proj_in` where it makes a difference.
  /// - Parameters:
  ///   - shapes: shape of each tensor by name, without a common prefix
  ///   - file: where they come from, for messages
  ///   - attention: how attention divides its channels, which the shapes do not tell
  /// - Throws: `DataError` when they are not those of a U-Net of guided-diffusion or latent diffusion.
  public init(shapes: [String: [Int]], file: String, attention: AttentionSettings = .init()) throws(DataError)
  {
    try self.init(ShapeReader(shapes: shapes, file: file), attention: attention)
  }

  private init(_ reader: ShapeReader, attention: AttentionSettings) throws(DataError) {
    let time = try reader.shape("time_embed.0.weight", rank: 2)
    let firstConv = try reader.shape("input_blocks.0.0.weight", rank: 4)
    let lastConv = try reader.shape("out.2.weight", rank: 4)
    guard time[0] == 4 * time[1] else {
      throw reader.error("time_embed.0.weight", expected: "[4 · channels, channels]", found: "\(time)")
    }
    let blocks = try reader.blockCount()
    let blocksPerLevel = try reader.blocksPerLevel(of: blocks)
    // 16 levels would halve a picture of 32,768 pixels to one.
    guard blocks % blocksPerLevel == 0, blocksPerLevel > 1, blocks / blocksPerLevel <= 16 else {
      throw reader.error(
        "input_blocks", expected: "1 to 16 levels with the same number of residual blocks",
        found: "\(blocks) blocks, \(blocksPerLevel) a level")
    }
    var levelChannels: [Int] = []
    var levelHasAttention: [Bool] = []
    for level in 0..<blocks / blocksPerLevel {
      let block = "input_blocks.\(1 + level * blocksPerLevel)"
      levelChannels.append(try reader.shape("\(block).0.out_layers.3.weight", rank: 4)[0])
      levelHasAttention.append(reader.contains("\(block).1.norm.weight"))
    }
    let embedding = try reader.shape("input_blocks.1.0.emb_layers.1.weight", rank: 2)
    self.init(
      inChannels: firstConv[1], modelChannels: time[1], outChannels: lastConv[0],
      levelChannels: levelChannels,
      residualBlocks: blocksPerLevel - 1, levelHasAttention: levelHasAttention,
      resampling: reader.resampling(blocksPerLevel: blocksPerLevel, blocks: blocks),
      usesScaleShiftNorm: embedding[0] == 2 * levelChannels[0],
      classCount: reader.contains("label_emb.weight")
        ? try reader.shape("label_emb.weight", rank: 2)[0] : nil,
      attention: attention, transformer: try reader.transformer())
    guard let transformer, case .channels(let width) = attention.heads, width > 0 else { return }
    // Heads that are not widened leave channels over.
    let places = levelHasAttention.indices.filter { levelHasAttention[$0] }.map { level in
      (channels: levelChannels[level], name: "input_blocks.\(1 + level * blocksPerLevel).1")
    }
    let last = (channels: levelChannels[levels - 1], name: "middle_block.1")
    guard let (channels, name) = (places + [last]).first(where: { $0.channels % width != 0 }),
      channels >= width
    else { return }
    let projection = try reader.shape("\(name).proj_in.weight", rank: 4)
    self.transformer = TransformerSettings(
      depth: transformer.depth, contextChannels: transformer.contextChannels,
      isLegacy: projection[0] != channels / width * width)
  }
}

/// Questions to the names and shapes of a state dict.
private struct ShapeReader {
  let shapes: [String: [Int]]
  let file: String

  /// Far above any published network; a bound for hostile names.
  private static let mostBlocks = 1024

  func contains(_ name: String) -> Bool { shapes[name] != nil }

  func shape(_ name: String, rank: Int) throws(DataError) -> [Int] {
    guard let shape = shapes[name] else {
      throw error(
        name, expected: "a U-Net of guided-diffusion or latent diffusion with this tensor",
        found: "none of this name")
    }
    guard shape.count == rank, shape.allSatisfy({ $0 > 0 && $0 <= 1 << 16 }) else {
      throw error(name, expected: "\(rank) dimensions", found: "\(shape)")
    }
    return shape
  }

  func error(_ item: String, expected: String, found: String) -> DataError {
    DataError(.malformed, file: file, item: item, expected: expected, found: found)
  }

  /// Number of output blocks, which is also that of input blocks. Every output block has weights; an input
  /// block that resamples without a convolution has none.
  func blockCount() throws(DataError) -> Int {
    let indices = shapes.keys.compactMap { name -> Int? in
      let parts = name.split(separator: ".", maxSplits: 2)
      return parts.count == 3 && parts[0] == "output_blocks" ? Int(parts[1]) : nil
    }
    guard let last = indices.max(), last >= 0, last < Self.mostBlocks else {
      throw error(
        "output_blocks", expected: "1 to \(Self.mostBlocks) numbered blocks",
        found: indices.max().map { "\($0)" } ?? "none")
    }
    return last + 1
  }

  /// Residual blocks of a level on the way up. The first output block that ends a level is told by its
  /// upsampling weights, or, where resampling has none, the first level on the way down ends with a number
  /// that no tensor carries.
  func blocksPerLevel(of blocks: Int) throws(DataError) -> Int {
    if let last = (0..<blocks).first(where: { hasUpsamplingWeights($0) }) { return last + 1 }
    if let gap = (1..<blocks).first(where: { !contains("input_blocks.\($0).0.in_layers.0.weight") }) {
      return gap
    }
    return blocks
  }

  func resampling(blocksPerLevel: Int, blocks: Int) -> UNetConfiguration.Resampling {
    guard blocksPerLevel < blocks else { return .convolution }
    let first = "input_blocks.\(blocksPerLevel).0"
    if contains("\(first).op.weight") { return .convolution }
    return contains("\(first).in_layers.0.weight") ? .residual : .parameterless
  }

  /// What stands in the middle block, where every network has attention or a transformer.
  func transformer() throws(DataError) -> TransformerSettings? {
    let place = "middle_block.1"
    let prefix = "\(place).transformer_blocks."
    let numbers = shapes.keys.compactMap { name -> Int? in
      name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count).prefix { $0 != "." }) : nil
    }
    guard let last = numbers.max() else { return nil }
    guard let projection = shapes["\(place).proj_in.weight"], projection.count != 2 else {
      throw DataError(
        .unsupported, file: file, item: "\(place).proj_in.weight",
        expected: "a 1×1 convolution, as latent diffusion and Stable Diffusion 1 have it",
        found: shapes["\(place).proj_in.weight"].map { "shape \($0): Stable Diffusion 2 or a later network" }
          ?? "none")
    }
    guard last < TransformerSettings.mostDepth else {
      throw error(prefix, expected: "up to \(TransformerSettings.mostDepth) blocks", found: "\(last)")
    }
    return TransformerSettings(
      depth: last + 1, contextChannels: try shape("\(prefix)0.attn2.to_k.weight", rank: 2)[1])
  }

  private func hasUpsamplingWeights(_ block: Int) -> Bool {
    (1...2).contains { layer in
      contains("output_blocks.\(block).\(layer).conv.weight")
        || contains("output_blocks.\(block).\(layer).in_layers.0.weight")
    }
  }
}
