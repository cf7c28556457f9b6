import Base
import Foundation

extension LabelMask {
  /// Reads labels from a PNG file.
  ///
  /// - Indexed and grey files: the samples as stored, palette indices or grey values that are not scaled.
  /// - Grey files of 16 bits: as long as all values are 0...255; 65535 is taken as 255, the ignored label.
  /// - Coloured files of 8 bits: the class of each colour, when all are exactly colours of `palette`; else
  ///   the grey value, when all three channels are equal everywhere.
  ///
  /// Alpha is dropped, and an EXIF orientation is not applied.
  /// - Parameters:
  ///   - path: the file
  ///   - palette: the colours of the classes
  ///   - notices: of what was guessed or dropped, and of flaws of the file that cost no label
  /// - Throws: `DataError`; other coloured pictures, values above 255 and JPEG files are refused.
  public init(
    contentsOf path: String, palette: Palette? = nil, notices: Notices = Notices()
  ) throws(DataError) {
    let file = try MappedFile(path: path)
    self = try LabelMask(file.bytes, path: path, palette: palette, notices: notices)
  }

  /// Reads labels from a PNG file.
  /// - Throws: `DataError`, see `init(contentsOf:palette:notices:)` with a path.
  public init(
    contentsOf url: URL, palette: Palette? = nil, notices: Notices = Notices()
  ) throws(DataError) {
    try self.init(contentsOf: url.path, palette: palette, notices: notices)
  }

  /// Decodes the bytes of a PNG file; `name` stands for the file in messages.
  /// - Throws: `DataError`, see `init(contentsOf:palette:notices:)`.
  public init(
    decoding bytes: [UInt8], name: String = "mask", palette: Palette? = nil, notices: Notices = Notices()
  ) throws(DataError) {
    self = try bytes.decoded { (bytes) throws(DataError) in
      try LabelMask(bytes, path: name, palette: palette, notices: notices)
    }
  }

  private init(
    _ bytes: UnsafeRawBufferPointer, path: String, palette: Palette?, notices: Notices
  ) throws(DataError) {
    guard try FileFormat(contents: bytes, path: path) == .png else {
      throw DataError(
        .unsupported, file: path, expected: "labels: a PNG file",
        found: "a JPEG picture, whose compression changes labels")
    }
    self = try PNG.mask(bytes, palette: palette, path: path, notices: notices)
  }

  /// Writes a PNG file: indexed with the colours of `palette`, or grey without. The labels are what is
  /// read again, whatever the palette; one too short is filled up with black.
  /// - Throws: `DataError`; also for an extension other than png.
  public func write(to path: String, palette: Palette? = nil) throws(DataError) {
    guard try FileFormat(extensionOf: path) == .png else {
      throw DataError(
        .invalidArgument, file: path, item: "extension", expected: "png for a mask",
        found: "jpeg, whose compression changes labels")
    }
    try AtomicFile.write(encoded(palette: palette, name: path), to: path)
  }

  /// The bytes of a PNG file, see `write(to:palette:)`.
  /// - Throws: `DataError` when libpng fails.
  public func encoded(palette: Palette? = nil, name: String = "mask") throws(DataError) -> [UInt8] {
    try PNG.encode(self, palette: palette, path: name)
  }
}

extension Palette {
  /// The colours of an indexed PNG file; nil when the file is not indexed.
  /// - Throws: `DataError` when it is no sound PNG file.
  public init?(contentsOf path: String) throws(DataError) {
    let file = try MappedFile(path: path)
    guard try FileFormat(contents: file.bytes, path: path) == .png,
      let palette = try PNG.palette(file.bytes, path: path)
    else { return nil }
    self = palette
  }
}
