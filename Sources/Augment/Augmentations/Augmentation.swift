import Base
import Images

/// A random change of pictures and their labels: the ranges that a transform's numbers are drawn from.
///
/// Names, ranges and what is drawn are those of albumentations 1.3.1; lengths are pixels.
public enum Augmentation: Sendable, Hashable {
  /// Factors of brightness, contrast and saturation from max(0, 1 - v) ... 1 + v; hue turned by -hue ... hue of
  /// the circle; the four in random order.
  case colorJitter(brightness: Float, contrast: Float, saturation: Float, hue: Float)
  case toGray
  case channelShuffle
  case horizontalFlip
  /// Rectangles painted black, `holes` of them with sides of `side` pixels; their labels become the ignore label,
  /// or stay.
  case coarseDropout(holes: ClosedRange<Int>, side: ClosedRange<Int>, ignoresLabels: Bool)
  /// A rectangle with a share of the area and a ratio of width to height, brought to the picture's size.
  case randomResizedCrop(scale: ClosedRange<Double>, ratio: ClosedRange<Double>)
  /// A turn by -limit ... limit degrees; black and the ignore label outside.
  case rotate(limit: Double)
  /// Three corners moved by -alphaAffine ... alphaAffine pixels, then noise of `alpha` pixels smoothed with a
  /// deviation of `sigma`; black and the ignore label outside.
  case elasticTransform(alpha: Double, sigma: Double, alphaAffine: Double)

  /// The ratio of width to height of `RandomResizedCrop` unless said otherwise.
  public static let defaultRatio = 0.75...4 / 3

  /// Checks all ranges.
  /// - Throws: `DataError` that names the augmentation, what is wrong, and what would be right.
  public func validate() throws(DataError) {
    switch self {
    case .colorJitter(let brightness, let contrast, let saturation, let hue):
      for (item, value) in [("brightness", brightness), ("contrast", contrast), ("saturation", saturation)] {
        try require(value >= 0 && value.isFinite, item, "0 or above", "\(value)")
      }
      try require((0...0.5).contains(hue), "hue", "0 to 0.5", "\(hue)")
    case .toGray, .channelShuffle, .horizontalFlip: break
    case .coarseDropout(let holes, let side, _):
      try require(holes.lowerBound >= 1, "holes", "at least 1", "\(holes)")
      try require(side.lowerBound >= 1, "side", "at least 1 pixel", "\(side)")
    case .randomResizedCrop(let scale, let ratio):
      try require(
        scale.lowerBound > 0 && scale.upperBound <= 1, "scale", "above 0 and at most 1", "\(scale)")
      try require(ratio.lowerBound > 0 && ratio.upperBound.isFinite, "ratio", "above 0", "\(ratio)")
    case .rotate(let limit):
      try require((0...180).contains(limit), "limit", "0 to 180 degrees", "\(limit)")
    case .elasticTransform(let alpha, let sigma, let alphaAffine):
      try require(alpha >= 0 && alpha.isFinite, "alpha", "0 or above", "\(alpha)")
      try require(sigma > 0 && sigma <= 10_000, "sigma", "above 0 and at most 10000 pixels", "\(sigma)")
      try require(alphaAffine >= 0 && alphaAffine.isFinite, "alphaAffine", "0 or above", "\(alphaAffine)")
    }
  }

  private func require(_ isRight: Bool, _ item: String, _ expected: String, _ found: String) throws(DataError)
  {
    if !isRight {
      throw DataError(.invalidArgument, file: name, item: item, expected: expected, found: found)
    }
  }

  /// As albumentations calls it.
  public var name: String {
    switch self {
    case .colorJitter: "ColorJitter"
    case .toGray: "ToGray"
    case .channelShuffle: "ChannelShuffle"
    case .horizontalFlip: "HorizontalFlip"
    case .coarseDropout: "CoarseDropout"
    case .randomResizedCrop: "RandomResizedCrop"
    case .rotate: "Rotate"
    case .elasticTransform: "ElasticTransform"
    }
  }
}
