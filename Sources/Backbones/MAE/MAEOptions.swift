import Base
import Features

/// What a checkpoint of a masked autoencoder does not tell.
public struct MAEOptions: OptionTable {
  /// Attention heads of the encoder; nil for one for every 64 channels (80 in ViT-H).
  public var heads: Int?
  /// Attention heads of the decoder; nil for one for every 32 channels.
  public var decoderHeads: Int?
  /// Side of the square pictures that are shown to the network, in pixels; nil for those it was trained on.
  public var imageSize: Int?
  /// Whether the decoder paints patches less their mean and over their deviation.
  public var normalizesPatches = true

  public init() {}

  public static let options: [TableOption<MAEOptions>] = [
    TableOption(
      "image-size",
      "Side of the pictures that are shown to the network, in pixels. (default: that of the pictures it was trained on)",
      \.imageSize),
    TableOption("heads", "Attention heads of the encoder. (default: one for every 64 channels)", \.heads),
    TableOption(
      "decoder-heads", "Attention heads of the decoder. (default: one for every 32 channels)", \.decoderHeads),
    TableOption(
      "norm-pix-loss", "Whether the decoder paints normalised patches. (default: true)", \.normalizesPatches),
  ]
}

/// Which blocks' outputs are the features.
public struct MAESelection: OptionTable {
  /// Numbers of encoder blocks; nil for the last twelve, or the second half of fewer than 24.
  public var blocks: [Int]?

  public init() {}

  public static let options: [TableOption<MAESelection>] = [
    TableOption(
      "blocks",
      "Encoder blocks whose outputs are the features, joined by commas. (default: the second half, at most 12)",
      \.blocks)
  ]
}
