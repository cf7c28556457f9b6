import Base
import Checkpoints

/// The architecture of a latent diffusion model's autoencoder (Rombach et al. 2022, "first stage"), read from the shapes of
/// its weights.
public struct AutoencoderConfiguration: Sendable, Equatable {
  /// What lies between encoder and decoder.
  public enum Bottleneck: Sendable, Equatable {
    /// A normal distribution for each pixel (KL-regularised).
    case gaussian
    /// The nearest of so many vectors (VQ-regularised).
    case codebook(Int)
  }

  /// Channels of the pictures.
  public var inChannels: Int
  /// Channels after the first convolution.
  public var channels: Int
  /// Channels of each level, the finest first.
  public var levelChannels: [Int]
  /// Residual blocks of a level of the encoder; the decoder has one more.
  public var residualBlocks: Int
  /// Whether each level has attention.
  public var levelHasAttention: [Bool]
  /// Whether there is attention between encoder and decoder levels.
  public var middleHasAttention: Bool
  /// Channels of the encoder's mean.
  public var latentChannels: Int
  /// Channels of the latents that a diffusion model sees.
  public var embedChannels: Int
  public var bottleneck: Bottleneck

  /// - Parameters:
  ///   - inChannels: channels of the pictures
  ///   - channels: channels after the first convolution, in 32 groups
  ///   - levelChannels: channels of each level, the finest first, in 32 groups
  ///   - residualBlocks: residual blocks of a level of the encoder
  ///   - levelHasAttention: of each level; nil for none
  ///   - middleHasAttention: whether there is attention between encoder and decoder levels
  ///   - latentChannels: channels of the encoder's mean
  ///   - embedChannels: channels of the latents that a diffusion model sees
  ///   - bottleneck: what lies between encoder and decoder
  public init(
    inChannels: Int = 3, channels: Int, levelChannels: [Int], residualBlocks: Int,
    levelHasAttention: [Bool]? = nil, middleHasAttention: Bool = true, latentChannels: Int,
    embedChannels: Int,
    bottleneck: Bottleneck
  ) {
    precondition(
      !levelChannels.isEmpty && levelHasAttention?.count ?? levelChannels.count == levelChannels.count
        && ([channels] + levelChannels).allSatisfy { $0 > 0 && $0 % 32 == 0 },
      "an autoencoder of \(channels) and \(levelChannels) channels, attention \(levelHasAttention ?? [])")
    (self.inChannels, self.channels, self.levelChannels) = (inChannels, channels, levelChannels)
    self.residualBlocks = residualBlocks
    self.levelHasAttention = levelHasAttention ?? levelChannels.map { _ in false }
    self.middleHasAttention = middleHasAttention
    (self.latentChannels, self.embedChannels) = (latentChannels, embedChannels)
    self.bottleneck = bottleneck
  }

  /// Pixels of a picture for each latent, along either side.
  public var factor: Int { 1 << (levelChannels.count - 1) }

  /// A tensor that every such network has.
  public static let anchor = "encoder.conv_in.weight"
  /// Larger networks are not believed.
  private static let most = (channels: 1 << 14, levels: 10, blocks: 64, codes: 1 << 20)

  /// Reads the architecture off a state dictionary.
  /// - Throws: `DataError` that names the tensor which no such network has, or lacks.
  public init(state: StateDictionary) throws(DataError) {
    let shapes = Dictionary(state.tensors.map { ($0.name, $0.array.shape) }) { first, _ in first }
    try self.init(shapes: shapes, file: state.file, prefix: state.prefix)
  }

  /// Reads the architecture off the names and shapes of a network's tensors.
  /// - Parameters:
  ///   - shapes: shape of each tensor by name
  ///   - file: where they come from, for messages
  ///   - prefix: what stands before the names in the file, for messages
  /// - Throws: `DataError` that names the tensor which no such network has, or lacks.
  public init(shapes: [String: [Int]], file: String, prefix: String = "") throws(DataError) {
    func refusal(_ item: String, _ expected: String) -> DataError {
      DataError(
        .malformed, file: file, item: prefix + item, expected: expected,
        found: shapes[item].map { "shape \($0)" } ?? "none")
    }
    func channels(of name: String, axis: Int) throws(DataError) -> Int {
      guard let shape = shapes[name], shape.count == 4, (1...Self.most.channels).contains(shape[axis])
      else { throw refusal(name, "the weight of a convolution") }
      return shape[axis]
    }
    self.channels = try channels(of: Self.anchor, axis: 0)
    inChannels = try channels(of: Self.anchor, axis: 1)
    var (widths, attention, blocks) = ([Int](), [Bool](), 0)
    while widths.count < Self.most.levels, shapes["encoder.down.\(widths.count).block.0.conv1.weight"] != nil
    {
      let level = "encoder.down.\(widths.count)"
      var count = 0
      while count < Self.most.blocks, shapes["\(level).block.\(count).conv1.weight"] != nil { count += 1 }
      guard widths.isEmpty || count == blocks else {
        throw refusal("\(level).block.\(blocks - 1).conv1.weight", "\(blocks) blocks, as at level 0")
      }
      blocks = count
      attention.append(shapes["\(level).attn.0.norm.weight"] != nil)
      widths.append(try channels(of: "\(level).block.0.conv1.weight", axis: 0))
    }
    guard !widths.isEmpty else { throw refusal("encoder.down.0.block.0.conv1.weight", "a level") }
    for width in widths + [self.channels] where width % 32 != 0 {
      throw DataError(
        .malformed, file: file, item: prefix + "encoder", expected: "channels in 32 groups",
        found: "\(width)")
    }
    (levelChannels, levelHasAttention, residualBlocks) = (widths, attention, blocks)
    middleHasAttention = shapes["encoder.mid.attn_1.norm.weight"] != nil
    latentChannels = try channels(of: "decoder.conv_in.weight", axis: 1)
    embedChannels = try channels(of: "post_quant_conv.weight", axis: 1)
    if let codes = shapes["quantize.embedding.weight"] {
      guard codes.count == 2, (1...Self.most.codes).contains(codes[0]), codes[1] == embedChannels else {
        throw refusal("quantize.embedding.weight", "[codes, \(embedChannels)]")
      }
      bottleneck = .codebook(codes[0])
    } else {
      bottleneck = .gaussian
    }
  }
}
