import Base

/// A reader for the JSON of safetensors headers: objects, strings and lists of whole numbers.
///
/// Foundation's decoders keep neither the order of keys nor duplicates, and both matter here. There is
/// no recursion: the caller asks for what it expects, so nesting in the file leads nowhere.
struct JSONReader {
  private var reader: ByteReader
  private let file: String

  init(_ bytes: UnsafeRawBufferPointer, file: String) {
    reader = ByteReader(bytes)
    self.file = file
  }

  /// Reads `{"key": value, …}`; `body` reads each value.
  mutating func readObject(
    _ body: (_ key: String, _ json: inout JSONReader) throws(DataError) -> Void
  ) throws(DataError) {
    try expect("{")
    if skip("}") { return }
    repeat {
      let key = try readString()
      try expect(":")
      try body(key, &self)
    } while skip(",")
    try expect("}")
  }

  /// Reads `[number, …]` of at most `limit` whole numbers.
  mutating func readNaturals(limit: Int) throws(DataError) -> [Int] {
    try expect("[")
    if skip("]") { return [] }
    var numbers: [Int] = []
    repeat {
      guard numbers.count < limit else { throw malformed(expected: "a list of at most \(limit) numbers") }
      numbers.append(try readNatural())
    } while skip(",")
    try expect("]")
    return numbers
  }

  mutating func readString() throws(DataError) -> String {
    try expect("\"")
    var bytes: [UInt8] = []
    while let byte = reader.readByte() {
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: bytes, as: UTF8.self) else {
          throw malformed(expected: "UTF-8 text")
        }
        return text
      case UInt8(ascii: "\\"): bytes += String(try readEscape()).utf8
      case 0..<0x20: throw malformed(expected: "a string without control characters")
      default: bytes.append(byte)
      }
    }
    throw malformed(expected: "the end of a string")
  }

  /// Only blanks may follow.
  mutating func readEnd() throws(DataError) {
    skipBlanks()
    guard reader.remaining == 0 else { throw malformed(expected: "the end of the header") }
  }

  private mutating func readNatural() throws(DataError) -> Int {
    skipBlanks()
    var number = 0
    var digits = 0
    while let byte = reader.peek(), byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
      _ = reader.readByte()
      let (product, overflow) = number.multipliedReportingOverflow(by: 10)
      let (sum, sumOverflow) = product.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
      guard !overflow, !sumOverflow else { throw malformed(expected: "a number of at most 63 bits") }
      number = sum
      digits += 1
    }
    guard digits > 0 else { throw malformed(expected: "a whole number of at least 0") }
    return number
  }

  /// The character after a backslash.
  private mutating func readEscape() throws(DataError) -> Unicode.Scalar {
    switch reader.readByte().map(Unicode.Scalar.init) {
    case "\"": return "\""
    case "\\": return "\\"
    case "/": return "/"
    case "b": return "\u{8}"
    case "f": return "\u{C}"
    case "n": return "\n"
    case "r": return "\r"
    case "t": return "\t"
    case "u":
      var code = UInt32(try readHexadecimal())
      if 0xD800..<0xDC00 ~= code {
        // The first half of a pair of surrogates; the other must follow.
        guard reader.readByte() == UInt8(ascii: "\\"), reader.readByte() == UInt8(ascii: "u") else {
          throw malformed(expected: "a pair of surrogates")
        }
        let low = UInt32(try readHexadecimal())
        guard 0xDC00..<0xE000 ~= low else { throw malformed(expected: "a pair of surrogates") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw malformed(expected: "a character") }
      return scalar
    default: throw malformed(expected: "an escape sequence")
    }
  }

  private mutating func readHexadecimal() throws(DataError) -> UInt16 {
    guard let digits = reader.read(count: 4), let text = String(validUTF8: digits),
      text.allSatisfy(\.isHexDigit), let code = UInt16(text, radix: 16)
    else { throw malformed(expected: "four hexadecimal digits") }
    return code
  }

  private mutating func skipBlanks() {
    while let byte = reader.peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      _ = reader.readByte()
    }
  }

  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard reader.peek() == UInt8(ascii: character) else { return false }
    return reader.readByte() != nil
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(DataError) {
    guard skip(character) else { throw malformed(expected: "\(character)") }
  }

  private func malformed(expected: String) -> DataError {
    DataError(
      .malformed, file: file, item: "header, byte \(reader.position)", expected: expected,
      found: reader.peek().map { "byte 0x" + String($0, radix: 16) } ?? "the end")
  }
}
