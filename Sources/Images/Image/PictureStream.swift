import Base

/// A picture that is read from top to bottom, some rows at a time, so that one larger than memory can be used.
///
/// TIFF files are decoded as rows are asked for, with sides of up to 2^20 pixels: strips row by row, tiles and strips of
/// planes that lie apart a row of them at a time. Ranges that depend on the whole picture take a pass of their own, or
/// several with 32 bits. PNG and JPEG files, and pictures that are to be turned, are decoded whole behind it, with at
/// most `Image.maximumPixelCount` pixels.
public final class PictureStream: RowReader {
  /// Pixels a row.
  public let width: Int
  /// Rows.
  public let height: Int
  /// How large a pixel is in what was photographed, where the file says so.
  public let pixelSize: PixelSize?

  private enum Way {
    case rows(TIFFReader)
    case whole(Image)
  }
  private let file: MappedFile
  private let notices: Notices
  private let way: Way
  private var conversion: SampleConversion?
  /// Rows that were given out.
  private var row = 0
  /// Samples `[rows, width, 3]` that were decoded and not given out yet.
  private var pending: [UInt8] = []
  /// Whether rows were passed over.
  private var hasSkipped = false

  /// Opens a picture.
  /// - Parameters:
  ///   - path: the file
  ///   - page: of a TIFF file with several, counted from 0; nil for the first, with a notice of others
  ///   - reading: how samples become red, green and blue, and whether the picture is turned as its file says
  ///   - notices: of what was turned, reduced, left out or guessed; some come with the last row
  /// - Throws: `DataError` as `Image.init(contentsOf:page:reading:notices:)`.
  public init(
    contentsOf path: String, page: Int? = nil, reading: PictureReading = PictureReading(),
    notices: Notices = Notices()
  ) throws(DataError) {
    file = try MappedFile(path: path)
    self.notices = notices
    if try FileFormat(contents: file.bytes, path: path) == .tiff {
      let header = try TIFF.page(file.bytes, page ?? 0, path: path, notices: notices)
      pixelSize = header.pixelSize
      if header.orientation.value == 1 || reading.orientation == .ignore {
        let reader = try TIFF.reader(
          file.bytes, page: page, reading: reading, path: path, notices: notices)
        (width, height) = (reader.width, reader.height)
        let file = file
        reader.release = { file.discard(file.bytes) }
        conversion = try SampleConversion(reading.range, of: reader, path: path, notices: notices)
        way = .rows(reader)
        if header.orientation.value > 1 {
          notices.add(
            .ignored, file: path, "its TIFF orientation says \(header.orientation.motion); not applied")
        }
        if let damage = header.orientation.damage { notices.add(.ignored, file: path, damage) }
        return
      }
    } else {
      pixelSize = nil
    }
    let image = try Image(contentsOf: path, page: page, reading: reading, notices: notices)
    (width, height, way) = (image.width, image.height, .whole(image))
  }

  /// The next rows: as many as are asked for, fewer at the end, nil after it.
  /// - Precondition: `rows` is at least 1, and so many rows have at most `Image.maximumPixelCount` pixels.
  /// - Throws: `DataError` when they are damaged; what was read before is sound.
  public func read(rows: Int) throws(DataError) -> Image? {
    precondition(rows > 0, "\(rows) rows of a picture")
    let count = min(rows, height - row)
    guard count > 0 else { return nil }
    defer { row += count }
    if case .whole(let image) = way {
      return image.cropped(x: 0, y: row, width: width, height: count)
    }
    let wanted = 3 * width * count
    while pending.count < wanted { try decode() }
    let image = Image(width: width, height: count, pixels: Array(pending[..<wanted]))
    pending.removeFirst(wanted)
    return image
  }

  private func decode() throws(DataError) {
    guard case .rows(let reader) = way, let rows = try reader.next() else {
      preconditionFailure("rows of \(file.path) beyond its \(height)")
    }
    pending += conversion!.rgb(rows, channels: reader.channels)
    // What a part of the picture uses of its range says nothing about the picture.
    guard !hasSkipped, row + pending.count / (3 * width) == height else { return }
    conversion!.finish(path: file.path, notices: notices)
  }
}

extension PictureStream {
  /// Goes on from a row further below. Strips and tiles above it are not decoded.
  /// - Precondition: the row lies in the picture, and not above those that were given out.
  /// - Throws: `DataError` when the file is damaged.
  package func skip(to target: Int) throws(DataError) {
    precondition(target >= row && target < height, "row \(target) of \(height), after \(row)")
    guard case .rows(let reader) = way else {
      row = target
      return
    }
    let rowSize = 3 * width
    if row + pending.count / rowSize < target {
      hasSkipped = true
      conversion!.tellReduction(path: file.path, notices: notices)
      pending = []
      row = reader.skip(to: target)
      while row + pending.count / rowSize <= target { try decode() }
    }
    pending.removeFirst((target - row) * rowSize)
    row = target
  }

  /// Whether single rows of a picture can be read without the rest: those of a TIFF file that is not to be turned, and
  /// whose range does not depend on the whole.
  /// - Throws: `DataError` when there is no such file or page, or it is damaged.
  package static func readsParts(
    ofFile path: String, page: Int?, reading: PictureReading
  ) throws(DataError) -> Bool {
    switch reading.range {
    case .minMax, .percentile: return false
    case .full, .values: break
    }
    let file = try MappedFile(path: path)
    guard try FileFormat(contents: file.bytes, path: path) == .tiff else { return false }
    let header = try TIFF.page(file.bytes, page ?? 0, path: path, notices: Notices())
    return header.orientation.value == 1 || reading.orientation == .ignore
  }
}
