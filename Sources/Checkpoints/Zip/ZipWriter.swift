import Base

/// Writes a zip file of uncompressed entries, with ZIP64 fields where sizes need them.
///
/// The same entries always give the same bytes: dates are the earliest that the format has.
struct ZipWriter: ~Copyable {
  private let output: AtomicFile
  private var position = 0
  private var directory: [UInt8] = []
  private var count = 0

  init(path: String) throws(DataError) {
    output = try AtomicFile(path: path)
  }

  /// Appends an entry.
  /// - Precondition: the name has at most 65,535 bytes.
  mutating func append(_ name: String, parts: [UnsafeRawBufferPointer]) throws(DataError) {
    let size = parts.reduce(0) { $0 + $1.count }
    let crc = parts.reduce(UInt32(0)) { Checksum.crc32(of: $1, startingWith: $0) }
    let isWide = size >= Int(UInt32.max) || position >= Int(UInt32.max)
    let name = Array(name.utf8)
    precondition(name.count <= Int(UInt16.max), "the name of a zip entry has \(name.count) bytes")
    let shortSize = isWide ? UInt32.max : UInt32(size)

    var header: [UInt8] = []
    header.append(littleEndian: ZipArchive.Signature.localHeader)
    header.appendCommonFields(isWide: isWide, crc: crc, size: shortSize, nameLength: name.count)
    header.append(littleEndian: UInt16(isWide ? 20 : 0))
    header += name
    if isWide { header.appendZip64Field([size, size]) }

    directory.append(littleEndian: ZipArchive.Signature.directoryEntry)
    directory.append(littleEndian: Field.version(isWide: isWide))
    directory.appendCommonFields(isWide: isWide, crc: crc, size: shortSize, nameLength: name.count)
    directory.append(littleEndian: UInt16(isWide ? 28 : 0))
    directory += [UInt8](repeating: 0, count: 10)
    directory.append(littleEndian: isWide ? UInt32.max : UInt32(position))
    directory += name
    if isWide { directory.appendZip64Field([size, size, position]) }

    try output.write(header)
    for part in parts { try output.write(part) }
    position += header.count + size
    count += 1
  }

  /// Writes the directory and gives the file its name.
  consuming func commit() throws(DataError) {
    var end: [UInt8] = []
    if count >= Int(UInt16.max) || position >= Int(UInt32.max) || directory.count >= Int(UInt32.max) {
      let end64 = position + directory.count
      end.append(littleEndian: ZipArchive.Signature.endOfDirectory64)
      end.append(littleEndian: UInt64(44))
      end.append(littleEndian: Field.version(isWide: true))
      end.append(littleEndian: Field.version(isWide: true))
      end.append(littleEndian: UInt64(0))
      end.append(littleEndian: UInt64(count))
      end.append(littleEndian: UInt64(count))
      end.append(littleEndian: UInt64(directory.count))
      end.append(littleEndian: UInt64(position))
      end.append(littleEndian: ZipArchive.Signature.locator64)
      end.append(littleEndian: UInt32(0))
      end.append(littleEndian: UInt64(end64))
      end.append(littleEndian: UInt32(1))
    }
    end.append(littleEndian: ZipArchive.Signature.endOfDirectory)
    end.append(littleEndian: UInt32(0))
    end.append(littleEndian: UInt16(clamping: count))
    end.append(littleEndian: UInt16(clamping: count))
    end.append(littleEndian: UInt32(clamping: directory.count))
    end.append(littleEndian: UInt32(clamping: position))
    end.append(littleEndian: UInt16(0))
    try output.write(directory)
    try output.write(end)
    try output.commit()
  }
}

/// Values of header fields that are the same in every entry.
private enum Field {
  /// The names are UTF-8.
  static let flags: UInt16 = 1 << 11
  static let time: UInt16 = 0
  /// 1 January 1980.
  static let date: UInt16 = 1 << 5 | 1

  /// Version of the specification that a reader needs, times ten.
  static func version(isWide: Bool) -> UInt16 { isWide ? 45 : 20 }
}

extension [UInt8] {
  /// Appends the bytes of a number.
  mutating func append<Number: FixedWidthInteger>(littleEndian number: Number) {
    Swift.withUnsafeBytes(of: number.littleEndian) { self += $0 }
  }

  /// The fields that local header and directory entry share, from the version to the name's length.
  fileprivate mutating func appendCommonFields(isWide: Bool, crc: UInt32, size: UInt32, nameLength: Int) {
    append(littleEndian: Field.version(isWide: isWide))
    append(littleEndian: Field.flags)
    append(littleEndian: ZipArchive.Method.stored)
    append(littleEndian: Field.time)
    append(littleEndian: Field.date)
    append(littleEndian: crc)
    append(littleEndian: size)
    append(littleEndian: size)
    append(littleEndian: UInt16(nameLength))
  }

  fileprivate mutating func appendZip64Field(_ numbers: [Int]) {
    append(littleEndian: UInt16(1))
    append(littleEndian: UInt16(numbers.count * 8))
    for number in numbers { append(littleEndian: UInt64(number)) }
  }
}
