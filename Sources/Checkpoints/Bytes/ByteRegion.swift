import Base

/// Bytes that lie in a mapped file, or were inflated from one, with what keeps them in memory.
struct ByteRegion: Sendable {
  private nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
  /// Keeps the bytes alive.
  let owner: AnyObject & Sendable

  var count: Int { bytes.count }

  /// The whole of a file.
  init(_ file: MappedFile) {
    bytes = file.bytes
    owner = file
  }

  /// - Precondition: `owner` keeps `bytes` alive, and nobody writes them.
  init(_ bytes: UnsafeRawBufferPointer, owner: AnyObject & Sendable) {
    self.bytes = bytes
    self.owner = owner
  }

  /// A part of the region, or nil where it would reach outside. Offsets may be any number at all.
  func slice(offset: Int, count: Int) -> ByteRegion? {
    guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else { return nil }
    return ByteRegion(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]), owner: owner)
  }

  /// The bytes, valid during the call.
  @inline(__always)
  func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(owner) {} }
    return try body(bytes)
  }
}
