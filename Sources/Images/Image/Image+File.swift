import Base
import Foundation

extension Image {
  /// Reads a PNG or JPEG file, told apart by content and not by name.
  ///
  /// Alpha is dropped, 16-bit samples are scaled by 1/257 and rounded, CMYK is converted without a
  /// profile, and no colour profile is applied. Of an animation the first picture is read.
  /// - Parameters:
  ///   - path: the file
  ///   - orientation: whether the picture is turned as its EXIF orientation says
  ///   - notices: of what was turned, reduced, left out or guessed, and of flaws of the file that cost no pixel
  /// - Throws: `DataError` that names the file and what is wrong with it; also for a truncated picture,
  ///   and for one of more than `maximumPixelCount` pixels.
  public init(
    contentsOf path: String, orientation: OrientationHandling = .apply, notices: Notices = Notices()
  ) throws(DataError) {
    let file = try MappedFile(path: path)
    self = try Image(file.bytes, path: path, orientation: orientation, notices: notices)
  }

  /// Reads a PNG or JPEG file.
  /// - Throws: `DataError`, see `init(contentsOf:orientation:notices:)` with a path.
  public init(
    contentsOf url: URL, orientation: OrientationHandling = .apply, notices: Notices = Notices()
  ) throws(DataError) {
    try self.init(contentsOf: url.path, orientation: orientation, notices: notices)
  }

  /// Decodes the bytes of a PNG or JPEG file; `name` stands for the file in messages.
  /// - Throws: `DataError`, see `init(contentsOf:orientation:notices:)`.
  public init(
    decoding bytes: [UInt8], name: String = "picture", orientation: OrientationHandling = .apply,
    notices: Notices = Notices()
  ) throws(DataError) {
    self = try bytes.decoded { (bytes) throws(DataError) in
      try Image(bytes, path: name, orientation: orientation, notices: notices)
    }
  }

  private init(
    _ bytes: UnsafeRawBufferPointer, path: String, orientation: OrientationHandling, notices: Notices
  ) throws(DataError) {
    let (stored, image) =
      switch try FileFormat(contents: bytes, path: path) {
      case .png: (PNG.orientation(bytes), try PNG.image(bytes, path: path, notices: notices))
      case .jpeg: (JPEG.orientation(bytes), try JPEG.image(bytes, path: path, notices: notices))
      }
    self = image.turned(by: stored, orientation, path: path, notices: notices)
  }

  /// The EXIF orientation of a PNG or JPEG file, 1...8; 1, upright, when it has none. Only headers are
  /// read.
  /// - Throws: `DataError` when there is no such file, or it is neither PNG nor JPEG.
  public static func orientation(ofFile path: String) throws(DataError) -> Int {
    let file = try MappedFile(path: path)
    switch try FileFormat(contents: file.bytes, path: path) {
    case .png: return PNG.orientation(file.bytes).value
    case .jpeg: return JPEG.orientation(file.bytes).value
    }
  }

  /// Writes a PNG or JPEG file, whichever the extension says; the file is complete or not there. A pipe or device gets
  /// a PNG file unless its name says JPEG.
  /// - Parameters:
  ///   - path: the file to write, `.png`, `.jpg` or `.jpeg`
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

  /// The bytes of a PNG or JPEG file; `name` stands for it in error messages.
  /// - Parameters:
  ///   - format: PNG or JPEG
  ///   - quality: of JPEG, 1...100
  ///   - name: stands for the file in messages
  /// - Throws: `DataError` for another quality, or a side above 65500 in JPEG.
  public func encoded(_ format: FileFormat, quality: Int = 95, name: String = "picture") throws(DataError)
    -> [UInt8]
  {
    switch format {
    case .png: try PNG.encode(self, path: name)
    case .jpeg: try JPEG.encode(self, quality: quality, path: name)
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
