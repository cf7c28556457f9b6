import Images
import TensorCore

/// How a picture of any size is brought to a network that was trained on squares.
///
/// Either way the shorter side becomes the network's image size, as torchvision's `Resize` does, and a
/// square picture gets that plain resize and nothing else.
public enum ImageFit: String, Sendable, Hashable, CaseIterable {
  /// The whole picture: the longer side is padded at the right or below, by mirroring, to a multiple
  /// that the network can halve, and results are cut back. The picture stays at the left top corner so
  /// that its pixels lie in every block's grid as they would without padding.
  case pad
  /// The centre square alone; labels outside of it are unknown (the ignore label).
  case crop

  /// Where a picture of `width` x `height` pixels goes.
  ///
  /// - Parameters:
  ///   - imageSize: the network's side in pixels, a multiple of `multiple`.
  ///   - multiple: what both sides of the network's input must be divisible by: 2 to the number of its
  ///     halvings.
  ///   - name: the picture's file, for the message.
  /// - Throws: `DataError` of kind `.invalidArgument` for sizes below 1 or an image size that is no
  ///   multiple; of kind `.unsupported` for a picture of more than `Image.maximumPixelCount` pixels, or
  ///   one so long that the network's input would have more.
  public func geometry(
    width: Int, height: Int, imageSize: Int, multiple: Int, name: String = "picture"
  ) throws(DataError) -> FittedGeometry {
    guard multiple > 0, imageSize > 0, imageSize % multiple == 0,
      isAcceptableSize(width: imageSize, height: imageSize)
    else {
      throw DataError(
        .invalidArgument, file: name, item: "image size", expected: "a multiple of \(multiple)",
        found: "\(imageSize)")
    }
    guard width > 0, height > 0 else {
      throw DataError(
        .invalidArgument, file: name, item: "size", expected: "a side of at least 1 pixel",
        found: "\(width) x \(height)")
    }
    guard isAcceptableSize(width: width, height: height) else {
      throw DataError(
        .unsupported, file: name, item: "size", expected: "at most \(Image.maximumPixelCount) pixels",
        found: "\(width) x \(height)")
    }
    let resized = Image.size(width: width, height: height, shortSide: imageSize)
    switch self {
    case .pad:
      // Sides are at most 2^28 and the image size 2^14, so nothing overflows.
      let networkWidth = (resized.width + multiple - 1) / multiple * multiple
      let networkHeight = (resized.height + multiple - 1) / multiple * multiple
      guard isAcceptableSize(width: networkWidth, height: networkHeight) else {
        throw DataError(
          .unsupported, file: name, item: "size",
          expected: "at most \(Image.maximumPixelCount) pixels with a shorter side of \(imageSize)",
          found: "\(resized.width) x \(resized.height), from \(width) x \(height)")
      }
      return FittedGeometry(
        originalSize: (width, height), resizedSize: resized, contentOrigin: (0, 0), contentSize: resized,
        networkSize: (networkWidth, networkHeight))
    case .crop:
      return FittedGeometry(
        originalSize: (width, height), resizedSize: resized,
        contentOrigin: ((resized.width - imageSize) / 2, (resized.height - imageSize) / 2),
        contentSize: (imageSize, imageSize), networkSize: (imageSize, imageSize))
    }
  }
}
