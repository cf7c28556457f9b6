import Images

/// Rectangles painted over.
///
/// Source: DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout", 2017;
/// albumentations 1.3.1 (`CoarseDropout`).
public struct CoarseDropout: Sendable, Hashable {
  /// A rectangle inside a picture.
  public struct Hole: Sendable, Hashable {
    public var x, y, width, height: Int

    public init(x: Int, y: Int, width: Int, height: Int) {
      (self.x, self.y, self.width, self.height) = (x, y, width, height)
    }
  }

  public var holes: [Hole]
  public var fill: RGB
  /// Label of the holes; nil leaves labels as they are.
  public var label: UInt8?

  public init(holes: [Hole], fill: RGB = .black, label: UInt8? = nil) {
    self.holes = holes
    self.fill = fill
    self.label = label
  }

  public func apply(to image: Image) -> Image {
    var image = image
    for hole in holes {
      image.paste(Image(width: hole.width, height: hole.height, color: fill), x: hole.x, y: hole.y)
    }
    return image
  }

  public func apply(to mask: LabelMask) -> LabelMask {
    guard let label else { return mask }
    return covered(mask, with: label)
  }

  /// The mask with one label in all holes.
  func covered(_ mask: LabelMask, with label: UInt8) -> LabelMask {
    var labels = mask.labels
    for hole in holes {
      let columns = max(hole.x, 0)..<max(min(hole.x + hole.width, mask.width), max(hole.x, 0))
      for row in max(hole.y, 0)..<max(min(hole.y + hole.height, mask.height), max(hole.y, 0)) {
        for column in columns { labels[row * mask.width + column] = label }
      }
    }
    return LabelMask(width: mask.width, height: mask.height, labels: labels)
  }
}
