import Images

/// A picture moved by an affine map, its size kept.
public struct AffineWarp: Sendable, Hashable {
  /// Where each pixel of the picture goes.
  public let matrix: AffineMatrix
  public let border: Border
  /// Where each pixel of the result comes from.
  package let inverse: AffineMatrix

  /// - Precondition: the matrix can be inverted.
  public init(_ matrix: AffineMatrix, border: Border) {
    guard let inverse = matrix.inverse else { preconditionFailure("\(matrix) flattens the picture") }
    (self.matrix, self.border, self.inverse) = (matrix, border, inverse)
  }

  public func apply(to image: Image) -> Image {
    warped(image, width: image.width, height: image.height, places: inverse, border: border)
  }

  public func apply(to mask: LabelMask) -> LabelMask {
    warped(mask, width: mask.width, height: mask.height, places: inverse, border: border)
  }

  /// The picture before it is rounded to 8 bits: `[height, width, 3]`.
  package func samples(of image: Image) -> [Float] {
    interpolated(image, width: image.width, height: image.height, places: inverse, border: border)
  }

  /// Labels brought back, and `outside` where the result saw nothing.
  func invert(_ mask: LabelMask, outside: UInt8) -> LabelMask {
    warped(
      mask, width: mask.width, height: mask.height, places: matrix,
      border: .constant(color: .black, label: outside))
  }
}
