/// A cursor over bytes of a file. Every read answers nil where the bytes end.
struct ByteReader {
  private let bytes: UnsafeRawBufferPointer
  private(set) var position: Int

  init(_ bytes: UnsafeRawBufferPointer, at position: Int = 0) {
    self.bytes = bytes
    self.position = min(max(position, 0), bytes.count)
  }

  var remaining: Int { bytes.count - position }

  mutating func readByte() -> UInt8? {
    guard position < bytes.count else { return nil }
    defer { position += 1 }
    return bytes[position]
  }

  /// The next byte, which stays unread.
  func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

  /// A little-endian integer.
  mutating func read<Number: FixedWidthInteger & BitwiseCopyable>(_ type: Number.Type = Number.self)
    -> Number?
  {
    guard let part = read(count: MemoryLayout<Number>.size) else { return nil }
    return Number(littleEndian: part.loadUnaligned(as: Number.self))
  }

  /// The next `count` bytes, which may be any number at all.
  mutating func read(count: Int) -> UnsafeRawBufferPointer? {
    guard count >= 0, count <= remaining else { return nil }
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
  }

  /// The bytes before the next line feed, which is skipped. Nil where none comes within `limit` bytes.
  mutating func readLine(limit: Int) -> UnsafeRawBufferPointer? {
    let rest = bytes[position..<min(bytes.count, position + min(limit, remaining))]
    guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    defer { position = end + 1 }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<end])
  }

  mutating func skip(count: Int) -> Bool { read(count: count) != nil }
}

extension String {
  /// Text from a file; nil where it is not UTF-8.
  init?(validUTF8 bytes: UnsafeRawBufferPointer) {
    self.init(validating: bytes, as: UTF8.self)
  }
}
