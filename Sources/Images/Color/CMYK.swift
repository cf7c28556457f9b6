/// Inks to light, without a profile.
enum CMYK {
  /// R = (255 - K) - C (255 - K) / 255, rounded, and so on.
  ///
  /// Source: Pillow, `cmyk2rgb` in `Convert.c`, with the same rounding.
  /// - Parameter inks: `[pixels, 4]`, 0 for no ink
  /// - Returns: `[pixels, 3]`
  static func rgb(_ inks: [UInt8]) -> [UInt8] { convert(inks, flip: 0) }

  /// The same of inverted samples as Adobe writes them in JPEG files, 255 for no ink. Pillow takes all JPEG files of four
  /// components for such, too.
  static func rgb(inverted inks: [UInt8]) -> [UInt8] { convert(inks, flip: 255) }

  private static func convert(_ inks: [UInt8], flip: UInt8) -> [UInt8] {
    let count = inks.count / 4
    return [UInt8](unsafeUninitializedCapacity: 3 * count) { rgb, filled in
      for pixel in 0..<count {
        let light = 255 - UInt32(inks[4 * pixel + 3] ^ flip)
        for channel in 0..<3 {
          let product = UInt32(inks[4 * pixel + channel] ^ flip) * light + 128
          // Division by 255 with rounding, for products of two bytes.
          let absorbed = (product + (product >> 8)) >> 8
          rgb.initializeElement(at: 3 * pixel + channel, to: UInt8(light - absorbed))
        }
      }
      filled = 3 * count
    }
  }
}
