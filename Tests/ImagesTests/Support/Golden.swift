import Foundation
import Testing

/// The known answers of `Fixtures/golden`, as far as these tests need them.
enum Golden {
  /// One tensor of a safetensors file.
  struct Values {
    let shape: [Int]
    let bytes: [UInt8]

    var floats: [Float] {
      bytes.withUnsafeBytes { raw in
        (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
      }
    }
  }

  static func values(_ name: String, file: String = "segmentation.safetensors") throws -> Values {
    let data = try Fixtures.bytes("golden/\(file)")
    let headerSize = data.withUnsafeBytes { Int(UInt64(littleEndian: $0.load(as: UInt64.self))) }
    let header = try JSONSerialization.jsonObject(with: Data(data[8..<8 + headerSize])) as? [String: Any]
    let entry = try #require(header?[name] as? [String: Any])
    let offsets = try #require(entry["data_offsets"] as? [Int])
    let start = 8 + headerSize
    return Values(
      shape: try #require(entry["shape"] as? [Int]),
      bytes: Array(data[start + offsets[0]..<start + offsets[1]]))
  }
}
