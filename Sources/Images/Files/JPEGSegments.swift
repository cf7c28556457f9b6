/// The parts of a JPEG file before its first scan that tell about the picture.
///
/// Source: ITU-T T.81, annex B; EXIF 2.32, section 4.7; XMP Specification, part 3; CIPA DC-007 (MPF).
struct JPEGSegments {
  private(set) var exif: [Slice<UnsafeRawBufferPointer>] = []
  private(set) var xmp: [Slice<UnsafeRawBufferPointer>] = []
  /// Whether the file says that other pictures follow its first.
  private(set) var announcesMorePictures = false

  init(_ bytes: UnsafeRawBufferPointer) {
    var position = 2
    while position + 4 <= bytes.count {
      let marker = bytes[position + 1]
      guard bytes[position] == 0xFF, marker != 0xFF else {
        position += 1
        continue
      }
      // Without a length: stuffing, TEM, restarts, the start of an image.
      if marker <= 0x01 || (0xD0...0xD8).contains(marker) {
        position += 2
        continue
      }
      // The end, or a scan.
      if marker == 0xD9 || marker == 0xDA { return }
      let length = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
      guard length >= 2, position + 2 + length <= bytes.count else { return }
      take(marker, bytes[position + 4..<position + 2 + length])
      position += 2 + length
    }
  }

  private mutating func take(_ marker: UInt8, _ content: Slice<UnsafeRawBufferPointer>) {
    func contentAfter(_ name: String) -> Slice<UnsafeRawBufferPointer>? {
      content.starts(with: name.utf8) ? content.dropFirst(name.utf8.count) : nil
    }
    switch marker {
    case 0xE1:
      // The byte after the zero is for padding, and has any value.
      if let data = contentAfter("Exif\0") {
        exif.append(data.dropFirst())
      } else if let data = contentAfter("http://ns.adobe.com/xap/1.0/\0") {
        xmp.append(data)
      }
    case 0xE2: announcesMorePictures = announcesMorePictures || contentAfter("MPF\0") != nil
    default: break
    }
  }
}

extension JPEG {
  /// What the file says about which side of its picture is up.
  static func orientation(_ bytes: UnsafeRawBufferPointer) -> StoredOrientation {
    let segments = JPEGSegments(bytes)
    return EXIF.orientation(exif: segments.exif, xmp: segments.xmp)
  }
}
