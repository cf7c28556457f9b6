import Base

/// Pictures side by side, with titles over the columns and captions under the pictures.
///
///     var sheet = ContactSheet(columns: 3, columnTitles: ["picture", "labels", "uncertainty"])
///     sheet.append(picture)
///     sheet.append(overlay, caption: "mIoU 0.71")
///     sheet.append(heatmap)
///     try sheet.image().write(to: "results.png")
///
/// Each column is as wide as its widest picture or text, each row as high as its highest picture.
public struct ContactSheet: Sendable {
  /// Pictures a row.
  public let columns: Int
  /// Texts over the columns, from the left; there may be fewer than columns.
  public var columnTitles: [String]
  /// Pixels around every picture.
  public var margin: Int
  /// Whole magnification of the pictures, for small ones.
  public var zoom: Int
  /// Whole magnification of the letters, which are 7 pixels high at 1.
  public var textScale: Int
  public var background = RGB.white
  public var ink = RGB(30, 30, 30)

  private struct Cell {
    var image: Image
    var caption: String
  }
  private var cells: [Cell] = []

  /// - Precondition: `columns`, `zoom` and `textScale` are positive, `margin` is not negative.
  public init(
    columns: Int, columnTitles: [String] = [], margin: Int = 8, zoom: Int = 1, textScale: Int = 2
  ) {
    precondition(
      columns > 0 && zoom > 0 && textScale > 0 && margin >= 0, "a contact sheet needs positive sizes")
    self.columns = columns
    self.columnTitles = columnTitles
    self.margin = margin
    self.zoom = zoom
    self.textScale = textScale
  }

  /// Adds a picture to the right of the last one, or at the start of the next row.
  public mutating func append(_ image: Image, caption: String = "") {
    cells.append(Cell(image: image, caption: caption))
  }

  /// Draws the sheet.
  /// - Throws: `DataError` of kind `.invalidArgument` for a sheet without pictures, or of more pixels
  ///   than an image may have.
  public func image() throws(DataError) -> Image {
    let rowCount = (cells.count + columns - 1) / columns
    let shown = min(columns, cells.count)
    let textHeight = BitmapFont.rows * textScale
    var widths = (0..<shown).map { $0 < columnTitles.count ? textWidth(columnTitles[$0]) : 0 }
    var heights = Array(repeating: 0, count: rowCount)
    var captionHeights = Array(repeating: 0, count: rowCount)
    for (index, cell) in cells.enumerated() {
      let (row, column) = (index / columns, index % columns)
      widths[column] = max(widths[column], cell.image.width * zoom, textWidth(cell.caption))
      heights[row] = max(heights[row], cell.image.height * zoom)
      if !cell.caption.isEmpty { captionHeights[row] = textHeight + margin / 2 }
    }
    let titleHeight = columnTitles.contains { !$0.isEmpty } ? textHeight + margin : 0
    let width = widths.reduce(margin) { $0 + $1 + margin }
    let height = zip(heights, captionHeights).reduce(margin + titleHeight) { $0 + $1.0 + $1.1 + margin }
    guard !cells.isEmpty, isAcceptableSize(width: width, height: height) else {
      throw DataError(
        .invalidArgument, file: "contact sheet", item: "size",
        expected: "1 to \(Image.maximumPixelCount) pixels",
        found: cells.isEmpty ? "no pictures" : "\(width) x \(height)")
    }

    var sheet = Image(width: width, height: height, color: background)
    let lefts = widths.reduce(into: [margin]) { $0.append($0.last! + $1 + margin) }
    for (column, title) in columnTitles.prefix(shown).enumerated() {
      write(title, on: &sheet, x: lefts[column], y: margin, width: widths[column])
    }
    var top = margin + titleHeight
    for row in 0..<rowCount {
      for column in 0..<shown where row * columns + column < cells.count {
        let cell = cells[row * columns + column]
        let inset = (widths[column] - cell.image.width * zoom) / 2
        sheet.paste(cell.image.magnified(zoom), x: lefts[column] + inset, y: top)
        write(
          cell.caption, on: &sheet, x: lefts[column], y: top + cell.image.height * zoom + margin / 2,
          width: widths[column])
      }
      top += heights[row] + captionHeights[row] + margin
    }
    return sheet
  }

  private func textWidth(_ text: String) -> Int { BitmapFont.width(of: text, scale: textScale) }

  /// Centred in `width` pixels.
  private func write(_ text: String, on sheet: inout Image, x: Int, y: Int, width: Int) {
    BitmapFont.draw(
      text, on: &sheet, x: x + (width - textWidth(text)) / 2, y: y, scale: textScale, color: ink)
  }
}

extension Image {
  /// Each pixel repeated `times` in both directions.
  /// - Precondition: `times` is positive and the result has at most `maximumPixelCount` pixels.
  public func magnified(_ times: Int) -> Image {
    precondition(times > 0, "a magnification of \(times)")
    guard times > 1 else { return self }
    let count = pixelCount(width: width * times, height: height * times)
    let samples = [UInt8](unsafeUninitializedCapacity: 3 * count) { samples, filled in
      for y in 0..<height * times {
        for x in 0..<width * times {
          let source = 3 * (y / times * width + x / times)
          for channel in 0..<3 {
            samples.initializeElement(at: filled + channel, to: pixels[source + channel])
          }
          filled += 3
        }
      }
    }
    return Image(width: width * times, height: height * times, pixels: samples)
  }
}
