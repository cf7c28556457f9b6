import Base

/// The JSON header of a safetensors file: for each tensor its element type, shape and byte range.
/// Source: https://github.com/huggingface/safetensors, README, "Format".
struct SafetensorsHeader {
  struct Entry {
    var name: String
    var elementType: ElementType
    var shape: [Int]
    /// Relative to the end of the header.
    var bytes: Range<Int>
  }

  /// In the order of the header.
  private(set) var entries: [Entry] = []
  private(set) var metadata: [String: String] = [:]

  private static let metadataKey = "__metadata__"

  /// Reads the text of a header.
  /// - Throws: `DataError` for anything but an object of tensors and `__metadata__`, and for duplicate names.
  init(json bytes: UnsafeRawBufferPointer, file: String) throws(DataError) {
    var json = JSONReader(bytes, file: file)
    var names: Set<String> = []
    try json.readObject { (name, json) throws(DataError) in
      guard names.insert(name).inserted else {
        throw DataError(
          .malformed, file: file, item: name, expected: "each name once in the header", found: "it twice")
      }
      if name == Self.metadataKey {
        try json.readObject { (key, json) throws(DataError) in
          let value = try json.readString()
          guard metadata.updateValue(value, forKey: key) == nil else {
            throw DataError(
              .malformed, file: file, item: "\(name)/\(key)", expected: "each key once", found: "it twice")
          }
        }
      } else {
        entries.append(try Self.readEntry(name, &json, file: file))
      }
    }
    try json.readEnd()
  }

  private static func readEntry(
    _ name: String, _ json: inout JSONReader, file: String
  ) throws(DataError) -> Entry {
    var type: String?
    var shape: [Int]?
    var offsets: [Int]?
    try json.readObject { (key, json) throws(DataError) in
      switch key {
      case "dtype" where type == nil: type = try json.readString()
      case "shape" where shape == nil: shape = try json.readNaturals(limit: ArrayLayout.maximumRank)
      case "data_offsets" where offsets == nil: offsets = try json.readNaturals(limit: 2)
      default:
        throw DataError(
          .malformed, file: file, item: name, expected: "dtype, shape and data_offsets, each once", found: key
        )
      }
    }
    guard let type, let shape, let offsets, offsets.count == 2, offsets[0] <= offsets[1] else {
      throw DataError(
        .malformed, file: file, item: name, expected: "dtype, shape and two ascending data_offsets",
        found: "dtype \(type ?? "missing"), shape \(shape?.description ?? "missing"), "
          + "data_offsets \(offsets?.description ?? "missing")")
    }
    guard let elementType = ElementType(safetensorsName: type) else {
      throw DataError(
        .unsupported, file: file, item: name,
        expected: "one of \(ElementType.allCases.map(\.safetensorsName).joined(separator: ", "))", found: type
      )
    }
    return Entry(name: name, elementType: elementType, shape: shape, bytes: offsets[0]..<offsets[1])
  }
}

extension ElementType {
  /// The name in headers of safetensors files.
  var safetensorsName: String {
    switch self {
    case .bool: "BOOL"
    case .uint8: "U8"
    case .int8: "I8"
    case .uint16: "U16"
    case .int16: "I16"
    case .uint32: "U32"
    case .int32: "I32"
    case .uint64: "U64"
    case .int64: "I64"
    case .float16: "F16"
    case .bfloat16: "BF16"
    case .float32: "F32"
    case .float64: "F64"
    }
  }

  init?(safetensorsName name: String) {
    guard let type = ElementType.allCases.first(where: { $0.safetensorsName == name }) else { return nil }
    self = type
  }
}
