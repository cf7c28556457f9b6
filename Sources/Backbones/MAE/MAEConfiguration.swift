import Base
import Checkpoints

/// The architecture of a masked autoencoder (He et al. 2022), read from the shapes of its weights, but for the heads.
public struct MAEConfiguration: Sendable, Equatable {
  /// A stack of transformer blocks.
  public struct Stack: Sendable, Equatable {
    /// Numbers of a token.
    public var channels: Int
    public var depth: Int
    public var heads: Int
    /// Numbers between the layers of an MLP.
    public var hidden: Int

    public init(channels: Int, depth: Int, heads: Int, hidden: Int) {
      (self.channels, self.depth, self.heads, self.hidden) = (channels, depth, heads, hidden)
    }
  }

  /// Channels of the pictures.
  public var inChannels: Int
  /// Side of a patch, in pixels.
  public var patchSize: Int
  /// Patches along each side of the square pictures that the model was trained on.
  public var grid: Int
  public var encoder: Stack
  /// Nil for a file with the encoder alone.
  public var decoder: Stack?

  /// Side of the pictures that the model was trained on, in pixels.
  public var imageSize: Int { grid * patchSize }

  public init(inChannels: Int = 3, patchSize: Int, grid: Int, encoder: Stack, decoder: Stack?) {
    self.inChannels = inChannels
    self.patchSize = patchSize
    self.grid = grid
    self.encoder = encoder
    self.decoder = decoder
  }

  /// A tensor that every such network has.
  public static let anchor = "patch_embed.proj.weight"
  /// Larger networks are not believed.
  private static let most = (channels: 1 << 14, depth: 512, grid: 1 << 12)

  /// Reads the architecture off a state dictionary.
  /// - Parameters:
  ///   - state: the parameters
  ///   - options: the numbers of heads, which no weight tells
  /// - Throws: `DataError` that names the tensor which no such network has, or lacks, or the heads that do not fit.
  public init(state: StateDictionary, options: MAEOptions = .init()) throws(DataError) {
    let reader = ShapeReader(state: state)
    let patches = try reader.shape(Self.anchor, rank: 4)
    guard patches[2] == patches[3] else {
      throw reader.refusal(Self.anchor, "square patches", "shape \(patches)")
    }
    let positions = try reader.shape("pos_embed", rank: 3)
    let grid = Int(Double(positions[1] - 1).squareRoot().rounded())
    guard positions[0] == 1, positions[2] == patches[0], grid > 0, grid <= Self.most.grid,
      grid * grid + 1 == positions[1]
    else {
      throw reader.refusal(
        "pos_embed", "[1, 1 + a square number, \(patches[0])]: the class token and a square of patches",
        "shape \(positions)")
    }
    (inChannels, patchSize, self.grid) = (patches[1], patches[2], grid)
    encoder = try reader.stack(
      "blocks", channels: patches[0], heads: options.heads ?? Self.heads(of: patches[0]), flag: "--heads")
    guard let embedding = state["decoder_embed.weight"]?.shape else {
      decoder = nil
      return
    }
    guard embedding.count == 2 else {
      throw reader.refusal("decoder_embed.weight", "a matrix", "shape \(embedding)")
    }
    decoder = try reader.stack(
      "decoder_blocks", channels: embedding[0],
      heads: options.decoderHeads ?? Self.decoderHeads(of: embedding[0]), flag: "decoder-heads")
  }

  /// The published models': 64 channels a head, 80 in ViT-H.
  static func heads(of channels: Int) -> Int {
    channels == 1280 ? 16 : max(1, channels / 64)
  }

  /// 16 in all published models, whose decoders have 512 channels.
  static func decoderHeads(of channels: Int) -> Int { channels == 512 ? 16 : max(1, channels / 32) }

  private struct ShapeReader {
    let state: StateDictionary

    func refusal(_ item: String, _ expected: String, _ found: String) -> DataError {
      DataError(.malformed, file: state.file, item: state.prefix + item, expected: expected, found: found)
    }

    func shape(_ name: String, rank: Int) throws(DataError) -> [Int] {
      guard let shape = state[name]?.shape, shape.count == rank,
        shape.allSatisfy({ (1...MAEConfiguration.most.channels).contains($0) || $0 <= 1 << 25 && $0 > 0 })
      else {
        throw refusal(name, "\(rank) axes", state[name].map { "shape \($0.shape)" } ?? "none")
      }
      return shape
    }

    func stack(
      _ name: String, channels: Int, heads: Int, flag: String
    ) throws(DataError) -> Stack {
      guard channels <= MAEConfiguration.most.channels else {
        throw refusal(name, "at most \(MAEConfiguration.most.channels) channels", "\(channels)")
      }
      var depth = 0
      while depth < MAEConfiguration.most.depth, state["\(name).\(depth).norm1.weight"] != nil { depth += 1 }
      guard depth > 0 else { throw refusal("\(name).0.norm1.weight", "a block", "none") }
      guard heads > 0, channels % heads == 0 else {
        throw DataError(
          .invalidArgument, file: flag, expected: "a number that divides the \(channels) channels",
          found: "\(heads)")
      }
      return Stack(
        channels: channels, depth: depth, heads: heads,
        hidden: try shape("\(name).0.mlp.fc1.weight", rank: 2)[0])
    }
  }
}

extension MAEConfiguration {
  /// Whether a tensor of the network is learned: all but the tables of positions.
  public static func isTrained(_ name: String) -> Bool { !name.hasSuffix("pos_embed") }

  /// Whether a tensor's weights decay: those with more than one axis, the class and the mask token among them.
  public static func decays(_ name: String, shape: [Int]) -> Bool {
    isTrained(name) && shape.count > 1 && !name.hasSuffix("bias")
  }
}

extension MAEConfiguration {
  /// The network that was published for ddpm-segmentation: ViT-L with patches of 8 pixels, for pictures of 256.
  public static let published = MAEConfiguration(
    patchSize: 8, grid: 32, encoder: Stack(channels: 1024, depth: 24, heads: 16, hidden: 4096),
    decoder: Stack(channels: 512, depth: 8, heads: 16, hidden: 2048))

  /// Names and shapes of the tensors, in the order of the published files.
  public var parameterShapes: [(name: String, shape: [Int])] {
    let (width, positions) = (encoder.channels, 1 + grid * grid)
    let patch = patchSize * patchSize * inChannels
    var shapes: [(name: String, shape: [Int])] = [
      ("cls_token", [1, 1, width]), ("pos_embed", [1, positions, width]),
    ]
    if let decoder {
      shapes += [
        ("mask_token", [1, 1, decoder.channels]), ("decoder_pos_embed", [1, positions, decoder.channels]),
      ]
    }
    shapes += [
      ("patch_embed.proj.weight", [width, inChannels, patchSize, patchSize]),
      ("patch_embed.proj.bias", [width]),
    ]
    shapes += encoder.parameterShapes("blocks") + [("norm.weight", [width]), ("norm.bias", [width])]
    guard let decoder else { return shapes }
    return shapes
      + [
        ("decoder_embed.weight", [decoder.channels, width]), ("decoder_embed.bias", [decoder.channels]),
      ] + decoder.parameterShapes("decoder_blocks")
      + [
        ("decoder_norm.weight", [decoder.channels]), ("decoder_norm.bias", [decoder.channels]),
        ("decoder_pred.weight", [patch, decoder.channels]), ("decoder_pred.bias", [patch]),
      ]
  }
}

extension MAEConfiguration.Stack {
  fileprivate func parameterShapes(_ name: String) -> [(name: String, shape: [Int])] {
    let block: [(name: String, shape: [Int])] = [
      ("norm1.weight", [channels]), ("norm1.bias", [channels]),
      ("attn.qkv.weight", [3 * channels, channels]), ("attn.qkv.bias", [3 * channels]),
      ("attn.proj.weight", [channels, channels]), ("attn.proj.bias", [channels]),
      ("norm2.weight", [channels]), ("norm2.bias", [channels]), ("mlp.fc1.weight", [hidden, channels]),
      ("mlp.fc1.bias", [hidden]), ("mlp.fc2.weight", [channels, hidden]), ("mlp.fc2.bias", [channels]),
    ]
    return (0..<depth).flatMap { index in block.map { ("\(name).\(index).\($0.name)", $0.shape) } }
  }
}
