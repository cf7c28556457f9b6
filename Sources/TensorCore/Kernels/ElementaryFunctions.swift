/// `exp(x)` to about 2 units in the last place, in a form that loops vectorise.
///
/// Arguments are clamped to [-87, 88], so the result is neither zero nor infinite.
/// Cephes' polynomial for exp on [-ln 2 / 2, ln 2 / 2] (Moshier, `expf`).
@inlinable @inline(__always)
package func fastExp(_ x: Float) -> Float {
  let clamped = x > 88 ? 88 : (x < -87 ? -87 : x)
  // Adding 1.5 · 2^23 rounds to the nearest whole number and leaves it in the low bits.
  let shifted = clamped * 1.442_695_04 + 12_582_912
  let power = shifted - 12_582_912
  let r = clamped - power * 0.693_359_375 + power * 2.121_944_4e-4
  var p: Float = 1.987_569_15e-4
  p = p * r + 1.398_199_95e-3
  p = p * r + 8.333_451_9e-3
  p = p * r + 4.166_579_6e-2
  p = p * r + 1.666_666_55e-1
  p = p * r + 0.5
  let fraction = p * r * r + r + 1
  return fraction * Float(bitPattern: (shifted.bitPattern &<< 23) &+ 0x3F80_0000)
}

/// `log(x)` of a positive normal number to about 1 unit in the last place, in a form that loops vectorise.
///
/// Cephes' polynomial for log(1 + x) on [sqrt(1/2) - 1, sqrt(2) - 1] (Moshier, `logf`).
@inlinable @inline(__always)
package func fastLog(_ x: Float) -> Float {
  // Moves the exponent so that the fraction lies in [sqrt(1/2), sqrt(2)).
  let shifted = x.bitPattern &- 0x3F35_04F3
  let exponent = Float(Int32(bitPattern: shifted) >> 23)
  let r = Float(bitPattern: (shifted & 0x007F_FFFF) &+ 0x3F35_04F3) - 1
  var p: Float = 7.037_683_63e-2
  p = p * r - 1.151_461_04e-1
  p = p * r + 1.167_699_87e-1
  p = p * r - 1.242_014_08e-1
  p = p * r + 1.424_932_28e-1
  p = p * r - 1.666_805_77e-1
  p = p * r + 2.000_071_48e-1
  p = p * r - 2.499_999_4e-1
  p = p * r + 3.333_333_12e-1
  let square = r * r
  return r + (p * r * square - 0.5 * square - exponent * 2.121_944_4e-4) + exponent * 0.693_359_375
}
