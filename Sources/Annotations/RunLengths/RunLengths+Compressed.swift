import Base

extension RunLengths {
  /// Reads the compressed form: each length as digits to base 32 in characters from `0` on, the lowest first, with a
  /// sixth bit where more follow and a sign in the last; from the fourth on less the length before the last
  /// (`rleFrString` of pycocotools).
  /// - Parameters:
  ///   - width: of the picture, in pixels
  ///   - height: of the picture, in pixels
  ///   - compressed: the text
  ///   - file: stands in messages
  ///   - item: the part of the file, for messages
  /// - Throws: `DataError` of kind `.malformed` for other characters, numbers that end too early or overflow, and as
  ///   `init(width:height:counts:file:item:)`.
  public init(
    width: Int, height: Int, compressed: String, file: String, item: String = "counts"
  ) throws(DataError) {
    func refuse(_ found: String) -> DataError {
      DataError(.malformed, file: file, item: item, expected: "compressed run lengths", found: found)
    }
    var counts: [Int] = []
    var (value, shift) = (0, 0)
    for byte in compressed.utf8 {
      guard (48..<112).contains(byte) else { throw refuse("the byte \(byte)") }
      // Lengths of a picture of at most 2^28 pixels, and their differences, have no more than six digits.
      guard shift < 35 else { throw refuse("a number that overflows") }
      let digit = Int(byte) - 48
      value |= (digit & 31) << shift
      shift += 5
      guard digit & 32 == 0 else { continue }
      if digit & 16 != 0 { value |= -1 << shift }
      if counts.count > 2 { value += counts[counts.count - 2] }
      guard value >= 0, value <= 1 << 32 else { throw refuse("a run of \(value)") }
      counts.append(value)
      (value, shift) = (0, 0)
    }
    guard shift == 0 else { throw refuse("a number without an end") }
    try self.init(width: width, height: height, counts: counts, file: file, item: item)
  }

  /// The compressed form (`rleToString` of pycocotools).
  public var compressed: String {
    var bytes: [UInt8] = []
    for (index, count) in counts.enumerated() {
      var rest = index > 2 ? count - counts[index - 2] : count
      var goesOn = true
      while goesOn {
        var digit = rest & 31
        rest >>= 5
        goesOn = digit & 16 != 0 ? rest != -1 : rest != 0
        if goesOn { digit |= 32 }
        bytes.append(UInt8(digit + 48))
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
