import Base

/// Reads the directory at the end of a zip file.
enum ZipDirectory {
  private static let endSize = 22
  private static let locatorSize = 20
  private static let smallestEntrySize = 46
  private static let extraField64: UInt16 = 1

  /// All entries in the order of the directory.
  static func entries(of region: ByteRegion, file: String) throws(DataError) -> [ZipArchive.Entry] {
    try region.withBytes { (bytes) throws(DataError) in
      guard let place = try locate(in: bytes, file: file) else {
        throw DataError(
          .malformed, file: file, expected: "a complete zip file",
          found: "no zip directory at the end (a download cut short?)")
      }
      guard let directory = region.slice(offset: place.offset, count: place.size),
        place.count <= place.size / smallestEntrySize
      else {
        throw DataError(
          .malformed, file: file, item: "zip directory",
          expected: "a place inside the file of \(bytes.count) bytes",
          found: "\(place.count) entries in \(place.size) bytes at byte \(place.offset)")
      }
      return try directory.withBytes { (bytes) throws(DataError) in
        var reader = ByteReader(bytes)
        var entries: [ZipArchive.Entry] = []
        entries.reserveCapacity(place.count)
        for number in 0..<place.count {
          guard let entry = try readEntry(&reader, file: file) else {
            throw DataError(
              .malformed, file: file, item: "zip directory", expected: "\(place.count) entries",
              found: "a damaged one after \(number)")
          }
          entries.append(entry)
        }
        return entries
      }
    }
  }

  private struct Place {
    var offset: Int
    var size: Int
    var count: Int
  }

  /// Finds the end record, which a comment of up to 65,535 bytes may follow.
  private static func locate(in bytes: UnsafeRawBufferPointer, file: String) throws(DataError) -> Place? {
    var position = bytes.count - endSize
    let lowest = max(position - Int(UInt16.max), 0)
    while position >= lowest {
      defer { position -= 1 }
      var reader = ByteReader(bytes, at: position)
      guard reader.read(UInt32.self) == ZipArchive.Signature.endOfDirectory,
        let disk = reader.read(UInt16.self), let directoryDisk = reader.read(UInt16.self),
        reader.skip(count: 2), let count = reader.read(UInt16.self), let size = reader.read(UInt32.self),
        let offset = reader.read(UInt32.self), let commentLength = reader.read(UInt16.self),
        reader.remaining == Int(commentLength)
      else { continue }
      if let place = try locate64(in: bytes, before: position, file: file) { return place }
      guard disk == 0, directoryDisk == 0 else {
        throw DataError(.unsupported, file: file, expected: "a zip file in one part", found: "disk \(disk)")
      }
      return Place(offset: Int(offset), size: Int(size), count: Int(count))
    }
    return nil
  }

  /// The ZIP64 end record, if the end record at `position` has a locator before it.
  private static func locate64(
    in bytes: UnsafeRawBufferPointer, before position: Int, file: String
  ) throws(DataError) -> Place? {
    guard position >= locatorSize else { return nil }
    var locator = ByteReader(bytes, at: position - locatorSize)
    guard locator.read(UInt32.self) == ZipArchive.Signature.locator64, locator.skip(count: 4),
      let offset = locator.read(UInt64.self)
    else { return nil }
    var reader = ByteReader(bytes, at: Int(clamping: offset))
    guard reader.read(UInt32.self) == ZipArchive.Signature.endOfDirectory64, reader.skip(count: 28),
      let count = reader.read(UInt64.self), let size = reader.read(UInt64.self),
      let start = reader.read(UInt64.self)
    else {
      throw DataError(
        .malformed, file: file, item: "zip directory", expected: "a ZIP64 end record at byte \(offset)",
        found: "none")
    }
    return Place(offset: Int(clamping: start), size: Int(clamping: size), count: Int(clamping: count))
  }

  /// The next entry; nil where it is cut short.
  private static func readEntry(
    _ reader: inout ByteReader, file: String
  ) throws(DataError) -> ZipArchive.Entry? {
    guard reader.read(UInt32.self) == ZipArchive.Signature.directoryEntry, reader.skip(count: 4),
      let flags = reader.read(UInt16.self), let method = reader.read(UInt16.self), reader.skip(count: 4),
      let crc = reader.read(UInt32.self), let compressedSize = reader.read(UInt32.self),
      let size = reader.read(UInt32.self), let nameLength = reader.read(UInt16.self),
      let extraLength = reader.read(UInt16.self), let commentLength = reader.read(UInt16.self),
      reader.skip(count: 8), let offset = reader.read(UInt32.self),
      let nameBytes = reader.read(count: Int(nameLength)), let name = String(validUTF8: nameBytes),
      let extra = reader.read(count: Int(extraLength)), reader.skip(count: Int(commentLength))
    else { return nil }
    guard flags & 1 == 0 else {
      throw DataError(
        .unsupported, file: file, item: name, expected: "a zip entry that anybody can read",
        found: "an encrypted one")
    }
    var entry = ZipArchive.Entry(
      name: name, method: method, crc: crc, compressedSize: Int(compressedSize), size: Int(size),
      headerOffset: Int(offset), hasDataDescriptor: flags & 8 != 0)
    // Fields that are too small for their number hold all ones, and the numbers follow in this order.
    let isWide = (size: size == .max, compressedSize: compressedSize == .max, offset: offset == .max)
    if isWide.size || isWide.compressedSize || isWide.offset {
      guard var wide = extraField(extraField64, in: extra) else { return nil }
      if isWide.size {
        guard let value = wide.read(UInt64.self) else { return nil }
        entry.size = Int(clamping: value)
      }
      if isWide.compressedSize {
        guard let value = wide.read(UInt64.self) else { return nil }
        entry.compressedSize = Int(clamping: value)
      }
      if isWide.offset {
        guard let value = wide.read(UInt64.self) else { return nil }
        entry.headerOffset = Int(clamping: value)
      }
    }
    return entry
  }

  private static func extraField(_ wanted: UInt16, in extra: UnsafeRawBufferPointer) -> ByteReader? {
    var reader = ByteReader(extra)
    while let kind = reader.read(UInt16.self), let length = reader.read(UInt16.self),
      let content = reader.read(count: Int(length))
    {
      if kind == wanted { return ByteReader(content) }
    }
    return nil
  }
}
