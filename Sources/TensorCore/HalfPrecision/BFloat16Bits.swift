/// bfloat16 numbers as their 16 bits: the upper half of a `Float`, with its range and 8 bits of precision.
public enum BFloat16Bits {
  /// The number that `bits` stand for, exactly, NaN included.
  @inlinable @inline(__always)
  public static func widen(_ bits: UInt16) -> Float {
    Float(bitPattern: UInt32(bits) << 16)
  }

  /// The nearest bfloat16 number, ties to even. NaN stays NaN, with its sign and the upper part of its
  /// payload, made quiet.
  @inlinable @inline(__always)
  public static func narrow(_ value: Float) -> UInt16 {
    let word = value.bitPattern
    let finite = (word &+ 0x7FFF &+ ((word &>> 16) & 1)) &>> 16
    let nan = (word &>> 16) | 0x0040
    return UInt16(truncatingIfNeeded: word & 0x7FFF_FFFF > 0x7F80_0000 ? nan : finite)
  }

  /// Widens every number of `source`.
  /// - Precondition: `destination` has the same length.
  public static func widen(
    _ source: UnsafeBufferPointer<UInt16>, into destination: UnsafeMutableBufferPointer<Float>
  ) {
    convert(source, into: destination) { widen($0) }
  }

  /// Rounds every number of `source` to bfloat16.
  /// - Precondition: `destination` has the same length.
  public static func narrow(
    _ source: UnsafeBufferPointer<Float>, into destination: UnsafeMutableBufferPointer<UInt16>
  ) {
    convert(source, into: destination) { narrow($0) }
  }
}
