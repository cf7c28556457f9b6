extension Image {
  /// The picture at another size, equal in every bit to the `resize` of an RGB image in Pillow 13.
  ///
  /// Filters are widened when shrinking (no aliasing). Each of the two passes is rounded to 8 bits, so
  /// their order shows: rows are resampled first, except where the height shrinks by more than twice as
  /// many pixels as the width. (Before Pillow 13 rows came first there, too; a bilinear result differs
  /// from that by a grey level at a few pixels.)
  /// - Precondition: both sides are positive and the result has at most `maximumPixelCount` pixels.
  public func resized(width newWidth: Int, height newHeight: Int, filter: ResamplingFilter) -> Image {
    resized(
      width: newWidth, height: newHeight, filter: filter, columns: 0..<newWidth, rows: 0..<newHeight)
  }

  /// A part of the picture at another size: the pixels that `resized(width:height:filter:)` and a crop
  /// to `columns` and `rows` would give, at the cost of these pixels alone.
  /// - Precondition: neither range is empty, both lie inside the new size, and the part has at most
  ///   `maximumPixelCount` pixels.
  public func resized(
    width newWidth: Int, height newHeight: Int, filter: ResamplingFilter, columns: Range<Int>,
    rows: Range<Int>
  ) -> Image {
    RowWindow(image: self, rows: 0..<height, height: height).resized(
      width: newWidth, height: newHeight, filter: filter, columns: columns, rows: rows)
  }

  /// The picture with its shorter side made `shortSide` and the longer one in proportion, truncated:
  /// torchvision's `Resize` of an integer, as all networks of this package see their pictures.
  /// - Precondition: `shortSide` is positive and the result has at most `maximumPixelCount` pixels.
  public func resized(shortSide: Int, filter: ResamplingFilter = .bilinear) -> Image {
    let size = Image.size(width: width, height: height, shortSide: shortSide)
    return resized(width: size.width, height: size.height, filter: filter)
  }

  /// The sides after `resized(shortSide:)`: shortSide and floor(shortSide * longer / shorter).
  /// - Precondition: all are positive and shortSide * longer is below 2^63.
  public static func size(width: Int, height: Int, shortSide: Int) -> (width: Int, height: Int) {
    precondition(
      width > 0 && height > 0 && shortSide > 0,
      "\(width) x \(height) cannot get a shorter side of \(shortSide)")
    return width <= height
      ? (shortSide, shortSide * height / width) : (shortSide * width / height, shortSide)
  }
}
