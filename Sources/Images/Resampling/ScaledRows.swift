import Base

/// A picture that is read from the top to the bottom.
public protocol RowReader: AnyObject {
  var width: Int { get }
  var height: Int { get }

  /// The next rows in full width: as many as asked for, fewer at the end, nil after it.
  /// - Throws: `DataError` when the file is damaged.
  func read(rows: Int) throws(DataError) -> Image?
}

/// The rows of a picture in memory.
public final class ImageRows: RowReader {
  private let image: Image
  private var next = 0

  public init(_ image: Image) { self.image = image }

  public var width: Int { image.width }
  public var height: Int { image.height }

  public func read(rows: Int) -> Image? {
    precondition(rows > 0, "\(rows) rows")
    let count = min(rows, height - next)
    guard count > 0 else { return nil }
    defer { next += count }
    return count == height ? image : image.cropped(x: 0, y: next, width: width, height: count)
  }
}

/// Rows of a picture at another size, in ranges that begin further and further below. Of the picture itself no more rows
/// are in memory than these are made of.
package struct ScaledRows {
  private let reader: any RowReader
  private let newWidth: Int
  private let newHeight: Int
  private let filter: ResamplingFilter
  private var window: RowWindow?

  package init(_ reader: any RowReader, width: Int, height: Int, filter: ResamplingFilter = .bilinear) {
    (self.reader, newWidth, newHeight, self.filter) = (reader, width, height, filter)
  }

  /// What `Image.resized` of the whole picture has in these rows.
  /// - Precondition: the rows lie inside the new height, and do not begin above those that were asked for before.
  /// - Throws: `DataError` when the picture cannot be read, or ends early.
  package mutating func read(_ rows: Range<Int>) throws(DataError) -> Image {
    let sources = RowWindow.sources(height: reader.height, newHeight: newHeight, filter: filter, rows: rows)
    let held = window?.rows ?? 0..<0
    precondition(sources.lowerBound >= held.lowerBound, "rows \(sources) after \(held)")
    let rowSize = reader.width * 3
    var samples: [UInt8] = []
    samples.reserveCapacity(sources.count * rowSize)
    if let window, sources.lowerBound < held.upperBound {
      samples += window.image.pixels[((sources.lowerBound - held.lowerBound) * rowSize)...]
    }
    // Memory for one window at a time.
    window = nil
    var next = held.upperBound
    while next < sources.upperBound {
      // What lies between is read over.
      let wanted = (next < sources.lowerBound ? sources.lowerBound : sources.upperBound) - next
      guard let part = try reader.read(rows: wanted) else {
        throw DataError(
          .malformed, file: "picture", item: "rows", expected: "\(reader.height)", found: "\(next)")
      }
      if next >= sources.lowerBound { samples += part.pixels }
      next += part.height
    }
    let window = RowWindow(
      image: Image(width: reader.width, height: samples.count / rowSize, pixels: samples),
      rows: sources.lowerBound..<next, height: reader.height)
    self.window = window
    return window.resized(
      width: newWidth, height: newHeight, filter: filter, columns: 0..<newWidth, rows: rows)
  }
}
