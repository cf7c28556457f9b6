import Base

/// Named sets of augmentations for training pictures.
public enum AugmentationPreset: String, Sendable, Hashable, CaseIterable {
  /// The report's, with all lengths in proportion to the picture (they were meant for 256 pixels).
  case report
  /// The report's with its lengths in pixels, whatever the picture's size.
  case reportLiteral = "report-literal"
  /// Gentler: most of a picture stays in it, upright and in its colours.
  case mild
  /// Mirror images, nothing else.
  case flip

  /// The probability of each augmentation in the report.
  public static let reportProbability = 0.4

  /// The augmentations in their order.
  /// - Parameters:
  ///   - side: the shorter side of the pictures, in pixels
  ///   - probability: of each
  /// - Throws: `DataError` when the probability is not in 0...1.
  public func compose(
    side: Int, probability: Double = AugmentationPreset.reportProbability
  ) throws(DataError) -> Compose {
    try Compose(augmentations(side: side), probability: probability)
  }

  private func augmentations(side: Int) -> [Augmentation] {
    let scale = self == .reportLiteral ? 1 : Double(side) / 256
    switch self {
    case .report, .reportLiteral:
      return [
        .reportColorJitter, .toGray, .horizontalFlip, .reportDropout(scale: scale, ignoresLabels: true),
        .randomResizedCrop(scale: 0.3...0.6, ratio: Augmentation.defaultRatio), .rotate(limit: 90),
        .elasticTransform(alpha: 1, sigma: 50 * scale, alphaAffine: 50 * scale),
      ]
    case .flip: return [.horizontalFlip]
    case .mild:
      return [
        .colorJitter(brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.02), .horizontalFlip,
        .randomResizedCrop(scale: 0.6...1, ratio: Augmentation.defaultRatio), .rotate(limit: 15),
        .elasticTransform(alpha: 0, sigma: 1, alphaAffine: 12 * scale),
      ]
    }
  }
}

extension Augmentation {
  /// The report's change of colours.
  static let reportColorJitter = Augmentation.colorJitter(
    brightness: 0.5, contrast: 0.5, saturation: 0.5, hue: 0.2)

  /// The report's holes: 2 to 4 with sides of 40 to 60 of 256 pixels.
  static func reportDropout(scale: Double, ignoresLabels: Bool) -> Augmentation {
    let sides = [40, 60].map { max(1, Int(($0 * scale).rounded())) }
    return .coarseDropout(holes: 2...4, side: sides[0]...sides[1], ignoresLabels: ignoresLabels)
  }
}
