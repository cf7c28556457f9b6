/// IEEE 754 binary16 numbers as their 16 bits: a storage format, half the size of `Float`.
///
/// Swift's `Float16` is missing on some platforms and is converted one by one in software on others;
/// these conversions have no branches, so that loops over them become vector code everywhere. They
/// scale by powers of two in such a way that no intermediate result is subnormal, and so give the same
/// bits when subnormals are flushed to zero.
/// Source of the method: Dukhan, "FP16", https://github.com/Maratyszcza/FP16.
public enum Float16Bits {
  /// The number that `bits` stand for, exactly. NaN stays NaN, with its sign and payload, made quiet.
  @inlinable @inline(__always)
  public static func widen(_ bits: UInt16) -> Float {
    let word = UInt32(bits) << 16
    let sign = word & 0x8000_0000
    let magnitude = word &<< 1
    // Normal numbers, infinities and NaN: move the fields into place. Adding 224 to the exponent sends
    // 31 to 255; the multiplication by 2^-112 corrects it for all others.
    let normal = Float(bitPattern: (magnitude &>> 4) &+ (0xE0 << 23)) * 0x1p-112
    // Zero and subnormal numbers: put the fraction below 0.5, then take 0.5 away.
    let subnormal = Float(bitPattern: (magnitude &>> 17) | (126 << 23)) - 0.5
    return Float(bitPattern: sign | (magnitude < 1 << 27 ? subnormal.bitPattern : normal.bitPattern))
  }

  /// The nearest binary16 number, ties to even. Beyond 65519 it is infinity; NaN stays NaN, with its
  /// sign and the upper part of its payload, made quiet.
  @inlinable @inline(__always)
  public static func narrow(_ value: Float) -> UInt16 {
    let word = value.bitPattern
    let sign = UInt16(truncatingIfNeeded: word &>> 16) & 0x8000
    let magnitude = word &<< 1
    // Adding a power of two that lies 13 bits above the last kept one makes the addition round there.
    let exponent = max(magnitude & 0xFF00_0000, 0x7100_0000)
    let scaled = (Float(bitPattern: word & 0x7FFF_FFFF) * 0x1p112) * 0x1p-110
    let rounded = (Float(bitPattern: (exponent &>> 1) &+ 0x0780_0000) + scaled).bitPattern
    let finite = UInt16(truncatingIfNeeded: ((rounded &>> 13) & 0x7C00) &+ (rounded & 0x0FFF))
    let nan = UInt16(truncatingIfNeeded: word &>> 13) & 0x01FF | 0x7E00
    return sign | (magnitude > 0xFF00_0000 ? nan : finite)
  }

  /// Widens every number of `source`.
  /// - Precondition: `destination` has the same length.
  public static func widen(
    _ source: UnsafeBufferPointer<UInt16>, into destination: UnsafeMutableBufferPointer<Float>
  ) {
    convert(source, into: destination) { widen($0) }
  }

  /// Rounds every number of `source` to binary16.
  /// - Precondition: `destination` has the same length.
  public static func narrow(
    _ source: UnsafeBufferPointer<Float>, into destination: UnsafeMutableBufferPointer<UInt16>
  ) {
    convert(source, into: destination) { narrow($0) }
  }
}
