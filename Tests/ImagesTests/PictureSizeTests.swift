import Base
import Images
import TestSupport
import Testing

struct PictureHeaderTests {
  /// Sizes of all formats are those of the pictures.
  @Test(arguments: ["png", "jpg", "tif"])
  func sizeIsThatOfThePicture(_ ending: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.\(ending)")
    let image = Image(width: 31, height: 7, color: RGB(1, 2, 3))
    if ending == "tif" {
      var writer = try TIFFWriter(path: path, width: 31, height: 7, kind: .rgb)
      try writer.append(image.pixels)
      try writer.finish()
    } else {
      try image.write(to: path)
    }
    let size = try Image.size(ofFile: path)
    #expect(size.width == 31 && size.height == 7)
    #expect(throws: DataError.self) { try Image.size(ofFile: folder.path("b.png")) }
  }

  /// A picture that lies on its side is turned, as it is when it is read.
  @Test(arguments: 1...8)
  func sizeIsThatOfTheTurnedPicture(_ orientation: Int) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.jpg")
    let plain = try Image(width: 31, height: 7).encoded(.jpeg)
    try AtomicFile.write(plain.withOrientation(UInt8(orientation)), to: path)
    let (read, size) = (try Image(contentsOf: path), try Image.size(ofFile: path))
    #expect(size.width == read.width && size.height == read.height && (size.width == 31) == (orientation < 5))
    let stored = try Image.size(ofFile: path, orientation: .ignore)
    #expect(stored.width == 31 && stored.height == 7)
  }
}

extension [UInt8] {
  /// A JPEG file with an EXIF segment that says its orientation.
  fileprivate func withOrientation(_ value: UInt8) -> [UInt8] {
    let exif: [UInt8] =
      Array("Exif\0\0MM\0*".utf8) + [0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0, 0, 0, 0, 0]
    return Array(prefix(2)) + [0xFF, 0xE1, 0, UInt8(exif.count + 2)] + exif + dropFirst(2)
  }
}
