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
    precondition(
      !columns.isEmpty && columns.lowerBound >= 0 && columns.upperBound <= newWidth
        && !rows.isEmpty && rows.lowerBound >= 0 && rows.upperBound <= newHeight,
      "columns \(columns) and rows \(rows) of a picture of \(newWidth) x \(newHeight)")
    _ = pixelCount(width: columns.count, height: rows.count)
    let across = ResamplingTaps(sourceSize: width, targetSize: newWidth, targets: columns, filter: filter)
    let down = ResamplingTaps(sourceSize: height, targetSize: newHeight, targets: rows, filter: filter)
    let shrinkage = (width: width - newWidth, height: height - newHeight)
    let rowsFirst = shrinkage.height <= 0 || shrinkage.height <= 2 * shrinkage.width

    // A direction that keeps its size needs no pass: its weights are exactly 1, at itself.
    var part = PicturePart(samples: pixels, columns: 0..<width, rows: 0..<height)
    if newWidth != width && rowsFirst { part = part.resampledAcross(across, rows: down.sources) }
    if newHeight != height {
      part = part.resampledDown(down, columns: rowsFirst ? part.columns : across.sources)
    }
    if newWidth != width && !rowsFirst { part = part.resampledAcross(across, rows: part.rows) }
    return part.image(columns: newWidth == width ? columns : nil, rows: newHeight == height ? rows : nil)
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
