import Foundation

/// An affine map of the plane, in pixels: `x' = a x + b y + c`, `y' = d x + e y + f`.
///
/// Pixel centres have whole coordinates, x counts to the right and y down, as in OpenCV.
public struct AffineMatrix: Sendable, Hashable {
  public var a, b, c, d, e, f: Double

  public init(_ a: Double, _ b: Double, _ c: Double, _ d: Double, _ e: Double, _ f: Double) {
    (self.a, self.b, self.c, self.d, self.e, self.f) = (a, b, c, d, e, f)
  }

  public static let identity = AffineMatrix(1, 0, 0, 0, 1, 0)

  /// A turn about the middle of a picture, counterclockwise for the eye (OpenCV's `getRotationMatrix2D`).
  public init(rotation degrees: Double, width: Int, height: Int) {
    let (x, y) = (Double(width) / 2 - 0.5, Double(height) / 2 - 0.5)
    let (cosine, sine) = (cos(degrees * .pi / 180), sin(degrees * .pi / 180))
    self.init(cosine, sine, (1 - cosine) * x - sine * y, -sine, cosine, sine * x + (1 - cosine) * y)
  }

  /// The map that takes three points to three others (OpenCV's `getAffineTransform`); nil when the first three
  /// lie on a line.
  public init?(_ points: [SIMD2<Double>], to targets: [SIMD2<Double>]) {
    precondition(
      points.count == 3 && targets.count == 3, "\(points.count) points to \(targets.count), 3 to 3 are needed"
    )
    let (u, v) = (points[1] - points[0], points[2] - points[0])
    let determinant = u.x * v.y - u.y * v.x
    guard determinant != 0 else { return nil }
    let (p, q) = (targets[1] - targets[0], targets[2] - targets[0])
    let columnX = (p * v.y - q * u.y) / determinant
    let columnY = (q * u.x - p * v.x) / determinant
    let shift = targets[0] - columnX * points[0].x - columnY * points[0].y
    self.init(columnX.x, columnY.x, shift.x, columnX.y, columnY.y, shift.y)
  }

  /// The map that undoes this one; nil when it flattens the plane.
  public var inverse: AffineMatrix? {
    let determinant = a * e - b * d
    guard determinant != 0, determinant.isFinite else { return nil }
    let (p, q, r, s) = (e / determinant, -b / determinant, -d / determinant, a / determinant)
    return AffineMatrix(p, q, -p * c - q * f, r, s, -r * c - s * f)
  }

  @inline(__always)
  public func callAsFunction(_ x: Double, _ y: Double) -> SIMD2<Double> {
    SIMD2(a * x + b * y + c, d * x + e * y + f)
  }

  /// `[2, 3]`, row by row.
  public var elements: [Double] { [a, b, c, d, e, f] }
}
