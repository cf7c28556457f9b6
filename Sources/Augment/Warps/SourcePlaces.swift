/// Where in a picture each pixel of a result is read.
package protocol SourcePlaces {
  func place(x: Int, y: Int) -> SIMD2<Double>
}

extension AffineMatrix: SourcePlaces {
  @inline(__always)
  package func place(x: Int, y: Int) -> SIMD2<Double> { self(Double(x), Double(y)) }
}

/// A rectangle of the source spread over the whole result, pixel areas upon pixel areas: the half-pixel
/// centres of OpenCV's and PyTorch's resize.
struct RectanglePlaces: SourcePlaces {
  private let origin: SIMD2<Double>
  private let scale: SIMD2<Double>

  /// - Parameters:
  ///   - x: left column of the rectangle, which may lie outside of the source
  ///   - y: its top row
  ///   - width: of the rectangle
  ///   - height: of the rectangle
  ///   - resultWidth: pixels of a row of the result
  ///   - resultHeight: rows of the result
  init(x: Double, y: Double, width: Double, height: Double, resultWidth: Int, resultHeight: Int) {
    scale = SIMD2(width / Double(resultWidth), height / Double(resultHeight))
    origin = SIMD2(x - 0.5, y - 0.5)
  }

  @inline(__always)
  func place(x: Int, y: Int) -> SIMD2<Double> {
    origin + (SIMD2(Double(x), Double(y)) + 0.5) * scale
  }
}
