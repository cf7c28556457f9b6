import Base

/// The header of NumPy's array format: element type, order and shape.
/// Source: NumPy, "NEP 1 — A Simple File Format for NumPy Arrays", and `numpy/lib/format.py`.
struct NpyHeader {
  var elementType: ElementType
  var isBigEndian: Bool
  var isFortranOrder: Bool
  var shape: [Int]

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// Headers of plain arrays have about a hundred bytes.
  private static let largestLength = 64 << 10
  /// With magic number, version and length.
  static let largestSize = largestLength + 12
  private static let alignment = 64

  /// Reads a header; `reader` stands at the first element afterwards.
  /// - Throws: `DataError` for damaged headers, and for elements that are no numbers.
  init(_ reader: inout ByteReader, source: (file: String, item: String)) throws(DataError) {
    guard let magic = reader.read(count: Self.magic.count), magic.elementsEqual(Self.magic),
      let major = reader.readByte(), reader.readByte() != nil
    else {
      throw DataError(
        .malformed, file: source.file, item: source.item, expected: "an array in NumPy's format",
        found: "another beginning")
    }
    guard 1...3 ~= major else {
      throw DataError(
        .unsupported, file: source.file, item: source.item, expected: "version 1, 2 or 3 of NumPy's format",
        found: "version \(major)")
    }
    let length = major == 1 ? reader.read(UInt16.self).map(Int.init) : reader.read(UInt32.self).map(Int.init)
    guard let length, length <= Self.largestLength, let text = reader.read(count: length) else {
      throw DataError(
        .malformed, file: source.file, item: source.item,
        expected: "a header of at most \(min(Self.largestLength, reader.remaining)) bytes",
        found: length.map { "a length of \($0)" } ?? "the end of the file")
    }
    var literal = PythonLiteralReader(text, source: source)
    let fields = try literal.readHeader()
    let type = try Self.elementType(fields.descr, source: source)
    elementType = type.type
    isBigEndian = type.isBigEndian
    isFortranOrder = fields.isFortranOrder
    shape = fields.shape
  }

  /// Element type and byte order from a type string such as `<f8`.
  private static func elementType(
    _ descr: String, source: (file: String, item: String)
  ) throws(DataError) -> (type: ElementType, isBigEndian: Bool) {
    let order = descr.first
    guard let order, "<>|=".contains(order), let type = ElementType(numpyCode: String(descr.dropFirst()))
    else {
      throw DataError(
        .unsupported, file: source.file, item: source.item, expected: "an array of plain numbers",
        found: "the element type '\(descr)'")
    }
    return (type, order == ">")
  }

  /// The bytes of a version 1 header of a little-endian row-major array, padded like NumPy's so that
  /// the elements begin at a multiple of 64 bytes.
  static func bytes(code: String, elementType: ElementType, shape: [Int]) -> [UInt8] {
    let order = elementType.size == 1 ? "|" : "<"
    let dimensions = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var text = Array(
      "{'descr': '\(order)\(code)', 'fortran_order': False, 'shape': (\(dimensions)), }".utf8)
    let prefix = magic.count + 4
    let unpadded = prefix + text.count + 1
    text += [UInt8](repeating: UInt8(ascii: " "), count: (alignment - unpadded % alignment) % alignment)
    text.append(UInt8(ascii: "\n"))
    var bytes = magic + [1, 0]
    bytes.append(littleEndian: UInt16(text.count))
    return bytes + text
  }
}

extension ElementType {
  /// Kind and size in type strings; nil for bfloat16, which NumPy does not have.
  var numpyCode: String? {
    switch self {
    case .bool: "b1"
    case .uint8: "u1"
    case .int8: "i1"
    case .uint16: "u2"
    case .int16: "i2"
    case .uint32: "u4"
    case .int32: "i4"
    case .uint64: "u8"
    case .int64: "i8"
    case .float16: "f2"
    case .bfloat16: nil
    case .float32: "f4"
    case .float64: "f8"
    }
  }

  init?(numpyCode code: String) {
    guard let type = ElementType.allCases.first(where: { $0.numpyCode == code }) else { return nil }
    self = type
  }
}
