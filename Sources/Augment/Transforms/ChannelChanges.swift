import Images

extension Image {
  /// Three equal channels of luma (ITU-R BT.601, OpenCV's rounding).
  public func gray() -> Image {
    Image(width: width, height: height, pixels: lumas.flatMap { [$0, $0, $0] })
  }

  /// Channel k of the result is channel `order[k]` of this picture.
  /// - Precondition: `order` holds each of 0, 1 and 2 once.
  public func shuffled(order: [Int]) -> Image {
    precondition(order.sorted() == [0, 1, 2], "\(order) is no order of three channels")
    var samples = pixels
    for start in stride(from: 0, to: samples.count, by: 3) {
      for channel in 0..<3 { samples[start + channel] = pixels[start + order[channel]] }
    }
    return Image(width: width, height: height, pixels: samples)
  }
}
