import Base

/// The table of contents of a zip file, ZIP64 included, and access to its entries.
///
/// Nothing that the file says about itself is believed: every offset and size is checked against the
/// file before it is used. Source: PKWARE, "APPNOTE.TXT", version 6.3.10.
struct ZipArchive: Sendable {
  struct Entry: Sendable {
    var name: String
    var method: UInt16
    var crc: UInt32
    var compressedSize: Int
    var size: Int
    /// Where its local header begins.
    var headerOffset: Int
    /// Sizes and checksum follow the data instead of standing in the local header.
    var hasDataDescriptor: Bool
  }

  /// The two methods that this library reads.
  enum Method {
    static let stored: UInt16 = 0
    static let deflated: UInt16 = 8
  }

  enum Signature {
    static let localHeader: UInt32 = 0x0403_4B50
    static let directoryEntry: UInt32 = 0x0201_4B50
    static let endOfDirectory: UInt32 = 0x0605_4B50
    static let endOfDirectory64: UInt32 = 0x0606_4B50
    static let locator64: UInt32 = 0x0706_4B50
  }

  let file: String
  /// In the order of the directory. No two have the same name.
  let entries: [Entry]
  private let positions: [String: Int]
  private let region: ByteRegion

  /// Reads the directory.
  /// - Throws: `DataError` when the file is no zip file or its directory is damaged.
  init(_ file: MappedFile) throws(DataError) {
    self.file = file.path
    region = ByteRegion(file)
    entries = try ZipDirectory.entries(of: region, file: file.path)
    var positions: [String: Int] = [:]
    for (position, entry) in entries.enumerated() {
      guard positions.updateValue(position, forKey: entry.name) == nil else {
        throw DataError(
          .malformed, file: file.path, item: entry.name, expected: "each name once in the zip directory",
          found: "it twice")
      }
    }
    self.positions = positions
  }

  subscript(name: String) -> Entry? { positions[name].map { entries[$0] } }

  /// The bytes of an entry as they lie in the file, compressed or not.
  /// - Throws: `DataError` when the local header contradicts the directory or the data lie outside the file.
  func rawBytes(of entry: Entry) throws(DataError) -> ByteRegion {
    let dataOffset = try region.withBytes { (bytes) throws(DataError) -> Int in
      var reader = ByteReader(bytes, at: entry.headerOffset)
      guard entry.headerOffset <= bytes.count,
        let signature = reader.read(UInt32.self), signature == Signature.localHeader,
        reader.skip(count: 4), let method = reader.read(UInt16.self), reader.skip(count: 8),
        let compressedSize = reader.read(UInt32.self), let size = reader.read(UInt32.self),
        let nameLength = reader.read(UInt16.self), let extraLength = reader.read(UInt16.self),
        let name = reader.read(count: Int(nameLength)), reader.skip(count: Int(extraLength))
      else {
        throw malformed(entry, expected: "a local header at byte \(entry.headerOffset)", found: "none")
      }
      let sizesAgree =
        entry.hasDataDescriptor
        || (Self.agrees(compressedSize, entry.compressedSize) && Self.agrees(size, entry.size))
      guard method == entry.method, sizesAgree, name.elementsEqual(entry.name.utf8) else {
        throw malformed(
          entry, expected: "the local header to repeat the directory", found: "another name, method or size")
      }
      return reader.position
    }
    guard let data = region.slice(offset: dataOffset, count: entry.compressedSize) else {
      throw malformed(
        entry, expected: "\(entry.compressedSize) bytes at byte \(dataOffset)",
        found: "a file of \(region.count) bytes")
    }
    return data
  }

  /// The bytes of an uncompressed entry, in place. The checksum is not looked at: that would read
  /// them all, and some writers leave it out.
  /// - Throws: `DataError` when the entry is compressed or damaged.
  func storedBytes(of entry: Entry) throws(DataError) -> ByteRegion {
    guard entry.method == Method.stored else {
      throw DataError(
        .unsupported, file: file, item: entry.name, expected: "an uncompressed zip entry",
        found: "compression method \(entry.method)")
    }
    guard entry.size == entry.compressedSize else {
      throw malformed(
        entry, expected: "equal sizes for an uncompressed entry",
        found: "\(entry.compressedSize) bytes stored for \(entry.size)")
    }
    return try rawBytes(of: entry)
  }

  /// The content of an entry, inflated if need be, with its checksum verified.
  /// - Throws: `DataError` when the entry is damaged or compressed by another method.
  func contents(of entry: Entry) throws(DataError) -> ByteRegion {
    let content =
      entry.method == Method.deflated
      ? try Inflater.inflate(rawBytes(of: entry), size: entry.size, file: file, item: entry.name)
      : try storedBytes(of: entry)
    let crc = content.withBytes { Checksum.crc32(of: $0) }
    guard crc == entry.crc else {
      throw malformed(
        entry, expected: "checksum \(String(entry.crc, radix: 16))", found: String(crc, radix: 16))
    }
    return content
  }

  /// The first bytes of an entry, at most `count`, inflated if need be.
  /// - Throws: `DataError` when the entry is damaged or compressed by another method.
  func beginning(of entry: Entry, count: Int) throws(DataError) -> ByteRegion {
    if entry.method == Method.deflated {
      return try Inflater.inflate(
        rawBytes(of: entry), size: min(entry.size, count), isBeginning: true, file: file, item: entry.name)
    }
    let stored = try storedBytes(of: entry)
    return stored.slice(offset: 0, count: min(stored.count, count)) ?? stored
  }

  /// A size in a local header says the same as the directory, or that it stands in a ZIP64 field.
  private static func agrees(_ local: UInt32, _ size: Int) -> Bool {
    local == .max || Int(local) == size
  }

  private func malformed(_ entry: Entry, expected: String, found: String) -> DataError {
    DataError(.malformed, file: file, item: entry.name, expected: expected, found: found)
  }
}
