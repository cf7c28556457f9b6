import CZlib
import Foundation

/// How large a pixel is, in PNG files that this library writes.
///
/// The chunk for it, pHYs, is filled by most programs with the resolution of a screen or printer, so what is read is a
/// text beside it: `PixelSize`, `0.325 x 0.325 um`.
///
/// Source: Portable Network Graphics, third edition (W3C 2025), sections 11.3.3.2 and 11.3.4.3.
extension PNG {
  private static let keyword = "PixelSize"
  /// Signature and header.
  private static let headerEnd = 33

  /// A file with the size in it.
  /// - Parameter file: a PNG file without one
  static func adding(_ size: PixelSize, to file: [UInt8]) -> [UInt8] {
    var extra = chunk("tEXt", Array("\(keyword)\0\(size.x) x \(size.y) um".utf8))
    let perMetre = [1e6 / size.x, 1e6 / size.y].map { UInt32(exactly: $0.rounded()) ?? 0 }
    // Numbers of 31 bits.
    if perMetre.allSatisfy({ 1..<0x8000_0000 ~= $0 }) {
      extra += chunk("pHYs", perMetre.flatMap(bigEndian) + [1])
    }
    return Array(file[..<headerEnd]) + extra + file[headerEnd...]
  }

  /// The size that a file tells; nil for none.
  static func pixelSize(_ bytes: UnsafeRawBufferPointer) -> PixelSize? {
    let start = Array("\(keyword)\0".utf8)
    guard let text = PNGChunks(bytes).texts.first(where: { $0.starts(with: start) }) else { return nil }
    let words = String(decoding: text.dropFirst(start.count), as: UTF8.self).split(separator: " ")
    guard words.count == 4, words[1] == "x", words[3] == "um" else { return nil }
    return PixelSize(Double(words[0]), Double(words[2]))
  }

  private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
    let checked = Array(name.utf8) + content
    let sum = crc32(0, checked, uInt(checked.count))
    return bigEndian(UInt32(content.count)) + checked + bigEndian(UInt32(sum))
  }

  private static func bigEndian(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(value >> $0 & 255) }
  }
}
