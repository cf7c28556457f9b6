import Base
import Features
import Images

/// How a picture of any size is brought to a network that was trained on squares.
///
/// The shorter side becomes the network's image size, as torchvision's `Resize` does, or the longer one where a whole
/// picture has to fit into the only size that the network takes. A square picture gets that plain resize and nothing
/// else. Tiles show pictures that are much larger than the network's in full.
public enum ImageFit: Sendable, Hashable {
  /// The whole picture: padded at the right or below, by mirroring, to a size that the network takes, and results are
  /// cropped to the content. The picture stays at the left top corner so that its pixels lie in every block's grid as
  /// they would without padding.
  case pad
  /// The centre square alone; labels outside of it are unknown (the ignore label).
  case crop
  /// Overlapping tiles of the network's size, whose results are blended.
  case tile(Tiling)

  /// The tiling, where there is one.
  public var tiling: Tiling? {
    guard case .tile(let tiling) = self else { return nil }
    return tiling
  }

  /// Where a picture of `width` x `height` pixels goes.
  ///
  /// - Parameters:
  ///   - width: of the picture, in pixels
  ///   - height: of the picture, in pixels
  ///   - input: what the model takes; its size is a multiple of `multiple`
  ///   - pixelSize: how large a pixel is, where the picture says so; its width decides
  ///   - name: the picture's file, for the message
  /// - Throws: `DataError` of kind `.invalidArgument` for sizes below 1 or an image size that is no
  ///   multiple; of kind `.unsupported` for a picture of more than `Image.maximumPixelCount` pixels, or
  ///   one so long that the network's input would have more.
  public func geometry(
    width: Int, height: Int, input: InputSpecification, pixelSize: PixelSize? = nil, name: String = "picture"
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
    if let tiling {
      return try Self.canvas(
        width: width, height: height, factor: tiling.factor(pixelSize: pixelSize?.x, name: name),
        side: imageSize,
        name: name)
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
    case .pad, .tile:
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

  /// Longest side of a picture that is cut into tiles, in pixels.
  static let longestSide = 1 << 20

  /// The whole picture, scaled, as a grid of tiles covers it; at least as large as a tile.
  private static func canvas(
    width: Int, height: Int, factor: Double, side: Int, name: String
  ) throws(DataError) -> FittedGeometry {
    let content = try scaledSize(width: width, height: height, factor: factor, name: name)
    let network = (max(side, content.width), max(side, content.height))
    return FittedGeometry(
      originalSize: (width, height), resizedSize: content, contentOrigin: (0, 0), contentSize: content,
      networkSize: network)
  }

  /// The sides of a picture that is cut at `factor` times its size.
  /// - Throws: `DataError` of kind `.unsupported` for sides above `longestSide`, before or after.
  static func scaledSize(
    width: Int, height: Int, factor: Double, name: String
  ) throws(DataError) -> FittedGeometry.Size {
    func scaled(_ length: Int) -> Int { max(1, Int((Double(length) * factor).rounded())) }
    // Sides are checked before they are scaled, so that nothing overflows.
    guard max(width, height) <= longestSide, max(scaled(width), scaled(height)) <= longestSide else {
      throw DataError(
        .unsupported, file: name, item: "size",
        expected: "sides of at most \(longestSide) pixels, scaled too",
        found: "\(width) x \(height), scaled by \(factor)")
    }
    return (scaled(width), scaled(height))
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

extension ImageFit: CustomStringConvertible {
  /// `pad`, `crop`, or a tiling's.
  public var description: String {
    switch self {
    case .pad: "pad"
    case .crop: "crop"
    case .tile(let tiling): tiling.description
    }
  }

  /// Reads what `description` writes.
  /// - Throws: `DataError` of kind `.invalidArgument` for anything else.
  public init(_ text: String) throws(DataError) {
    switch text {
    case "pad": self = .pad
    case "crop": self = .crop
    case _ where text.hasPrefix("tile"): self = .tile(try Tiling(text))
    default:
      throw DataError(.invalidArgument, file: "fit", expected: "pad, crop or tile", found: text)
    }
  }
}
