extension Image {
  /// Left and right exchanged.
  public func mirrored() -> Image {
    var samples: [UInt8] = []
    samples.reserveCapacity(pixels.count)
    for row in 0..<height {
      for column in (row * width..<(row + 1) * width).reversed() {
        samples += pixels[3 * column..<3 * column + 3]
      }
    }
    return Image(width: width, height: height, pixels: samples)
  }
}
