import Base
import Images
import TensorCore

/// Which square of a picture a network sees when it is trained without labels.
public enum PictureCrop: Sendable, Hashable {
  /// The one in the middle, of a picture whose shorter side was brought to the network's size
  /// (`Image.centerCropped`).
  case centre
  /// One of the network's size at a random place of the picture at a scale, every time at another: pixel for pixel what a
  /// tile in that place shows (`ImageFit.tile`). A picture that is smaller than the network's size at that scale is
  /// enlarged until its shorter side fits.
  case random(Tiling.Scale)

  /// - Throws: `DataError` of kind `.invalidArgument` for a scale out of range.
  public func validate() throws(DataError) {
    guard case .random(let scale) = self else { return }
    try Tiling(scale: scale).validate()
  }
}

extension PictureCrop {
  /// What a checkpoint and a model's file remember: `crop`, and of random places `scale` and `pixel_size`.
  package var record: [String: String] {
    switch self {
    case .centre: ["crop": "centre"]
    case .random(.factor(let factor)): ["crop": "random", "scale": "\(factor)", "pixel_size": "none"]
    case .random(.pixelSize(let size)): ["crop": "random", "scale": "none", "pixel_size": "\(size)"]
    }
  }

  /// Reads what `record` wrote.
  /// - Parameter value: of a key; nil where it is missing
  /// - Returns: nil for anything else
  package init?(record value: (String) -> String?) {
    switch value("crop") {
    case "centre": self = .centre
    case "random":
      if let factor = value("scale").flatMap(Double.init) {
        self = .random(.factor(factor))
      } else if let size = value("pixel_size").flatMap(Double.init) {
        self = .random(.pixelSize(size))
      } else {
        return nil
      }
    default: return nil
    }
    guard (try? validate()) != nil else { return nil }
  }

  /// A picture at the size at which squares are cut out of it; nil where the middle is taken.
  /// - Parameters:
  ///   - width: of the picture, in pixels
  ///   - height: of the picture, in pixels
  ///   - side: of the squares, in pixels
  ///   - pixelSize: how large a pixel is, where the picture says so; its width decides
  ///   - name: the picture's file, for the message
  /// - Throws: `DataError` of kind `.unsupported` when the scale depends on what the picture does not say, or a side
  ///   would become too long.
  package func canvas(
    width: Int, height: Int, side: Int, pixelSize: PixelSize? = nil, name: String
  ) throws(DataError) -> CropCanvas? {
    precondition(width > 0 && height > 0 && side > 0, "\(width) x \(height) pixels, squares of \(side)")
    guard case .random(let scale) = self else { return nil }
    let factor = try Tiling(scale: scale).factor(pixelSize: pixelSize?.x, name: name)
    var size = try ImageFit.scaledSize(width: width, height: height, factor: factor, name: name)
    let isEnlarged = min(size.width, size.height) < side
    if isEnlarged {
      size = Image.size(width: width, height: height, shortSide: side)
      guard max(size.width, size.height) <= ImageFit.longestSide else {
        throw DataError(
          .unsupported, file: name, item: "size",
          expected: "a longer side of at most \(ImageFit.longestSide) pixels, with a shorter one of \(side)",
          found: "\(width) x \(height)")
      }
    }
    return CropCanvas(original: (width, height), size: size, side: side, isEnlarged: isEnlarged)
  }
}

/// A picture at the size at which squares are cut out of it.
package struct CropCanvas: Sendable, Hashable {
  /// The whole of it.
  private let whole: FittedGeometry
  private let side: Int
  /// Whether the picture was too small at its scale.
  package let isEnlarged: Bool

  init(original: FittedGeometry.Size, size: FittedGeometry.Size, side: Int, isEnlarged: Bool) {
    whole = FittedGeometry(
      originalSize: original, resizedSize: size, contentOrigin: (0, 0), contentSize: size, networkSize: size)
    (self.side, self.isEnlarged) = (side, isEnlarged)
  }

  package var originalWidth: Int { whole.originalWidth }
  package var originalHeight: Int { whole.originalHeight }
  package var width: Int { whole.resizedWidth }
  package var height: Int { whole.resizedHeight }

  /// Whether it has fewer pixels than the picture, so that it is the one to keep.
  package var isSmaller: Bool { width * height < originalWidth * originalHeight }
  /// Bytes of the smaller of the two.
  package var keptBytes: Int { 3 * min(width * height, originalWidth * originalHeight) }

  /// The square in the middle.
  package var middle: Tile { Tile(x: (width - side) / 2, y: (height - side) / 2) }

  /// A square at a random place, all with the same probability.
  package func tile(_ random: Philox) -> Tile {
    var random = random
    return Tile(x: random.integer(below: width - side + 1), y: random.integer(below: height - side + 1))
  }

  /// The way of a square.
  package func geometry(of tile: Tile) -> FittedGeometry {
    FittedGeometry(
      originalSize: (originalWidth, originalHeight), resizedSize: (width, height),
      contentOrigin: (tile.x, tile.y), contentSize: (side, side), networkSize: (side, side))
  }

  /// The picture at this size.
  /// - Precondition: it has the original size.
  package func apply(_ image: Image) -> Image { whole.apply(image) }

  /// A square.
  /// - Parameter image: the picture at its own size, or at this one
  package func square(_ tile: Tile, of image: Image) -> Image {
    image.width == width && image.height == height
      ? image.cropped(x: tile.x, y: tile.y, width: side, height: side) : geometry(of: tile).apply(image)
  }
}
