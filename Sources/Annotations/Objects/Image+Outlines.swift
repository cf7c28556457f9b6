import Images

extension Image {
  /// The picture with the outlines of objects, in the colours of their classes, and their numbers. Small pictures are
  /// enlarged a whole number of times first, to a longer side of at least 1024 pixels, so that there is room for numbers.
  /// - Parameters:
  ///   - objects: as `LabelMask.objects` gives them
  ///   - mask: the labels, of the picture's size
  ///   - palette: colours of the labels
  ///   - skipped: labels that are no objects
  /// - Precondition: mask and picture have the same size.
  public func outlined(
    _ objects: [MaskObject], mask: LabelMask, palette: Palette, skipping skipped: Set<UInt8>
  ) -> Image {
    precondition(
      mask.width == width && mask.height == height,
      "a mask of \(mask.width)×\(mask.height) for a picture of \(width)×\(height)")
    let zoom = (Self.leastOutlinedSide - 1) / max(width, height) + 1
    guard zoom == 1 else {
      return magnified(zoom).outlined(
        objects.map { $0.magnified(zoom) },
        mask: mask.resizedCentered(width: width * zoom, height: height * zoom), palette: palette,
        skipping: skipped)
    }
    var result = self
    for y in 0..<height {
      for x in 0..<width where !skipped.contains(mask[x, y]) {
        let label = mask[x, y]
        let isInner = [(1, 0), (-1, 0), (0, 1), (0, -1)].allSatisfy { dx, dy in
          (0..<width).contains(x + dx) && (0..<height).contains(y + dy) && mask[x + dx, y + dy] == label
        }
        if !isInner { result[x, y] = palette[label] }
      }
    }
    let scale = max(1, min(width, height) / 1000)
    for object in objects {
      let text = "\(object.number)"
      let x = Int(object.centroid.x) - BitmapFont.width(of: text, scale: scale) / 2
      let y = Int(object.centroid.y) - 7 * scale / 2
      // A dark rim keeps numbers readable on light areas.
      for (dx, dy) in [(-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (1, 1), (-1, 1), (1, -1)] {
        BitmapFont.draw(text, on: &result, x: x + dx, y: y + dy, scale: scale, color: .black)
      }
      BitmapFont.draw(text, on: &result, x: x, y: y, scale: scale, color: .white)
    }
    return result
  }

  private static let leastOutlinedSide = 1024
}

extension MaskObject {
  /// Its place in a picture with so many pixels for each.
  fileprivate func magnified(_ zoom: Int) -> MaskObject {
    var object = self
    let shift = Double(zoom - 1) / 2
    object.centroid = Point(centroid.x * Double(zoom) + shift, centroid.y * Double(zoom) + shift)
    return object
  }
}
