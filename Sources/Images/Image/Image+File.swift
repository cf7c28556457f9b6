import Foundation
import TensorCore

extension Image {
  /// Reads a PNG or JPEG file, told apart by content and not by name.
  ///
  /// Alpha is dropped, 16-bit samples are scaled by 1/257 and rounded, and neither colour profiles nor
  /// orientation tags are applied.
  /// - Throws: `DataError` that names the file and what is wrong with it; also for a picture of more
  ///   than `maximumPixelCount` pixels.
  public init(contentsOf path: String) throws(DataError) {
    let file = try MappedFile(path: path)
    switch try FileFormat(contents: file.bytes, path: path) {
    case .png: self = try PNG.image(file.bytes, path: path)
    case .jpeg: self = try JPEG.image(file.bytes, path: path)
    }
  }

  /// Reads a PNG or JPEG file.
  /// - Throws: `DataError`, see `init(contentsOf:)` with a path.
  public init(contentsOf url: URL) throws(DataError) {
    try self.init(contentsOf: url.path)
  }

  /// Decodes the bytes of a PNG or JPEG file; `name` stands for the file in error messages.
  /// - Throws: `DataError`, see `init(contentsOf:)`.
  public init(decoding bytes: [UInt8], name: String = "picture") throws(DataError) {
    self = try bytes.decoded { (bytes) throws(DataError) in
      switch try FileFormat(contents: bytes, path: name) {
      case .png: try PNG.image(bytes, path: name)
      case .jpeg: try JPEG.image(bytes, path: name)
      }
    }
  }

  /// Writes a PNG or JPEG file, whichever the extension says; the file is complete or not there.
  /// - Parameter quality: of JPEG, 1...100. Chroma is not subsampled.
  /// - Throws: `DataError`.
  public func write(to path: String, quality: Int = 95) throws(DataError) {
    try AtomicFile.write(encoded(FileFormat(extensionOf: path), quality: quality, name: path), to: path)
  }

  /// The bytes of a PNG or JPEG file; `name` stands for it in error messages.
  /// - Parameter quality: of JPEG, 1...100.
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
