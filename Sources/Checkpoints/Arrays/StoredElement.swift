import TensorCore

/// An element in one of the formats of files, and what it becomes in memory.
protocol StoredElement: BitwiseCopyable {
  /// The nearest `Float`.
  var float: Float { get }
  /// The nearest `Double`; the number itself for all but large 64-bit integers.
  var double: Double { get }
  /// Integers modulo 2^64; real numbers without their fraction, `Int64.min` where they do not fit.
  var int64: Int64 { get }
}

extension StoredElement {
  /// The lowest 8 bits of the integer.
  var uint8: UInt8 { UInt8(truncatingIfNeeded: int64) }
}

extension StoredElement where Self: FixedWidthInteger {
  var float: Float { Float(self) }
  var double: Double { Double(self) }
  var int64: Int64 { Int64(truncatingIfNeeded: self) }
}

extension StoredElement {
  fileprivate static func truncate(_ value: Double) -> Int64 {
    Int64(exactly: value.rounded(.towardZero)) ?? .min
  }
}

extension UInt8: StoredElement {}
extension Int8: StoredElement {}
extension UInt16: StoredElement {}
extension Int16: StoredElement {}
extension UInt32: StoredElement {}
extension Int32: StoredElement {}
extension UInt64: StoredElement {}
extension Int64: StoredElement {}

extension Float: StoredElement {
  var float: Float { self }
  var double: Double { Double(self) }
  var int64: Int64 { Self.truncate(double) }
}

extension Double: StoredElement {
  var float: Float { Float(self) }
  var double: Double { self }
  var int64: Int64 { Self.truncate(self) }
}

/// A truth value; every byte but zero is true.
struct StoredBool: StoredElement {
  let byte: UInt8
  var float: Float { byte == 0 ? 0 : 1 }
  var double: Double { byte == 0 ? 0 : 1 }
  var int64: Int64 { byte == 0 ? 0 : 1 }
}

struct StoredFloat16: StoredElement {
  let bits: UInt16
  var float: Float { Float16Bits.widen(bits) }
  var double: Double { Double(float) }
  var int64: Int64 { Self.truncate(double) }
}

struct StoredBFloat16: StoredElement {
  let bits: UInt16
  var float: Float { BFloat16Bits.widen(bits) }
  var double: Double { Double(float) }
  var int64: Int64 { Self.truncate(double) }
}
