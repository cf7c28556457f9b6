extension Image {
  /// The centre square of the picture at `size` pixels a side: how guided-diffusion prepares training
  /// pictures (`center_crop_arr`).
  ///
  /// Sides are halved with a box filter while the shorter one is at least twice `size`, then made to
  /// fit with a bicubic filter, then the middle is cut out.
  /// - Precondition: `size` is positive and the square has at most `maximumPixelCount` pixels.
  public func centerCropped(size: Int) -> Image {
    precondition(size > 0, "a centre crop of \(size) pixels")
    var image = self
    while min(image.width, image.height) >= 2 * size {
      image = image.resized(width: image.width / 2, height: image.height / 2, filter: .box)
    }
    let scale = Double(size) / Double(min(image.width, image.height))
    let width = Int((Double(image.width) * scale).rounded(.toNearestOrEven))
    let height = Int((Double(image.height) * scale).rounded(.toNearestOrEven))
    let (left, top) = ((width - size) / 2, (height - size) / 2)
    return image.resized(
      width: width, height: height, filter: .bicubic, columns: left..<left + size, rows: top..<top + size)
  }
}
