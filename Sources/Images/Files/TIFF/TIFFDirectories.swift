import Base

/// The chain of directories of a TIFF file, one for each page, walked without reading what they describe.
///
/// Source: TIFF 6.0 (Adobe 1992), section 2; BigTIFF (AWare Systems 2007).
struct TIFFDirectories {
  /// Offsets of the directories of pages, without those of thumbnails and transparency masks.
  private(set) var pages: [UInt64] = []
  /// How many directories stand for smaller copies of pages, or masks of them.
  private(set) var others = 0

  /// - Throws: `DataError` of kind `.malformed` for a chain that leaves the file or goes round, and for a file without a
  ///   directory.
  init(_ bytes: UnsafeRawBufferPointer, path: String) throws(DataError) {
    func failure(_ found: String) -> DataError {
      DataError(.malformed, file: path, item: "directories", expected: "a sound TIFF file", found: found)
    }
    guard let layout = Layout(bytes) else { throw failure("a header that is cut off or damaged") }
    var seen = Set<UInt64>()
    var next = layout.first
    while next != 0 {
      guard seen.insert(next).inserted else {
        throw failure("a chain that comes back to its directory at byte \(next)")
      }
      guard let directory = layout.directory(at: next) else {
        throw failure("directory \(seen.count) at byte \(next), which is not whole")
      }
      if directory.isOther { others += 1 } else { pages.append(next) }
      next = directory.next
    }
    guard !pages.isEmpty else {
      throw failure(
        others > 0 ? "only smaller copies of a picture: the raw file of a camera?" : "no directory")
    }
  }

  /// Sizes of numbers and their order.
  private struct Layout {
    let bytes: UnsafeRawBufferPointer
    let isLittle: Bool
    let isBig: Bool
    var first: UInt64 { number(isBig ? 8 : 4, at: isBig ? 8 : 4)! }

    init?(_ bytes: UnsafeRawBufferPointer) {
      guard bytes.count >= 8 else { return nil }
      self.bytes = bytes
      isLittle = bytes[0] == UInt8(ascii: "I")
      guard isLittle || bytes[0] == UInt8(ascii: "M"), bytes[0] == bytes[1] else { return nil }
      isBig = bytes[isLittle ? 2 : 3] == 43
      guard number(2, at: 2) == (isBig ? 43 : 42) else { return nil }
      if isBig { guard bytes.count >= 16, number(2, at: 4) == 8, number(2, at: 6) == 0 else { return nil } }
    }

    func number(_ size: Int, at offset: UInt64) -> UInt64? {
      guard offset <= UInt64(bytes.count), UInt64(bytes.count) - offset >= UInt64(size) else { return nil }
      return (0..<size).reduce(0) {
        $0 | UInt64(bytes[Int(offset) + $1]) << UInt64(8 * (isLittle ? $1 : size - 1 - $1))
      }
    }

    func directory(at offset: UInt64) -> (isOther: Bool, next: UInt64)? {
      let (countSize, entrySize) = isBig ? (8, UInt64(20)) : (2, UInt64(12))
      guard let count = number(countSize, at: offset), count > 0, count <= 65_535 else { return nil }
      let start = offset + UInt64(countSize)
      guard let next = number(isBig ? 8 : 4, at: start + count * entrySize) else { return nil }
      var isOther = false
      for entry in 0..<count {
        let place = start + entry * entrySize
        let value = number(4, at: place + (isBig ? 12 : 8))
        let short = number(2, at: place + (isBig ? 12 : 8))
        switch number(2, at: place) {
        // NewSubfileType: a smaller copy, or a mask.
        case 254: isOther = isOther || (value ?? 0) & 0b101 != 0
        // SubfileType: a smaller copy.
        case 255: isOther = isOther || short == 2
        default: break
        }
      }
      return (isOther, next)
    }
  }
}
