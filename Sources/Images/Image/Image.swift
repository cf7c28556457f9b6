/// A picture of 8-bit red, green and blue samples.
///
/// Samples are what the file holds: no gamma or colour profile is applied, as in the programs whose
/// networks this package runs.
public struct Image: Sendable, Equatable {
  /// The most pixels a picture or mask may have, 2^28: 805 MB of samples. Files that claim more are
  /// refused before memory is taken for them.
  public static let maximumPixelCount = 1 << 28

  /// Pixels a row, at least 1.
  public let width: Int
  /// Rows, at least 1.
  public let height: Int
  /// The samples, `[height, width, 3]` row by row.
  public private(set) var pixels: [UInt8]

  /// A picture of the given samples, `[height, width, 3]`.
  /// - Precondition: both sides are positive and there are width * height * 3 samples.
  public init(width: Int, height: Int, pixels: [UInt8]) {
    let count = pixelCount(width: width, height: height)
    precondition(
      pixels.count == 3 * count, "\(pixels.count) samples do not fill a picture of \(width) x \(height) x 3")
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// A picture of one colour.
  /// - Precondition: both sides are positive and the picture has at most `maximumPixelCount` pixels.
  public init(width: Int, height: Int, color: RGB = .black) {
    let count = pixelCount(width: width, height: height)
    let samples = [UInt8](unsafeUninitializedCapacity: 3 * count) { samples, filled in
      for index in 0..<count {
        samples.initializeElement(at: 3 * index, to: color.red)
        samples.initializeElement(at: 3 * index + 1, to: color.green)
        samples.initializeElement(at: 3 * index + 2, to: color.blue)
      }
      filled = 3 * count
    }
    self.init(width: width, height: height, pixels: samples)
  }

  /// The colour of a pixel; `x` counts columns from the left, `y` rows from the top.
  /// - Precondition: the pixel lies inside the picture.
  public subscript(x: Int, y: Int) -> RGB {
    get {
      let start = position(x, y)
      return RGB(pixels[start], pixels[start + 1], pixels[start + 2])
    }
    set {
      let start = position(x, y)
      pixels[start] = newValue.red
      pixels[start + 1] = newValue.green
      pixels[start + 2] = newValue.blue
    }
  }

  private func position(_ x: Int, _ y: Int) -> Int {
    precondition(
      x >= 0 && x < width && y >= 0 && y < height,
      "pixel (\(x), \(y)) outside a picture of \(width) x \(height)")
    return 3 * (y * width + x)
  }
}

/// width * height.
/// - Precondition: both are positive and the product is at most `Image.maximumPixelCount`.
func pixelCount(width: Int, height: Int) -> Int {
  precondition(
    isAcceptableSize(width: width, height: height), "\(width) x \(height) is no size of a picture or mask")
  return width * height
}

/// Whether a picture or mask may have these sides.
package func isAcceptableSize(width: Int, height: Int) -> Bool {
  guard width > 0, height > 0 else { return false }
  let (count, overflow) = width.multipliedReportingOverflow(by: height)
  return !overflow && count <= Image.maximumPixelCount
}

extension Image {
  /// The rectangle whose left top pixel is (`x`, `y`).
  /// - Precondition: the rectangle is not empty and lies inside the picture.
  public func cropped(x: Int, y: Int, width: Int, height: Int) -> Image {
    let samples = croppedElements(
      of: pixels, from: (self.width, self.height), x: x, y: y, width: width, height: height, channels: 3)
    return Image(width: width, height: height, pixels: samples)
  }

  /// Copies `other` into this picture, its left top pixel to (`x`, `y`); what sticks out is left away.
  public mutating func paste(_ other: Image, x: Int, y: Int) {
    let columns = max(x, 0)..<max(min(x + other.width, width), max(x, 0))
    guard !columns.isEmpty else { return }
    for row in max(y, 0)..<max(min(y + other.height, height), max(y, 0)) {
      let source = 3 * ((row - y) * other.width + columns.lowerBound - x)
      let target = 3 * (row * width + columns.lowerBound)
      pixels.replaceSubrange(
        target..<target + 3 * columns.count, with: other.pixels[source..<source + 3 * columns.count])
    }
  }
}

/// The elements of a rectangle of a `[height, width, channels]` array.
/// - Precondition: the rectangle is not empty and lies inside.
package func croppedElements<Element>(
  of elements: [Element], from size: (width: Int, height: Int), x: Int, y: Int, width: Int, height: Int,
  channels: Int = 1
) -> [Element] {
  precondition(
    width > 0 && height > 0 && x >= 0 && y >= 0 && x <= size.width - width && y <= size.height - height,
    "the rectangle of \(width) x \(height) at (\(x), \(y)) is not inside \(size.width) x \(size.height)")
  var cropped: [Element] = []
  cropped.reserveCapacity(width * height * channels)
  for row in y..<y + height {
    let start = (row * size.width + x) * channels
    cropped += elements[start..<start + width * channels]
  }
  return cropped
}
