import Base
import Features
import Images
import TensorCore

/// How a masked autoencoder paints.
public struct MAESampling: OptionTable {
  /// Share of the patches that are removed.
  public var maskRatio = 0.75

  public init() {}

  public static let options: [TableOption<MAESampling>] = [
    TableOption(
      "mask-ratio", "Share of the patches that are removed. (default: 0.75)", expected: "0 to 1",
      get: { "\($0.maskRatio)" },
      set: { settings, text in
        guard let ratio = Double(text), ratio >= 0, ratio <= 1 else { return false }
        settings.maskRatio = ratio
        return true
      })
  ]
}

extension MAE: PictureModel {
  public static var takesPictures: Bool { true }
  public var pictureSize: Int { network.configuration.imageSize }

  /// Pictures, what is left of them when patches are removed, and as the network paints them. Where it paints patches less
  /// their mean and over their deviation, both are taken from the pictures.
  public func sheet(
    _ request: SampleRequest, settings: MAESampling,
    progress: (SampleProgress) throws(DataError) -> Void
  ) throws(DataError) -> Image {
    guard network.configuration.decoder != nil else {
      throw DataError(
        .unsupported, file: origin.path, item: "decoder",
        expected: "a decoder, which paints what the encoder has not seen",
        found: "the encoder alone, which gives features")
    }
    let pictures = request.pictures
    var sheet = MAESheet(
      network, maskRatio: settings.maskRatio, normalizesPatches: options.normalizesPatches,
      normalization: options.normalization,
      columns: pictures.count > 4 ? 2 : 1)
    for (index, picture) in pictures.enumerated() {
      try Cancellation.check()
      sheet.append(
        picture.centerCropped(size: pictureSize), random: Philox(seed: request.seed).split(UInt64(index)))
      try progress(
        SampleProgress(
          share: Double(index + 1) / Double(pictures.count), step: index + 1, text: "picture \(index + 1)"))
    }
    return try sheet.image()
  }
}
