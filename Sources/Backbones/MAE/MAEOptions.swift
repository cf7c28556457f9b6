import Base
import Features
import Images

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
  /// Means of the samples of each channel, 0 to 1, that pictures are normalised by; nil for ImageNet's.
  public var pixelMean: [Double]?
  /// Deviations of the samples of each channel; nil for ImageNet's.
  public var pixelDeviation: [Double]?

  public init() {}

  /// How pictures are normalised.
  public var normalization: Normalization {
    guard pixelMean != nil || pixelDeviation != nil else { return .imageNet }
    return .statistics(
      mean: pixelMean?.map { Float($0) } ?? Normalization.imageNetMean,
      deviation: pixelDeviation?.map { Float($0) } ?? Normalization.imageNetDeviation)
  }

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
    channels(
      "pixel-mean", "Mean of each channel that pictures are normalised by. (default: ImageNet's)",
      expected: "three numbers from 0 to 1", holds: { (0...1).contains($0) }, \.pixelMean),
    channels(
      "pixel-deviation", "Deviation of each channel that pictures are normalised by. (default: ImageNet's)",
      expected: "three numbers above 0, up to 1", holds: { $0 > 0 && $0 <= 1 }, \.pixelDeviation),
  ]

  /// A number for each channel.
  private static func channels(
    _ key: String, _ help: String, expected: String, holds: @escaping @Sendable (Double) -> Bool,
    _ path: WritableKeyPath<MAEOptions, [Double]?> & Sendable
  ) -> TableOption<MAEOptions> {
    TableOption(
      key, help, expected: expected,
      get: { $0[keyPath: path]?.map { "\($0)" }.joined(separator: ",") },
      set: { options, text in
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Double($0) }
        guard parts.count == 3, numbers.count == 3, numbers.allSatisfy(holds) else { return false }
        options[keyPath: path] = numbers
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
      \.blocks)
  ]
}
