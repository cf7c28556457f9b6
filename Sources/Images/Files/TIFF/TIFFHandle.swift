import Base
import CTIFF

/// A TIFF file in memory, open for decoding; one thread at a time.
final class TIFFHandle {
  let path: String
  private let file: UnsafeMutablePointer<dseg_tiff_file>
  private let bytes: UnsafeRawBufferPointer

  /// Most memory that libtiff takes at once, for its own lists and buffers.
  private static let mostMemory: UInt64 = 1 << 30

  /// - Parameter bytes: must stay where they are as long as this lives
  /// - Throws: `DataError` when the header is damaged.
  init(_ bytes: UnsafeRawBufferPointer, path: String) throws(DataError) {
    self.path = path
    self.bytes = bytes
    guard
      let file = dseg_tiff_open(
        bytes.bindMemory(to: UInt8.self).baseAddress, UInt64(bytes.count), Self.mostMemory)
    else {
      throw DataError(.unsupported, file: path, expected: "memory to open it", found: "none")
    }
    self.file = file
    guard file.pointee.tiff != nil else { throw failure() }
  }

  deinit { dseg_tiff_close(file) }

  /// What is wrong, in libtiff's words.
  func failure(_ item: String = "") -> DataError {
    let text = withUnsafeBytes(of: file.pointee.error) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    return DataError(
      .malformed, file: path, item: item, expected: "a sound TIFF file",
      found: text.isEmpty ? "damaged data" : text)
  }

  /// Reads the directory at an offset, and checks what it says.
  /// - Throws: `DataError`, see `TIFFPage`.
  func page(at offset: UInt64, notices: Notices) throws(DataError) -> TIFFPage {
    var page = dseg_tiff_page()
    guard dseg_tiff_select(file, offset, &page) != 0 else { throw failure("directory") }
    if file.pointee.warning.0 != 0 {
      let text = withUnsafeBytes(of: file.pointee.warning) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      notices.add(.suspicious, file: path, "libtiff warns: \(text)")
    }
    return try TIFFPage(
      page, byteCount: bytes.count, makesColors: dseg_tiff_makes_rgba(file) != 0, path: path, notices: notices
    )
  }

  /// Decodes a row of a picture in strips; the rows come in order.
  func readRow(_ row: Int, into target: UnsafeMutableRawPointer) throws(DataError) {
    guard dseg_tiff_read_row(file, UInt32(row), target) != 0 else { throw failure("row \(row)") }
  }

  /// Decodes a strip or tile to so many bytes.
  func readChunk(_ index: Int, into target: UnsafeMutableRawBufferPointer) throws(DataError) {
    guard dseg_tiff_read_chunk(file, UInt32(index), target.baseAddress, UInt64(target.count)) != 0 else {
      throw failure("strip or tile \(index)")
    }
  }

  /// Decodes the strip or tile at a pixel to red, green, blue and alpha, the last row first.
  func readColors(x: Int, y: Int, into target: UnsafeMutablePointer<UInt32>) throws(DataError) {
    guard dseg_tiff_read_rgba(file, UInt32(x), UInt32(y), target) != 0 else { throw failure("row \(y)") }
  }
}
