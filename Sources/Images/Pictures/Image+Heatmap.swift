extension Image {
  /// A picture of numbers, such as the uncertainty of every pixel.
  ///
  /// - Parameters:
  ///   - values: `[height, width]` row by row. NaN, for pixels without a number, is drawn grey.
  ///   - width: of the picture, in pixels
  ///   - height: of the picture, in pixels
  ///   - range: the numbers at the ends of the colour map; numbers outside take the end's colour. Nil takes the least
  ///     and the greatest finite number.
  ///   - map: colours from the least number to the greatest
  /// - Precondition: both sides are positive, there are width * height values, and the range is finite.
  public init(
    heatmap values: [Float], width: Int, height: Int, range: ClosedRange<Float>? = nil, map: ColorMap = .magma
  ) {
    let count = pixelCount(width: width, height: height)
    precondition(
      values.count == count, "\(values.count) values do not fill a picture of \(width) x \(height)")
    precondition(
      range.map { $0.lowerBound.isFinite && $0.upperBound.isFinite } ?? true, "an infinite range of numbers")
    var (low, high) = (range?.lowerBound ?? .infinity, range?.upperBound ?? -.infinity)
    if range == nil {
      for value in values where value.isFinite {
        low = min(low, value)
        high = max(high, value)
      }
    }
    let steps = (0...1023).map { map.color(at: Float($0) / 1023) }
    let grey: UInt8 = 128
    var pixels: [UInt8] = []
    pixels.reserveCapacity(3 * count)
    for value in values {
      if value.isNaN {
        pixels.append(contentsOf: [grey, grey, grey])
        continue
      }
      // Halves, so that the width of the range cannot overflow. Equal ends: the low one's colour.
      let width = high / 2 - low / 2
      let share = width > 0 ? (value / 2 - low / 2) / width : value > high ? 1 : 0
      let color = steps[Int(min(max(share, 0), 1) * 1023 + 0.5)]
      pixels.append(color.red)
      pixels.append(color.green)
      pixels.append(color.blue)
    }
    self.init(width: width, height: height, pixels: pixels)
  }
}
