import Images
import TensorCore

/// A change of a picture and its labels in which nothing is left to chance: what an `Augmentation` draws.
public enum ImageTransform: Sendable, Hashable {
  case colorJitter(ColorJitter)
  case toGray
  /// Output channel k is input channel `order[k]`.
  case channelShuffle(order: [Int])
  /// Labels of the pairs change places.
  case horizontalFlip(exchanging: ClassPairs)
  case coarseDropout(CoarseDropout)
  case resizedCrop(ResizedCrop)
  case affine(AffineWarp)
  case elastic(ElasticWarp)

  /// - Precondition: rectangles lie inside the picture.
  public func apply(to image: Image) -> Image {
    switch self {
    case .colorJitter(let jitter): jitter.apply(to: image)
    case .toGray: image.gray()
    case .channelShuffle(let order): image.shuffled(order: order)
    case .horizontalFlip: image.mirrored()
    case .coarseDropout(let dropout): dropout.apply(to: image)
    case .resizedCrop(let crop): crop.apply(to: image)
    case .affine(let warp): warp.apply(to: image)
    case .elastic(let warp): warp.apply(to: image)
    }
  }

  /// - Precondition: rectangles lie inside the mask.
  public func apply(to mask: LabelMask) -> LabelMask {
    switch self {
    case .colorJitter, .toGray, .channelShuffle: mask
    case .horizontalFlip(let pairs): mask.mirrored(exchanging: pairs)
    case .coarseDropout(let dropout): dropout.apply(to: mask)
    case .resizedCrop(let crop): crop.apply(to: mask)
    case .affine(let warp): warp.apply(to: mask)
    case .elastic(let warp): warp.apply(to: mask)
    }
  }

  /// Labels that were found on the changed picture, at their places in the picture before the change.
  /// - Parameters:
  ///   - width: of the picture before the change
  ///   - height: of the picture before the change
  ///   - outside: label of what the changed picture does not show
  ///   - forgettingHoles: whether labels found inside holes are replaced by `outside`
  func invert(_ mask: LabelMask, width: Int, height: Int, outside: UInt8, forgettingHoles: Bool) -> LabelMask
  {
    switch self {
    case .colorJitter, .toGray, .channelShuffle: mask
    case .horizontalFlip(let pairs): mask.mirrored(exchanging: pairs)
    case .coarseDropout(let dropout): forgettingHoles ? dropout.covered(mask, with: outside) : mask
    case .resizedCrop(let crop): crop.invert(mask, width: width, height: height, outside: outside)
    case .affine(let warp): warp.invert(mask, outside: outside)
    case .elastic(let warp): warp.invert(mask, outside: outside)
    }
  }

  /// Size of the result for a picture of the given size.
  func size(width: Int, height: Int) -> (width: Int, height: Int) {
    guard case .resizedCrop(let crop) = self else { return (width, height) }
    return (crop.newWidth, crop.newHeight)
  }
}
