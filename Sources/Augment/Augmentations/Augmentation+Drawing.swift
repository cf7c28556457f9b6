import Foundation
import Images
import TensorCore

/// What drawing a transform depends on beside chance.
public struct AugmentationContext: Sendable, Hashable {
  /// Size of the picture.
  public var width: Int
  public var height: Int
  /// Label of pixels about which nothing is known.
  public var ignoreLabel: UInt8
  /// Classes that a mirror exchanges.
  public var flipPairs: ClassPairs

  public init(
    width: Int, height: Int, ignoreLabel: UInt8 = LabelMask.ignoreLabel, flipPairs: ClassPairs = .none
  ) {
    (self.width, self.height) = (width, height)
    (self.ignoreLabel, self.flipPairs) = (ignoreLabel, flipPairs)
  }
}

extension Augmentation {
  /// A transform with its numbers drawn.
  /// - Precondition: the ranges are valid, see `validate()`.
  public func draw(_ context: AugmentationContext, random: inout Philox) -> ImageTransform {
    switch self {
    case .colorJitter(let brightness, let contrast, let saturation, let hue):
      return .colorJitter(
        ColorJitter(
          brightness: random.factor(around: brightness), contrast: random.factor(around: contrast),
          saturation: random.factor(around: saturation),
          hue: random.real(in: -Double(hue)...Double(hue)),
          order: random.shuffled(ColorJitter.Stage.allCases)))
    case .toGray: return .toGray
    case .channelShuffle: return .channelShuffle(order: random.shuffled([0, 1, 2]))
    case .horizontalFlip: return .horizontalFlip(exchanging: context.flipPairs)
    case .coarseDropout(let holes, let side, let ignoresLabels):
      return .coarseDropout(
        CoarseDropout(
          holes: (0..<random.integer(in: holes)).map { _ in Self.hole(side, context, &random) },
          label: ignoresLabels ? context.ignoreLabel : nil))
    case .randomResizedCrop(let scale, let ratio):
      return .resizedCrop(Self.crop(scale, ratio, context, &random))
    case .rotate(let limit):
      let matrix = AffineMatrix(
        rotation: random.real(in: -limit...limit), width: context.width, height: context.height)
      return .affine(AffineWarp(matrix, border: context.border))
    case .elasticTransform(let alpha, let sigma, let alphaAffine):
      return .elastic(
        ElasticWarp(
          affine: AffineWarp(Self.affineJitter(alphaAffine, context, &random), border: context.border),
          alpha: alpha, sigma: sigma, seed: random.next()))
    }
  }

  private static func hole(
    _ side: ClosedRange<Int>, _ context: AugmentationContext, _ random: inout Philox
  ) -> CoarseDropout.Hole {
    let (height, width) = (
      min(random.integer(in: side), context.height), min(random.integer(in: side), context.width)
    )
    let y = random.integer(in: 0...context.height - height)
    return CoarseDropout.Hole(
      x: random.integer(in: 0...context.width - width), y: y, width: width, height: height)
  }

  private static func crop(
    _ scale: ClosedRange<Double>, _ ratio: ClosedRange<Double>, _ context: AugmentationContext,
    _ random: inout Philox
  ) -> ResizedCrop {
    let area = Double(context.width * context.height)
    for _ in 0..<10 {
      let target = random.real(in: scale) * area
      let aspect = exp(random.real(in: log(ratio.lowerBound)...log(ratio.upperBound)))
      let width = Int((target * aspect).squareRoot().rounded(.toNearestOrEven))
      let height = Int((target / aspect).squareRoot().rounded(.toNearestOrEven))
      guard (1...context.width).contains(width), (1...context.height).contains(height) else { continue }
      // albumentations draws a place and keeps it as a fraction of the room there is, which comes to the same.
      let y = random.integer(in: 0...context.height - height)
      return ResizedCrop(
        x: random.integer(in: 0...context.width - width), y: y, width: width, height: height,
        newWidth: context.width, newHeight: context.height)
    }
    // The largest rectangle in the middle that keeps to the ratio.
    let whole = Double(context.width) / Double(context.height)
    var (width, height) = (context.width, context.height)
    if whole < ratio.lowerBound { height = max(1, Int((Double(width) / ratio.lowerBound).rounded())) }
    if whole > ratio.upperBound { width = max(1, Int((Double(height) * ratio.upperBound).rounded())) }
    return ResizedCrop(
      x: (context.width - width) / 2, y: (context.height - height) / 2, width: width, height: height,
      newWidth: context.width, newHeight: context.height)
  }

  /// Three points about the middle, moved. A draw that lays them on a line is drawn again.
  private static func affineJitter(
    _ jitter: Double, _ context: AugmentationContext, _ random: inout Philox
  ) -> AffineMatrix {
    let side = Double(min(context.width, context.height) / 3)
    // The library takes (height, width) for (x, y) here.
    let center = SIMD2(Double(context.height / 2), Double(context.width / 2))
    let points = [center + side, SIMD2(center.x + side, center.y - side), center - side]
    for _ in 0..<10 where side > 0 {
      let moved = points.map { point in
        let shift = random.real(in: -jitter...jitter)
        return point + SIMD2(shift, random.real(in: -jitter...jitter))
      }
      if let matrix = AffineMatrix(points, to: moved), matrix.inverse != nil { return matrix }
    }
    return .identity
  }
}

extension AugmentationContext {
  fileprivate var border: Border { .constant(color: .black, label: ignoreLabel) }
}

extension Philox {
  /// max(0, 1 - v) ... 1 + v.
  fileprivate mutating func factor(around v: Float) -> Double {
    real(in: max(0, 1 - Double(v))...1 + Double(v))
  }
}
