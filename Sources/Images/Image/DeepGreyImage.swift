import Base

/// A grey picture with 16 bits a sample, for numbers rather than for eyes, such as probabilities.
public struct DeepGreyImage: Sendable, Equatable {
  /// Pixels a row.
  public let width: Int
  /// Rows.
  public let height: Int
  /// `[height, width]`
  public let pixels: [UInt16]

  /// - Precondition: both sides are positive, there are at most `Image.maximumPixelCount` pixels, and a sample for each.
  public init(width: Int, height: Int, pixels: [UInt16]) {
    precondition(
      isAcceptableSize(width: width, height: height) && pixels.count == width * height,
      "\(pixels.count) samples of a picture of \(width) x \(height)")
    (self.width, self.height, self.pixels) = (width, height, pixels)
  }

  /// Writes a PNG or TIFF file, whichever the extension says; the file is complete or not there.
  /// - Parameters:
  ///   - path: the file to write, `.png`, `.tif` or `.tiff`
  ///   - pixelSize: how large a pixel is in what was photographed
  /// - Throws: `DataError`; also for another extension.
  public func write(to path: String, pixelSize: PixelSize? = nil) throws(DataError) {
    switch try FileFormat(extensionOf: path) {
    case .png:
      let file = try PNG.encode(self, path: path)
      try AtomicFile.write(pixelSize.map { PNG.adding($0, to: file) } ?? file, to: path)
    case .tiff:
      var writer = try TIFFWriter(
        path: path, width: width, height: height, kind: .deepGrey, pixelSize: pixelSize)
      try writer.append(pixels)
      try writer.finish()
    case .jpeg:
      throw DataError(
        .invalidArgument, file: path, item: "extension", expected: "png, tif or tiff for 16 bits",
        found: "jpeg")
    }
  }
}
