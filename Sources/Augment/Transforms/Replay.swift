import Images

/// Transforms one after the other, as they were drawn for a picture: they can be applied again, to the picture, its
/// mask or anything else of its size, and labels can be brought back.
public struct Replay: Sendable, Hashable {
  /// Size of the pictures that it changes.
  public let width: Int
  public let height: Int
  public let transforms: [ImageTransform]

  public init(width: Int, height: Int, transforms: [ImageTransform]) {
    (self.width, self.height, self.transforms) = (width, height, transforms)
  }

  /// - Precondition: the picture has the size that the transforms were drawn for.
  public func apply(to image: Image) -> Image {
    requireSize(image.width, image.height, "picture")
    return transforms.reduce(image) { $1.apply(to: $0) }
  }

  /// - Precondition: the mask has the size that the transforms were drawn for.
  public func apply(to mask: LabelMask) -> LabelMask {
    requireSize(mask.width, mask.height, "mask")
    return transforms.reduce(mask) { $1.apply(to: $0) }
  }

  /// Labels found on a changed picture, at their places in the picture as it was.
  /// - Parameters:
  ///   - mask: labels of the changed picture, of its size
  ///   - outside: label of what the changed picture does not show
  ///   - forgettingHoles: whether labels found inside holes are replaced by `outside`
  /// - Precondition: the mask has the size of the changed picture.
  public func invert(
    _ mask: LabelMask, outside: UInt8 = LabelMask.ignoreLabel, forgettingHoles: Bool = false
  ) -> LabelMask {
    var sizes = [(width: width, height: height)]
    for transform in transforms {
      sizes.append(transform.size(width: sizes.last!.width, height: sizes.last!.height))
    }
    let result = sizes.removeLast()
    precondition(
      mask.width == result.width && mask.height == result.height,
      "a mask of \(mask.width) x \(mask.height) for a changed picture of \(result.width) x \(result.height)")
    return zip(transforms, sizes).reversed().reduce(mask) { mask, step in
      step.0.invert(
        mask, width: step.1.width, height: step.1.height, outside: outside, forgettingHoles: forgettingHoles)
    }
  }

  private func requireSize(_ width: Int, _ height: Int, _ what: String) {
    precondition(
      width == self.width && height == self.height,
      "a \(what) of \(width) x \(height) for transforms drawn for \(self.width) x \(self.height)")
  }
}
