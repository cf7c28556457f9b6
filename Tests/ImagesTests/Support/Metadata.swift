/// Pieces of metadata for tests.
enum Metadata {
  /// A TIFF structure of two entries, the second with the orientation.
  static func tiff(orientation: Int, isLittleEndian: Bool = true, type: Int = 3, tag: Int = 0x112) -> [UInt8]
  {
    func number(_ value: Int, _ size: Int) -> [UInt8] {
      let bytes = (0..<size).map { UInt8(value >> (8 * $0) & 255) }
      return isLittleEndian ? bytes : bytes.reversed()
    }
    let size = [1: 1, 3: 2, 4: 4][type]!
    let value = number(orientation, size) + Array(repeating: 0, count: 4 - size)
    return (isLittleEndian ? Array("II".utf8) : Array("MM".utf8)) + number(42, 2) + number(8, 4)
      + number(2, 2)
      + number(0x10F, 2) + number(2, 2) + number(4, 4) + Array("abc\0".utf8)
      + number(tag, 2) + number(type, 2) + number(1, 4) + value + number(0, 4)
  }

  static func exif(_ tiff: [UInt8]) -> [UInt8] { segment(0xE1, Array("Exif\0\0".utf8) + tiff) }

  static func xmp(orientation: Int) -> [UInt8] {
    let text = "<x:xmpmeta><rdf:Description tiff:Orientation=\"\(orientation)\"/></x:xmpmeta>"
    return segment(0xE1, Array("http://ns.adobe.com/xap/1.0/\0\(text)".utf8))
  }

  /// A JPEG segment with its length.
  static func segment(_ marker: UInt8, _ content: [UInt8]) -> [UInt8] {
    [0xFF, marker, UInt8((content.count + 2) >> 8), UInt8((content.count + 2) & 255)] + content
  }

  /// A JPEG file with segments after its first marker.
  static func jpeg(_ file: [UInt8], with segments: [UInt8]...) -> [UInt8] {
    Array(file[0..<2]) + segments.joined() + file[2...]
  }
}
