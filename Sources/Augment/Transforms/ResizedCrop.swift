import Images

/// A rectangle of the picture, enlarged or shrunk to another size without a filter against aliasing.
///
/// Source: albumentations 1.3.1 (`RandomResizedCrop`): OpenCV's bilinear resize; `INTER_NEAREST` for labels.
public struct ResizedCrop: Sendable, Hashable {
  public var x: Int
  public var y: Int
  public var width: Int
  public var height: Int
  /// Size of the result.
  public var newWidth: Int
  public var newHeight: Int

  /// - Precondition: neither the rectangle nor the result is empty.
  public init(x: Int, y: Int, width: Int, height: Int, newWidth: Int, newHeight: Int) {
    precondition(
      width > 0 && height > 0 && newWidth > 0 && newHeight > 0,
      "a crop of \(width) x \(height) to \(newWidth) x \(newHeight)")
    (self.x, self.y, self.width, self.height) = (x, y, width, height)
    (self.newWidth, self.newHeight) = (newWidth, newHeight)
  }

  /// - Precondition: the rectangle lies inside the picture.
  public func apply(to image: Image) -> Image {
    warped(cropped(image), width: newWidth, height: newHeight, places: places, border: .replicate)
  }

  /// - Precondition: the rectangle lies inside the mask.
  public func apply(to mask: LabelMask) -> LabelMask {
    mask.cropped(x: x, y: y, width: width, height: height).resized(width: newWidth, height: newHeight)
  }

  /// The picture before it is rounded to 8 bits: `[newHeight, newWidth, 3]`.
  package func samples(of image: Image) -> [Float] {
    interpolated(cropped(image), width: newWidth, height: newHeight, places: places, border: .replicate)
  }

  private func cropped(_ image: Image) -> Image { image.cropped(x: x, y: y, width: width, height: height) }

  /// In the cropped picture, so that nothing beyond the rectangle is seen.
  private var places: RectanglePlaces {
    RectanglePlaces(
      x: 0, y: 0, width: Double(width), height: Double(height), resultWidth: newWidth, resultHeight: newHeight
    )
  }

  /// Labels of the result brought back into a mask of the source's size, and `outside` where it saw nothing.
  func invert(_ mask: LabelMask, width sourceWidth: Int, height sourceHeight: Int, outside: UInt8)
    -> LabelMask
  {
    let (scaleX, scaleY) = (Double(newWidth) / Double(width), Double(newHeight) / Double(height))
    return warped(
      mask, width: sourceWidth, height: sourceHeight,
      places: RectanglePlaces(
        x: -Double(x) * scaleX, y: -Double(y) * scaleY, width: Double(sourceWidth) * scaleX,
        height: Double(sourceHeight) * scaleY, resultWidth: sourceWidth, resultHeight: sourceHeight),
      border: .constant(color: .black, label: outside))
  }
}
