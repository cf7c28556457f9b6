/// The parts of a PNG file beside its picture that tell about it.
///
/// Source: Portable Network Graphics, third edition (W3C 2025), sections 5.3 and 11.
struct PNGChunks {
  private(set) var exif: [Slice<UnsafeRawBufferPointer>] = []
  private(set) var xmp: [Slice<UnsafeRawBufferPointer>] = []
  /// Texts in Latin-1, with their keywords.
  private(set) var texts: [Slice<UnsafeRawBufferPointer>] = []
  /// Content of the chunk of transparency.
  private(set) var transparency: Slice<UnsafeRawBufferPointer>?
  private(set) var isAnimated = false
  /// Whether the first chunk is Apple's, which makes a file that only its own systems read.
  private(set) var isAppleVariant = false

  init(_ bytes: UnsafeRawBufferPointer) {
    var position = 8
    while position + 12 <= bytes.count {
      let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= bytes.count - position - 12 else { return }
      let content = bytes[position + 8..<position + 8 + length]
      switch String(decoding: bytes[position + 4..<position + 8], as: UTF8.self) {
      case "CgBI": isAppleVariant = true
      case "acTL": isAnimated = true
      case "tRNS": transparency = content
      case "eXIf": exif.append(content)
      case "tEXt": texts.append(content)
      case "iTXt":
        let name = "XML:com.adobe.xmp\0"
        if content.starts(with: name.utf8) { xmp.append(content.dropFirst(name.utf8.count)) }
      case "IEND": return
      default: break
      }
      position += 12 + length
    }
  }
}

extension PNG {
  /// What the file says about which side of its picture is up.
  static func orientation(_ bytes: UnsafeRawBufferPointer) -> StoredOrientation {
    let chunks = PNGChunks(bytes)
    return EXIF.orientation(exif: chunks.exif, xmp: chunks.xmp)
  }
}
