import Base

/// A reader for the one Python literal that NumPy's headers consist of, a dictionary like
/// `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`.
struct PythonLiteralReader {
  struct Header {
    var descr: String
    var isFortranOrder: Bool
    var shape: [Int]
  }

  private var reader: ByteReader
  private let source: (file: String, item: String)

  init(_ bytes: UnsafeRawBufferPointer, source: (file: String, item: String)) {
    reader = ByteReader(bytes)
    self.source = source
  }

  /// The three fields, each of which must be there once.
  mutating func readHeader() throws(DataError) -> Header {
    var descr: String?
    var isFortranOrder: Bool?
    var shape: [Int]?
    try expect("{")
    while !skip("}") {
      let key = try readString()
      try expect(":")
      switch key {
      case "descr" where descr == nil: descr = try readDescr()
      case "fortran_order" where isFortranOrder == nil: isFortranOrder = try readBool()
      case "shape" where shape == nil: shape = try readShape()
      default: throw malformed(expected: "descr, fortran_order and shape, each once", found: key)
      }
      if skip(",") { continue }
      try expect("}")
      break
    }
    skipBlanks()
    guard let descr, let isFortranOrder, let shape, reader.remaining == 0 else {
      throw malformed(
        expected: "descr, fortran_order and shape", found: reader.remaining == 0 ? "fewer" : "more text")
    }
    return Header(descr: descr, isFortranOrder: isFortranOrder, shape: shape)
  }

  private mutating func readDescr() throws(DataError) -> String {
    skipBlanks()
    guard reader.peek() != UInt8(ascii: "[") else {
      throw DataError(
        .unsupported, file: source.file, item: source.item, expected: "an array of plain numbers",
        found: "a structured element type")
    }
    return try readString()
  }

  private mutating func readBool() throws(DataError) -> Bool {
    let word = readWord()
    switch word {
    case "True": return true
    case "False": return false
    default: throw malformed(expected: "True or False", found: word)
    }
  }

  private mutating func readShape() throws(DataError) -> [Int] {
    try expect("(")
    var shape: [Int] = []
    while !skip(")") {
      guard shape.count < ArrayLayout.maximumRank else {
        throw malformed(expected: "at most \(ArrayLayout.maximumRank) dimensions", found: "more")
      }
      var word = readWord()
      // Python 2 marked long integers.
      if word.hasSuffix("L") { word.removeLast() }
      guard let dimension = Int(word), dimension >= 0 else {
        throw malformed(expected: "dimensions of at least 0", found: word)
      }
      shape.append(dimension)
      if skip(",") { continue }
      try expect(")")
      break
    }
    return shape
  }

  private mutating func readString() throws(DataError) -> String {
    let quote: Unicode.Scalar = skip("'") ? "'" : "\""
    if quote == "\"" { try expect(quote) }
    var bytes: [UInt8] = []
    while let byte = reader.readByte(), byte != UInt8(ascii: "\\"), byte != UInt8(ascii: "\n") {
      if byte == UInt8(ascii: quote) {
        guard let text = String(validating: bytes, as: UTF8.self) else { break }
        return text
      }
      bytes.append(byte)
    }
    throw malformed(expected: "a plain string", found: "another")
  }

  /// The characters up to the next punctuation mark or blank.
  private mutating func readWord() -> String {
    skipBlanks()
    var word = ""
    while let byte = reader.peek(), !" \n,):}".utf8.contains(byte) {
      _ = reader.readByte()
      word.unicodeScalars.append(Unicode.Scalar(byte))
    }
    return word
  }

  private mutating func skipBlanks() {
    while let byte = reader.peek(), byte == 0x20 || byte == 0x0A { _ = reader.readByte() }
  }

  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard reader.peek() == UInt8(ascii: character) else { return false }
    return reader.readByte() != nil
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(DataError) {
    guard skip(character) else {
      throw malformed(
        expected: "\(character)", found: reader.peek().map { "byte 0x" + String($0, radix: 16) } ?? "the end")
    }
  }

  private func malformed(expected: String, found: String) -> DataError {
    DataError(
      .malformed, file: source.file, item: source.item.isEmpty ? "header" : "\(source.item), header",
      expected: expected, found: found)
  }
}
