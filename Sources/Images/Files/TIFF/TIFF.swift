import Base

/// Reading TIFF files: pages in strips or tiles, planes together or apart, of whole numbers and floats, and whatever
/// libtiff unpacks. Everything that a page says is checked before memory is taken for it.
enum TIFF {
  /// Reads a page's header.
  /// - Throws: `DataError` when there is no such page, or it is damaged or not read.
  static func page(
    _ bytes: UnsafeRawBufferPointer, _ page: Int, path: String, notices: Notices
  ) throws(DataError) -> TIFFPage {
    let directories = try TIFFDirectories(bytes, path: path)
    try Image.checkPage(page, of: directories.pages.count, path: path)
    return try TIFFHandle(bytes, path: path).page(at: directories.pages[page], notices: notices)
  }

  /// Opens a page for decoding; nil stands for the first, with a notice of others.
  /// - Throws: `DataError` when there is no such page or channel, or it is damaged or not read.
  static func reader(
    _ bytes: UnsafeRawBufferPointer, page: Int?, reading: PictureReading, path: String, notices: Notices
  ) throws(DataError) -> TIFFReader {
    let directories = try TIFFDirectories(bytes, path: path)
    try Image.checkPage(page, of: directories.pages.count, path: path)
    if page == nil && directories.pages.count > 1 {
      notices.add(.leftOut, file: path, "all but the first of its \(directories.pages.count) pages")
    }
    if directories.others > 0 {
      notices.add(.leftOut, file: path, "smaller copies or masks of its pages (\(directories.others))")
    }
    return try TIFFReader(
      bytes, offset: directories.pages[page ?? 0], reading: reading, path: path, notices: notices)
  }

  /// Decodes a page, as it is stored, and tells how it is to be turned.
  static func image(
    _ bytes: UnsafeRawBufferPointer, page: Int?, reading: PictureReading, path: String, notices: Notices
  ) throws(DataError) -> (StoredOrientation, Image) {
    let reader = try reader(bytes, page: page, reading: reading, path: path, notices: notices)
    try checkSize(of: reader, path: path)
    let image = try Image(reader, range: reading.range, path: path, notices: notices)
    return (reader.page.orientation, image)
  }

  /// - Throws: `DataError` of kind `.unsupported` for a page that is too large for an `Image` or `LabelMask`.
  static func checkSize(of reader: TIFFReader, path: String) throws(DataError) {
    guard isAcceptableSize(width: reader.width, height: reader.height) else {
      throw DataError(
        .unsupported, file: path, item: "size", expected: "at most \(Image.maximumPixelCount) pixels",
        found: "\(reader.width) x \(reader.height)")
    }
  }
}
