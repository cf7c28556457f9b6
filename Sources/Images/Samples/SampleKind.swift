import Base
import TensorCore

/// How a number of a picture is stored: in memory, whole bytes in the order of the machine.
enum SampleKind: Hashable {
  /// 1 to 16 bits, in one byte or two.
  case unsigned(bits: Int)
  case unsigned32
  case signed8, signed16, signed32
  case float16, float32, float64

  /// Bytes of a sample in memory.
  var size: Int {
    switch self {
    case .unsigned(let bits): bits <= 8 ? 1 : 2
    case .signed8: 1
    case .signed16, .float16: 2
    case .unsigned32, .signed32, .float32: 4
    case .float64: 8
    }
  }

  /// What becomes 0 and 255 of `SampleRange.full`: the type's range, and 0 and 1 of floats.
  var fullRange: (low: Double, high: Double) {
    switch self {
    case .unsigned(let bits): (0, Double(1 << bits - 1))
    case .unsigned32: (0, Double(UInt32.max))
    case .signed8: (Double(Int8.min), Double(Int8.max))
    case .signed16: (Double(Int16.min), Double(Int16.max))
    case .signed32: (Double(Int32.min), Double(Int32.max))
    case .float16, .float32, .float64: (0, 1)
    }
  }

  var isFloat: Bool {
    switch self {
    case .float16, .float32, .float64: true
    default: false
    }
  }

  /// For messages: `16-bit`, `signed 8-bit`, `32-bit float`.
  var name: String {
    switch self {
    case .unsigned(let bits): "\(bits)-bit"
    case .unsigned32: "32-bit"
    case .signed8: "signed 8-bit"
    case .signed16: "signed 16-bit"
    case .signed32: "signed 32-bit"
    case .float16: "16-bit float"
    case .float32: "32-bit float"
    case .float64: "64-bit float"
    }
  }

  /// The number that a bit pattern of this kind stands for.
  func number(_ pattern: UInt64) -> Double {
    switch self {
    case .unsigned, .unsigned32: Double(pattern)
    case .signed8: Double(Int8(truncatingIfNeeded: pattern))
    case .signed16: Double(Int16(truncatingIfNeeded: pattern))
    case .signed32: Double(Int32(truncatingIfNeeded: pattern))
    case .float16: Double(Float16Bits.widen(UInt16(truncatingIfNeeded: pattern)))
    case .float32: Double(Float(bitPattern: UInt32(truncatingIfNeeded: pattern)))
    case .float64: Double(bitPattern: pattern)
    }
  }

  /// A whole number that orders bit patterns as their numbers are ordered, of `8 * size` bits; its own inverse applied
  /// to `pattern(ofKey:)`. NaN have no place.
  func key(_ pattern: UInt64) -> UInt64 {
    let sign = UInt64(1) << UInt64(8 * size - 1)
    switch self {
    case .unsigned, .unsigned32: return pattern
    case .signed8, .signed16, .signed32: return pattern ^ sign
    case .float16, .float32, .float64:
      return pattern & sign == 0 ? pattern | sign : ~pattern & (sign << 1 &- 1)
    }
  }

  /// The bit pattern of a key.
  func pattern(ofKey key: UInt64) -> UInt64 {
    let sign = UInt64(1) << UInt64(8 * size - 1)
    switch self {
    case .unsigned, .unsigned32: return key
    case .signed8, .signed16, .signed32: return key ^ sign
    case .float16, .float32, .float64:
      return key & sign != 0 ? key ^ sign : ~key & (sign << 1 &- 1)
    }
  }
}

/// Some rows of a picture as they were stored.
struct SampleRows {
  /// Number of rows.
  var rows: Int
  /// `[rows, width, channels]` in the kind's bytes.
  var bytes: [UInt8]
}

/// The bit patterns of some samples, one after another.
@inline(__always)
func forEachPattern(_ bytes: [UInt8], size: Int, _ body: (_ index: Int, _ pattern: UInt64) -> Void) {
  bytes.withUnsafeBytes { bytes in
    switch size {
    case 1: for index in 0..<bytes.count { body(index, UInt64(bytes[index])) }
    case 2:
      for (index, value) in bytes.assumingMemoryBound(to: UInt16.self).enumerated() {
        body(index, UInt64(value))
      }
    case 4:
      for (index, value) in bytes.assumingMemoryBound(to: UInt32.self).enumerated() {
        body(index, UInt64(value))
      }
    default:
      for (index, value) in bytes.assumingMemoryBound(to: UInt64.self).enumerated() { body(index, value) }
    }
  }
}

/// Where the rows of a picture come from, top to bottom, reduced to the channels that were chosen.
protocol SampleSource: AnyObject {
  var width: Int { get }
  var height: Int { get }
  var kind: SampleKind { get }
  /// 1 for grey, 3 for red, green and blue.
  var channels: Int { get }
  /// Whether the least number is white.
  var isInverted: Bool { get }
  /// The next rows; nil after the last.
  /// - Throws: `DataError` when they are damaged.
  func next() throws(DataError) -> SampleRows?
  /// Begins from the top again.
  func rewind() throws(DataError)
}

/// A picture that is in memory.
final class DecodedSamples: SampleSource {
  let width: Int
  let height: Int
  let kind: SampleKind
  let channels: Int
  let isInverted = false
  private let bytes: [UInt8]
  private var isRead = false

  /// - Parameters:
  ///   - bytes: `[height, width, count]`
  ///   - chosen: the channels to take, one or three of the `count`; nil for all
  init(width: Int, height: Int, kind: SampleKind, bytes: [UInt8], count: Int, chosen: [Int]?) {
    (self.width, self.height, self.kind) = (width, height, kind)
    channels = chosen?.count ?? count
    guard let chosen, chosen != Array(0..<count) else {
      self.bytes = bytes
      return
    }
    let size = kind.size
    self.bytes = [UInt8](unsafeUninitializedCapacity: width * height * chosen.count * size) {
      target, filled in
      for pixel in 0..<width * height {
        for channel in chosen {
          for byte in 0..<size {
            target.initializeElement(at: filled, to: bytes[(pixel * count + channel) * size + byte])
            filled += 1
          }
        }
      }
    }
  }

  func next() -> SampleRows? {
    guard !isRead else { return nil }
    isRead = true
    return SampleRows(rows: height, bytes: bytes)
  }

  func rewind() { isRead = false }
}
