/// Some rows of a picture that is not in memory as a whole.
package struct RowWindow {
  /// The rows, in full width.
  package var image: Image
  /// Which rows of the picture these are.
  package var rows: Range<Int>
  /// Rows of the picture.
  package var height: Int

  /// - Precondition: the image has as many rows as there are in `rows`, which lie inside the picture.
  package init(image: Image, rows: Range<Int>, height: Int) {
    precondition(
      image.height == rows.count && rows.lowerBound >= 0 && rows.upperBound <= height,
      "\(image.height) rows as rows \(rows) of \(height)")
    (self.image, self.rows, self.height) = (image, rows, height)
  }

  /// The rows of a picture that some rows of the resized picture are made of.
  package static func sources(
    height: Int, newHeight: Int, filter: ResamplingFilter, rows: Range<Int>
  ) -> Range<Int> {
    guard newHeight != height else { return rows }
    return ResamplingTaps(sourceSize: height, targetSize: newHeight, targets: rows, filter: filter).sources
  }

  /// What `Image.resized` with columns and rows gives for the whole picture.
  /// - Precondition: all rows that these are made of are in the window.
  package func resized(
    width newWidth: Int, height newHeight: Int, filter: ResamplingFilter, columns: Range<Int>,
    rows: Range<Int>
  ) -> Image {
    precondition(
      !columns.isEmpty && columns.lowerBound >= 0 && columns.upperBound <= newWidth
        && !rows.isEmpty && rows.lowerBound >= 0 && rows.upperBound <= newHeight,
      "columns \(columns) and rows \(rows) of a picture of \(newWidth) x \(newHeight)")
    _ = pixelCount(width: columns.count, height: rows.count)
    let width = image.width
    let across = ResamplingTaps(sourceSize: width, targetSize: newWidth, targets: columns, filter: filter)
    let down = ResamplingTaps(sourceSize: height, targetSize: newHeight, targets: rows, filter: filter)
    let shrinkage = (width: width - newWidth, height: height - newHeight)
    let rowsFirst = shrinkage.height <= 0 || shrinkage.height <= 2 * shrinkage.width

    // A direction that keeps its size needs no pass: its weights are exactly 1, at itself.
    var part = PicturePart(samples: image.pixels, columns: 0..<image.width, rows: self.rows)
    if newWidth != width && rowsFirst { part = part.resampledAcross(across, rows: down.sources) }
    if newHeight != height {
      part = part.resampledDown(down, columns: rowsFirst ? part.columns : across.sources)
    }
    if newWidth != width && !rowsFirst { part = part.resampledAcross(across, rows: part.rows) }
    return part.image(columns: newWidth == width ? columns : nil, rows: newHeight == height ? rows : nil)
  }
}
