import Foundation
import TensorCore

extension LabelMask {
  /// Reads an indexed or grey PNG file of at most 8 bits a sample. Labels are the samples as stored:
  /// palette indices, or grey values that are not scaled. Alpha is dropped.
  /// - Throws: `DataError`; a coloured picture, a JPEG or 16-bit samples are refused.
  public init(contentsOf path: String) throws(DataError) {
    let file = try MappedFile(path: path)
    self = try LabelMask(file.bytes, path: path)
  }

  /// Reads an indexed or grey PNG file.
  /// - Throws: `DataError`, see `init(contentsOf:)` with a path.
  public init(contentsOf url: URL) throws(DataError) {
    try self.init(contentsOf: url.path)
  }

  /// Decodes the bytes of an indexed or grey PNG file; `name` stands for the file in error messages.
  /// - Throws: `DataError`, see `init(contentsOf:)`.
  public init(decoding bytes: [UInt8], name: String = "mask") throws(DataError) {
    self = try bytes.decoded { (bytes) throws(DataError) in try LabelMask(bytes, path: name) }
  }

  private init(_ bytes: UnsafeRawBufferPointer, path: String) throws(DataError) {
    guard try FileFormat(contents: bytes, path: path) == .png else {
      throw DataError(
        .unsupported, file: path, expected: "labels: an indexed or grey PNG",
        found: "a JPEG picture, whose compression changes labels")
    }
    self = try PNG.mask(bytes, path: path)
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
