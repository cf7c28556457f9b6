import Base
import Foundation

extension Image {
  /// Reads a PNG, JPEG or TIFF file, told apart by content and not by name.
  ///
  /// Alpha is dropped, and colours that were multiplied by it stay so; samples of other than 8 bits are scaled as
  /// `reading` says, CMYK is converted without a profile, and no colour profile is applied. Of an animation the first
  /// picture is read.
  /// - Parameters:
  ///   - path: the file
  ///   - page: of a TIFF file with several, counted from 0 without thumbnails; nil for the first, with a notice of others
  ///   - reading: how samples become red, green and blue, and whether the picture is turned as its file says
  ///   - notices: of what was turned, reduced, left out or guessed, and of flaws of the file that cost no pixel
  /// - Throws: `DataError` that names the file and what is wrong with it; also for a truncated picture, for one of more
  ///   than `maximumPixelCount` pixels, and for a page or channel that there is not.
  public init(
    contentsOf path: String, page: Int? = nil, reading: PictureReading = PictureReading(),
    notices: Notices = Notices()
  ) throws(DataError) {
    let file = try MappedFile(path: path)
    self = try Image(contents: file.bytes, page: page, path: path, reading: reading, notices: notices)
  }

  /// Reads a PNG, JPEG or TIFF file.
  /// - Throws: `DataError`, see `init(contentsOf:page:reading:notices:)` with a path.
  public init(
    contentsOf url: URL, page: Int? = nil, reading: PictureReading = PictureReading(),
    notices: Notices = Notices()
  ) throws(DataError) {
    try self.init(contentsOf: url.path, page: page, reading: reading, notices: notices)
  }

  /// Decodes the bytes of a PNG, JPEG or TIFF file; `name` stands for the file in messages.
  /// - Throws: `DataError`, see `init(contentsOf:page:reading:notices:)`.
  public init(
    decoding bytes: [UInt8], page: Int? = nil, name: String = "picture",
    reading: PictureReading = PictureReading(), notices: Notices = Notices()
  ) throws(DataError) {
    self = try bytes.decoded { (bytes) throws(DataError) in
      try Image(contents: bytes, page: page, path: name, reading: reading, notices: notices)
    }
  }

  init(
    contents bytes: UnsafeRawBufferPointer, page: Int?, path: String, reading: PictureReading,
    notices: Notices
  ) throws(DataError) {
    let format = try FileFormat(contents: bytes, path: path)
    if format != .tiff { try Self.checkPage(page, of: 1, path: path) }
    let (stored, image) =
      switch format {
      case .png:
        (PNG.orientation(bytes), try PNG.image(bytes, reading: reading, path: path, notices: notices))
      case .jpeg:
        (
          JPEG.orientation(bytes),
          try JPEG.image(bytes, path: path, notices: notices)
            .read(reading, path: path, notices: notices)
        )
      case .tiff: try TIFF.image(bytes, page: page, reading: reading, path: path, notices: notices)
      }
    self = image.turned(by: stored, reading.orientation, path: path, notices: notices)
  }

  /// The picture with other channels and another range.
  func read(_ reading: PictureReading, path: String, notices: Notices) throws(DataError) -> Image {
    guard !reading.isPlain else { return self }
    try reading.checkChannels(of: 3, path: path)
    let source = DecodedSamples(
      width: width, height: height, kind: .unsigned(bits: 8), bytes: pixels, count: 3,
      chosen: reading.channels)
    return try Image(source, range: reading.range, path: path, notices: notices)
  }

  /// - Throws: `DataError` of kind `.invalidArgument` when there is no such page.
  static func checkPage(_ page: Int?, of count: Int, path: String) throws(DataError) {
    guard let page, !(0..<count).contains(page) else { return }
    throw DataError(
      .invalidArgument, file: path, item: "page",
      expected: count == 1 ? "page 0, the only one" : "a page of 0 to \(count - 1)", found: "\(page)")
  }

  /// How many pictures a file holds: pages of a TIFF file without thumbnails, else 1. Nothing is decoded.
  /// - Throws: `DataError` when there is no such file, it is no picture, or the list of its pages is damaged.
  public static func pageCount(ofFile path: String) throws(DataError) -> Int {
    let file = try MappedFile(path: path)
    guard try FileFormat(contents: file.bytes, path: path) == .tiff else { return 1 }
    return try TIFFDirectories(file.bytes, path: path).pages.count
  }

  /// How large a pixel is in what was photographed, where a TIFF file says so, or a PNG file of this library.
  /// - Throws: `DataError` when there is no such file or page, or it is damaged.
  public static func pixelSize(ofFile path: String, page: Int = 0) throws(DataError) -> PixelSize? {
    let file = try MappedFile(path: path)
    let format = try FileFormat(contents: file.bytes, path: path)
    if format != .tiff { try checkPage(page, of: 1, path: path) }
    return switch format {
    case .png: PNG.pixelSize(file.bytes)
    case .jpeg: nil
    case .tiff: try TIFF.page(file.bytes, page, path: path, notices: Notices()).pixelSize
    }
  }

  /// The orientation that a file says its picture has, 1...8 as EXIF counts; 1, upright, when it says nothing. Only
  /// headers are read.
  /// - Throws: `DataError` when there is no such file or page, or it is no picture.
  public static func orientation(ofFile path: String, page: Int = 0) throws(DataError) -> Int {
    let file = try MappedFile(path: path)
    switch try FileFormat(contents: file.bytes, path: path) {
    case .png: return PNG.orientation(file.bytes).value
    case .jpeg: return JPEG.orientation(file.bytes).value
    case .tiff:
      return try TIFF.page(file.bytes, page, path: path, notices: Notices()).orientation.value
    }
  }

  /// Writes a PNG, JPEG or TIFF file, whichever the extension says; the file is complete or not there. A pipe or device gets
  /// a PNG file unless its name says otherwise.
  /// - Parameters:
  ///   - path: the file to write, `.png`, `.jpg`, `.jpeg`, `.tif` or `.tiff`
  ///   - quality: of JPEG, 1...100. Chroma is not subsampled.
  /// - Throws: `DataError`.
  public func write(to path: String, quality: Int = 95) throws(DataError) {
    let format: FileFormat
    if AtomicFile.writesInPlace(to: path) {
      format = (try? FileFormat(extensionOf: path)) ?? .png
    } else {
      format = try FileFormat(extensionOf: path)
    }
    try AtomicFile.write(encoded(format, quality: quality, name: path), to: path)
  }

  /// The bytes of a PNG, JPEG or TIFF file; `name` stands for it in error messages.
  /// - Parameters:
  ///   - format: PNG, JPEG or TIFF
  ///   - quality: of JPEG, 1...100
  ///   - name: stands for the file in messages
  /// - Throws: `DataError` for another quality, or a side above 65500 in JPEG.
  public func encoded(_ format: FileFormat, quality: Int = 95, name: String = "picture") throws(DataError)
    -> [UInt8]
  {
    switch format {
    case .png: try PNG.encode(self, path: name)
    case .jpeg: try JPEG.encode(self, quality: quality, path: name)
    case .tiff: try TIFF.encode(pixels, width: width, height: height, kind: .rgb, path: name)
    }
  }
}

extension [UInt8] {
  /// `body` on these bytes. (`withUnsafeBytes` does not pass typed errors on.)
  func decoded<Value>(
    _ body: (UnsafeRawBufferPointer) throws(DataError) -> Value
  ) throws(DataError) -> Value {
    try withUnsafeBytes { bytes in
      Result { () throws(DataError) in try body(bytes) }
    }.get()
  }
}
