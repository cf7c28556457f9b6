/// A tensor as the header of a safetensors file lists it.
struct SafetensorsEntry {
  var name: String
  var elementType: ElementType
  var shape: [Int]
  /// Place of its bytes, counted from the end of the header.
  var range: Range<Int>

  private static let alignment = 64

  private var text: String {
    "\(Self.quoted(name)):{\"dtype\":\"\(elementType.safetensorsName)\","
      + "\"shape\":[\(shape.map(String.init).joined(separator: ","))],"
      + "\"data_offsets\":[\(range.lowerBound),\(range.upperBound)]}"
  }

  /// The length and the header of a file.
  /// - Parameters:
  ///   - metadata: in the order of the keys
  ///   - length: bytes of the result, if it may be no shorter; without, it ends at a multiple of 64 bytes
  static func header(of entries: [SafetensorsEntry], metadata: [String: String], length: Int? = nil)
    -> [UInt8]
  {
    var fields: [String] = []
    if !metadata.isEmpty {
      let strings = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
      fields.append("\"__metadata__\":{\(strings.joined(separator: ","))}")
    }
    fields += entries.map(\.text)
    var text = Array("{\(fields.joined(separator: ","))}".utf8)
    let end = SafetensorsFile.lengthSize + text.count
    let aligned = max((end + alignment - 1) / alignment * alignment, length ?? 0)
    text += [UInt8](repeating: UInt8(ascii: " "), count: aligned - end)
    var bytes: [UInt8] = []
    bytes.append(littleEndian: UInt64(text.count))
    return bytes + text
  }

  /// A JSON string.
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\0"..<" ":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
