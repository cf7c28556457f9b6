import Images
import TensorCore

/// An affine warp by three points and then a smooth random displacement of every pixel.
///
/// Source: albumentations 1.3.1 (`ElasticTransform`). With the report's alpha of 1 and sigma of 50 pixels the
/// displacement is below a hundredth of a pixel and the affine part is all that shows.
public struct ElasticWarp: Sendable, Hashable {
  public var affine: AffineWarp
  /// Length of the displacement before smoothing, in pixels.
  public var alpha: Double
  /// Deviation of the Gaussian that smooths it, in pixels, above 0.
  public var sigma: Double
  /// Fixes the displacement, which is drawn when it is needed rather than kept.
  public var seed: UInt64

  public init(affine: AffineWarp, alpha: Double, sigma: Double, seed: UInt64) {
    (self.affine, self.alpha, self.sigma, self.seed) = (affine, alpha, sigma, seed)
  }

  public func apply(to image: Image) -> Image {
    let moved = affine.apply(to: image)
    guard alpha != 0 else { return moved }
    return displaced(moved, by: field(width: image.width, height: image.height), border: affine.border)
  }

  public func apply(to mask: LabelMask) -> LabelMask {
    let moved = affine.apply(to: mask)
    guard alpha != 0 else { return moved }
    return displaced(moved, by: field(width: mask.width, height: mask.height), border: affine.border)
  }

  func field(width: Int, height: Int) -> DisplacementField {
    var random = Philox(seed: seed)
    let draws = (0..<2).map { _ in (0..<width * height).map { _ in random.uniform() } }
    let shifts = draws.map {
      DisplacementField.smoothed(uniform: $0, width: width, height: height, sigma: sigma, alpha: alpha)
    }
    return DisplacementField(dx: shifts[0], dy: shifts[1], width: width)
  }

  /// Labels brought back, and `outside` where the result saw nothing.
  func invert(_ mask: LabelMask, outside: UInt8) -> LabelMask {
    var mask = mask
    if alpha != 0 {
      mask = warped(
        mask, width: mask.width, height: mask.height,
        places: InverseDisplacement(
          field: field(width: mask.width, height: mask.height), width: mask.width, height: mask.height),
        border: .constant(color: .black, label: outside))
    }
    return affine.invert(mask, outside: outside)
  }
}

package func displaced(_ image: Image, by field: DisplacementField, border: Border) -> Image {
  warped(image, width: image.width, height: image.height, places: field, border: border)
}

package func displaced(_ mask: LabelMask, by field: DisplacementField, border: Border) -> LabelMask {
  warped(mask, width: mask.width, height: mask.height, places: field, border: border)
}

/// The picture before it is rounded to 8 bits: `[height, width, 3]`.
package func displacedSamples(_ image: Image, by field: DisplacementField, border: Border) -> [Float] {
  interpolated(image, width: image.width, height: image.height, places: field, border: border)
}

/// The pixel that a displacement field moved to a place: `p + d(p) = q` solved for p by iteration, which converges
/// where the field is smooth, as these are.
private struct InverseDisplacement: SourcePlaces {
  let field: DisplacementField
  let width: Int
  let height: Int

  func place(x: Int, y: Int) -> SIMD2<Double> {
    let target = SIMD2(Double(x), Double(y))
    var place = target
    for _ in 0..<8 {
      let (column, row) = (
        min(max(Int(place.x.rounded()), 0), width - 1), min(max(Int(place.y.rounded()), 0), height - 1)
      )
      let pixel = row * width + column
      place = target - SIMD2(field.dx[pixel], field.dy[pixel])
    }
    return place
  }
}
