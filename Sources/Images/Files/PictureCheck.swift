import Base
import Foundation

/// A look at a picture's file without decoding it.
package struct PictureCheck {
  /// Size of the file.
  package let byteCount: Int
  /// Whether it begins and ends as PNG and JPEG files do, or is a TIFF file with sound directories. One that does not may be sound all the same (with bytes after
  /// its end); one that does may be damaged in its middle. Decoding tells.
  package let looksWhole: Bool

  private static let png: (start: [UInt8], end: [UInt8]) = (
    [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A],
    // An empty IEND chunk with its checksum.
    [0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82]
  )
  private static let jpeg: (start: [UInt8], end: [UInt8]) = ([0xFF, 0xD8, 0xFF], [0xFF, 0xD9])

  /// - Throws: `DataError` of kind `.noInput` when there is no such file.
  package init(_ path: String) throws(DataError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw DataError(
        .noInput, file: path, expected: "a readable file", found: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw DataError(.noInput, file: path, expected: "a regular file", found: "a folder or a device")
    }
    let size = Int(status.st_size)
    byteCount = size
    func holds(_ bytes: [UInt8], at offset: Int) -> Bool {
      guard offset >= 0, offset + bytes.count <= size else { return false }
      var found = [UInt8](repeating: 0, count: bytes.count)
      return pread(descriptor, &found, found.count, off_t(offset)) == found.count && found == bytes
    }
    if holds([0x49, 0x49], at: 0) || holds([0x4D, 0x4D], at: 0) {
      let file = try MappedFile(path: path, descriptor: descriptor)
      looksWhole = (try? TIFFDirectories(file.bytes, path: path)) != nil
    } else {
      looksWhole = [Self.png, Self.jpeg].contains {
        holds($0.start, at: 0) && holds($0.end, at: size - $0.end.count)
      }
    }
  }
}
