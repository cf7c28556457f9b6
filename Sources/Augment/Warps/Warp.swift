import Images

// w, h: size of the source   W, H: size of the result

/// A picture read at given places, bilinear and exact, before it is rounded to 8 bits: `[H, W, 3]`, 0 ... 255.
///
/// OpenCV quantises places to 1/32 pixel and so differs by a grey level or two in steep places.
func interpolated(
  _ image: Image, width: Int, height: Int, places: some SourcePlaces, border: Border
) -> [Float] {
  let outside = border.color
  return [Float](unsafeUninitializedCapacity: 3 * width * height) { output, filled in
    image.pixels.withUnsafeBufferPointer { pixels in
      /// The sample of a pixel that may lie outside.
      func sample(_ x: Int, _ y: Int, _ channel: Int) -> Float {
        guard let x = border.source(x, size: image.width), let y = border.source(y, size: image.height)
        else { return outside[channel] }
        return Float(pixels[3 * (y * image.width + x) + channel])
      }
      for y in 0..<height {
        for x in 0..<width {
          let cell = Cell(places.place(x: x, y: y))
          let isInside =
            cell.x >= 0 && cell.x + 1 < image.width && cell.y >= 0 && cell.y + 1 < image.height
          let start = 3 * (cell.y &* image.width &+ cell.x)
          for channel in 0..<3 {
            let value: Float
            if isInside {
              let (top, bottom) = (start + channel, start + channel + 3 * image.width)
              value = cell.mix(
                Float(pixels[top]), Float(pixels[top + 3]), Float(pixels[bottom]), Float(pixels[bottom + 3]))
            } else {
              value = cell.mix(
                sample(cell.x, cell.y, channel), sample(cell.x + 1, cell.y, channel),
                sample(cell.x, cell.y + 1, channel), sample(cell.x + 1, cell.y + 1, channel))
            }
            output.initializeElement(at: filled, to: value)
            filled += 1
          }
        }
      }
    }
  }
}

/// The same, rounded.
func warped(
  _ image: Image, width: Int, height: Int, places: some SourcePlaces, border: Border
) -> Image {
  let samples = interpolated(image, width: width, height: height, places: places, border: border)
  return Image(width: width, height: height, pixels: samples.map { UInt8($0 + 0.5) })
}

/// Labels read at given places, of the nearest pixel.
func warped(
  _ mask: LabelMask, width: Int, height: Int, places: some SourcePlaces, border: Border
) -> LabelMask {
  let outside = border.label
  let labels = [UInt8](unsafeUninitializedCapacity: width * height) { output, filled in
    mask.labels.withUnsafeBufferPointer { labels in
      for y in 0..<height {
        for x in 0..<width {
          let cell = Cell(places.place(x: x, y: y) + 0.5)
          var label = outside
          if let x = border.source(cell.x, size: mask.width), let y = border.source(cell.y, size: mask.height)
          {
            label = labels[y * mask.width + x]
          }
          output.initializeElement(at: filled, to: label)
          filled += 1
        }
      }
    }
  }
  return LabelMask(width: width, height: height, labels: labels)
}

/// The four pixels around a place, and how far it lies from the first.
private struct Cell {
  let x: Int
  let y: Int
  private let shareX: Float
  private let shareY: Float

  @inline(__always)
  init(_ place: SIMD2<Double>) {
    // Far outside is as good as anywhere outside, and fits an Int.
    let place = place.clamped(lowerBound: SIMD2(repeating: -1e9), upperBound: SIMD2(repeating: 1e9))
    let corner = place.rounded(.down)
    (x, y) = (Int(corner.x), Int(corner.y))
    (shareX, shareY) = (Float(place.x - corner.x), Float(place.y - corner.y))
  }

  @inline(__always)
  func mix(_ topLeft: Float, _ topRight: Float, _ bottomLeft: Float, _ bottomRight: Float) -> Float {
    let top = topLeft + (topRight - topLeft) * shareX
    let bottom = bottomLeft + (bottomRight - bottomLeft) * shareX
    return top + (bottom - top) * shareY
  }
}

extension Border {
  fileprivate var color: [Float] {
    guard case .constant(let color, _) = self else { return [0, 0, 0] }
    return [Float(color.red), Float(color.green), Float(color.blue)]
  }

  fileprivate var label: UInt8 {
    guard case .constant(_, let label) = self else { return LabelMask.ignoreLabel }
    return label
  }
}
