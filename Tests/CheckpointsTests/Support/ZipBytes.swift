/// A zip file put together by hand, so that every field can lie.
struct ZipBytes {
  struct Entry {
    var name: String
    var data: [UInt8]
    var method: UInt16 = 0
    var flags: UInt16 = 0
    var crc: UInt32
    /// What the directory says, when it is not the truth.
    var size: Int
    var compressedSize: Int
    var offset: Int?
    /// What the local header says, when it is not what the directory says.
    var localSize: Int?
    /// Name in the local header.
    var localName: String
    /// The directory gives sizes and offset in a ZIP64 field.
    var isZip64 = false

    init(_ name: String, _ data: [UInt8], crc: UInt32? = nil) {
      self.name = name
      self.data = data
      localName = name
      size = data.count
      compressedSize = data.count
      self.crc = crc ?? Self.crc32(data)
    }

    /// CRC-32 by its definition, bit by bit.
    static func crc32(_ bytes: [UInt8]) -> UInt32 {
      var crc = UInt32.max
      for byte in bytes {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 0 ? crc >> 1 : crc >> 1 ^ 0xEDB8_8320 }
      }
      return ~crc
    }
  }

  var entries: [Entry] = []
  /// What the end record says, when it is not the truth.
  var count: Int?
  var directoryOffset: Int?
  var directorySize: Int?
  var hasEndRecord64 = false
  var comment: [UInt8] = []
  /// Of the data; PyTorch pads the local header with an extra field.
  var alignment = 64

  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    var directory: [UInt8] = []
    for entry in entries {
      let offset = entry.offset ?? bytes.count
      bytes.append(UInt32(0x0403_4B50))
      bytes += commonFields(entry, isLocal: true, nameLength: entry.localName.utf8.count)
      let end = bytes.count + 2 + entry.localName.utf8.count + 4
      let padding = (alignment - end % alignment) % alignment
      bytes.append(UInt16(4 + padding))
      bytes += entry.localName.utf8
      bytes.append(UInt16(0x4246))
      bytes.append(UInt16(padding))
      bytes += [UInt8](repeating: UInt8(ascii: "Z"), count: padding)
      bytes += entry.data
      directory.append(UInt32(0x0201_4B50))
      directory.append(UInt16(20))
      directory += commonFields(entry, isLocal: false, nameLength: entry.name.utf8.count)
      directory.append(UInt16(entry.isZip64 ? 28 : 0))
      directory += [UInt8](repeating: 0, count: 10)
      directory.append(entry.isZip64 ? UInt32.max : UInt32(truncatingIfNeeded: offset))
      directory += entry.name.utf8
      if entry.isZip64 {
        directory.append(UInt16(1))
        directory.append(UInt16(24))
        for number in [entry.size, entry.compressedSize, offset] {
          directory.append(UInt64(bitPattern: Int64(number)))
        }
      }
    }
    let start = directoryOffset ?? bytes.count
    let end64 = bytes.count + directory.count
    bytes += directory
    let size = directorySize ?? directory.count
    let number = count ?? entries.count
    if hasEndRecord64 {
      bytes.append(UInt32(0x0606_4B50))
      bytes.append(UInt64(44))
      bytes.append(UInt32(0x002D_002D))
      bytes.append(UInt64(0))
      for value in [number, number, size, start] { bytes.append(UInt64(bitPattern: Int64(value))) }
      bytes.append(UInt32(0x0706_4B50))
      bytes.append(UInt32(0))
      bytes.append(UInt64(end64))
      bytes.append(UInt32(1))
    }
    bytes.append(UInt32(0x0605_4B50))
    bytes.append(UInt32(0))
    bytes.append(hasEndRecord64 ? UInt16.max : UInt16(truncatingIfNeeded: number))
    bytes.append(hasEndRecord64 ? UInt16.max : UInt16(truncatingIfNeeded: number))
    bytes.append(hasEndRecord64 ? UInt32.max : UInt32(truncatingIfNeeded: size))
    bytes.append(hasEndRecord64 ? UInt32.max : UInt32(truncatingIfNeeded: start))
    bytes.append(UInt16(comment.count))
    return bytes + comment
  }

  private func commonFields(_ entry: Entry, isLocal: Bool, nameLength: Int) -> [UInt8] {
    let isZip64 = entry.isZip64 && !isLocal
    var bytes: [UInt8] = []
    bytes.append(UInt16(20))
    bytes.append(entry.flags)
    bytes.append(entry.method)
    bytes.append(UInt32(0))
    bytes.append(entry.crc)
    bytes.append(isZip64 ? UInt32.max : UInt32(truncatingIfNeeded: entry.compressedSize))
    bytes.append(
      isZip64 ? UInt32.max : UInt32(truncatingIfNeeded: isLocal ? entry.localSize ?? entry.size : entry.size))
    bytes.append(UInt16(nameLength))
    return bytes
  }
}
