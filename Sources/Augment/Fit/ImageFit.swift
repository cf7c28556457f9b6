import Base
import Features
import Images

/// How a picture of any size is brought to a network that was trained on squares.
///
/// The shorter side becomes the network's image size, as torchvision's `Resize` does, or the longer one where a whole
/// picture has to fit into the only size that the network takes. A square picture gets that plain resize and nothing
/// else.
public enum ImageFit: String, Sendable, Hashable, CaseIterable {
  /// The whole picture: padded at the right or below, by mirroring, to a size that the network takes, and results are
  /// cropped to the content. The picture stays at the left top corner so that its pixels lie in every block's grid as
  /// they would without padding.
  case pad
  /// The centre square alone; labels outside of it are unknown (the ignore label).
  case crop

  /// Where a picture of `width` x `height` pixels goes.
  ///
  /// - Parameters:
  ///   - width: of the picture, in pixels
  ///   - height: of the picture, in pixels
  ///   - input: what the model takes; its size is a multiple of `multiple`
  ///   - name: the picture's file, for the message
  /// - Throws: `DataError` of kind `.invalidArgument` for sizes below 1 or an image size that is no
  ///   multiple; of kind `.unsupported` for a picture of more than `Image.maximumPixelCount` pixels, or
  ///   one so long that the network's input would have more.
  public func geometry(
    width: Int, height: Int, input: InputSpecification, name: String = "picture"
  ) throws(DataError) -> FittedGeometry {
    let (imageSize, multiple) = (input.size, input.multiple)
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
    if self == .pad && input.isFixedSize {
      return Self.padded(width: width, height: height, toSquareOf: imageSize)
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

  /// The whole picture in a square, whose longer side it fills.
  private static func padded(width: Int, height: Int, toSquareOf side: Int) -> FittedGeometry {
    let scale = Double(side) / Double(max(width, height))
    func resized(_ length: Int) -> Int { max(1, min(side, Int((Double(length) * scale).rounded()))) }
    let content = (resized(width), resized(height))
    return FittedGeometry(
      originalSize: (width, height), resizedSize: content, contentOrigin: (0, 0), contentSize: content,
      networkSize: (side, side))
  }
}
