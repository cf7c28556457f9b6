import CZlib

/// The checksum of zip entries.
enum Checksum {
  /// CRC-32 of `bytes`, continuing from `start`.
  static func crc32(of bytes: UnsafeRawBufferPointer, startingWith start: UInt32 = 0) -> UInt32 {
    // zlib takes a null pointer for a request to start anew.
    guard let base = bytes.baseAddress else { return start }
    return UInt32(
      truncatingIfNeeded: crc32_z(UInt(start), base.assumingMemoryBound(to: UInt8.self), bytes.count))
  }
}
