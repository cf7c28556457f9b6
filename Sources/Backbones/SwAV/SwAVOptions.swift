import Base
import Features
import Layers

/// What a checkpoint of SwAV does not tell.
public struct SwAVOptions: OptionTable {
  /// Side of the square pictures that are shown to the network, in pixels.
  public var imageSize = 256
  public var precision = ConvolutionPolicy.Precision.fast

  public init() {}

  public static let options: [TableOption<SwAVOptions>] = [
    TableOption(
      "image-size", "Side of the pictures that are shown to the network, in pixels. (default: 256)",
      \.imageSize),
    TableOption(
      "precision",
      "How convolutions are computed: fast, or reference, which rounds a few times less and takes longer. (default: fast)",
      isRecorded: false, \.precision),
  ]

  /// Sides are halved five times.
  static let sizeMultiple = 32

  /// - Throws: `DataError` when pictures of this size cannot be shown to the network.
  func validate() throws(DataError) {
    guard imageSize > 0, imageSize <= 1 << 14, imageSize % Self.sizeMultiple == 0 else {
      throw DataError(
        .invalidArgument, file: "image size", expected: "a multiple of \(Self.sizeMultiple) up to \(1 << 14)",
        found: "\(imageSize)")
    }
  }
}

/// Which blocks' inputs are the features.
public struct SwAVSelection: OptionTable {
  /// `layer3.2` for the input of block 2 of stage 3; nil for every second block.
  public var layers: [String]?

  public init() {}

  public static let options: [TableOption<SwAVSelection>] = [
    TableOption(
      "layers",
      "Blocks whose inputs are the features, such as layer1.0,layer3.2. (default: every second block of each stage)",
      expected: "names of blocks joined by commas", get: { $0.layers?.joined(separator: ",") },
      set: { selection, text in
        let names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard !names.contains("") else { return false }
        selection.layers = names
        return true
      })
  ]
}
