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
    if row + pending.count / (3 * width) == height { conversion!.finish(path: file.path, notices: notices) }
  }
}
