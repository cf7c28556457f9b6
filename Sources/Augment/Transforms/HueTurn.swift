import Images

extension Image {
  /// The picture with its hues turned by `turn` of the circle, over 180 steps of hue as OpenCV keeps it in 8 bits.
  func hueTurned(_ turn: Double) -> Image {
    let steps = (0..<180).map { hue in
      let turned = (Double(hue) + 180 * turn).truncatingRemainder(dividingBy: 180)
      // Just below 0 the sum may round to the whole circle.
      return Int(turned < 0 ? turned + 180 : turned) % 180
    }
    // OpenCV's vector code (32 pixels with AVX2) cuts the fractions of the colours, and the code for what is left of a
    // row rounds them.
    let cutColumns = width / 32 * 32
    var samples = pixels
    for start in stride(from: 0, to: samples.count, by: 3) {
      var color = ByteHSV(
        red: Int(samples[start]), green: Int(samples[start + 1]), blue: Int(samples[start + 2]))
      color.hue = steps[color.hue]
      let rgb = color.rgb(cut: start / 3 % width < cutColumns)
      for channel in 0..<3 { samples[start + channel] = rgb[channel] }
    }
    return Image(width: width, height: height, pixels: samples)
  }
}

/// Hue, saturation and value of 8 bits, as OpenCV rounds them (hue 0 ..< 180, the others 0 ... 255).
struct ByteHSV: Equatable {
  var hue: Int
  var saturation: Int
  var value: Int

  init(red: Int, green: Int, blue: Int) {
    value = max(red, green, blue)
    let spread = value - min(red, green, blue)
    guard spread > 0 else {
      (hue, saturation) = (0, 0)
      return
    }
    saturation = Self.rounded(spread * Self.fixedPoint(255, over: value))
    let sixth =
      value == red ? green - blue : value == green ? blue - red + 2 * spread : red - green + 4 * spread
    let turned = Self.rounded(sixth * Self.fixedPoint(180, over: 6 * spread))
    hue = turned < 0 ? turned + 180 : turned
    if hue >= 180 { hue -= 180 }
  }

  /// `numerator / denominator` in units of 2^-12.
  private static func fixedPoint(_ numerator: Int, over denominator: Int) -> Int {
    Int((Double(numerator << 12) / Double(denominator)).rounded(.toNearestOrEven))
  }

  private static func rounded(_ number: Int) -> Int { (number + 2048) >> 12 }

  /// - Parameter cut: whether fractions are dropped, rather than rounded
  func rgb(cut: Bool) -> SIMD3<UInt8> {
    // With the factors of OpenCV: cut, the last bit matters.
    let (place, saturation, value) = (
      Float(hue) * Float(6.0 / 180), Float(saturation) * Float(1.0 / 255), Float(value) * Float(1.0 / 255)
    )
    let sector = place.rounded(.down)
    let share = place - sector
    let (low, falling, rising) = (
      value * (1 - saturation), value * (1 - saturation * share), value * (1 - saturation * (1 - share))
    )
    let color: SIMD3<Float> =
      switch Int(sector) {
      case 0: SIMD3(value, rising, low)
      case 1: SIMD3(falling, value, low)
      case 2: SIMD3(low, value, rising)
      case 3: SIMD3(low, falling, value)
      case 4: SIMD3(rising, low, value)
      default: SIMD3(value, low, falling)
      }
    let levels = (color * 255).rounded(cut ? .towardZero : .toNearestOrEven)
    return SIMD3(UInt8(levels.x), UInt8(levels.y), UInt8(levels.z))
  }
}
