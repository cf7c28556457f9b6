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
    number(
      "image-size",
      "Side of the pictures that are shown to the network, in pixels. (default: that of the pictures it was trained on)",
      \.imageSize),
    number("heads", "Attention heads of the encoder. (default: one for every 64 channels)", \.heads),
    number(
      "decoder-heads", "Attention heads of the decoder. (default: one for every 32 channels)", \.decoderHeads),
    TableOption(
      "norm-pix-loss", "Whether the decoder paints normalised patches. (default: true)", \.normalizesPatches),
  ]

  private static func number(
    _ key: String, _ help: String, _ path: WritableKeyPath<MAEOptions, Int?> & Sendable
  ) -> TableOption<MAEOptions> {
    TableOption(
      key, help, expected: "number", get: { $0[keyPath: path].map { "\($0)" } },
      set: { options, text in
        guard let number = Int(text) else { return false }
        options[keyPath: path] = number
        return true
      })
  }
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
      expected: "numbers joined by commas",
      get: { $0.blocks?.map { "\($0)" }.joined(separator: ",") },
      set: { selection, text in
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let blocks = parts.compactMap { Int($0) }
        guard blocks.count == parts.count else { return false }
        selection.blocks = blocks
        return true
      })
  ]
}
