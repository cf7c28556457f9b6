import Augment
import Base
import Images
import TensorCore
import Testing

struct AugmentationTests {
  static let context = AugmentationContext(width: 48, height: 40)
  static let all: [Augmentation] = [
    .colorJitter(brightness: 0.5, contrast: 1.5, saturation: 0.3, hue: 0.2), .toGray, .channelShuffle,
    .horizontalFlip, .coarseDropout(holes: 2...4, side: 5...60, ignoresLabels: true),
    .randomResizedCrop(scale: 0.3...0.6, ratio: 0.75...4 / 3), .rotate(limit: 90),
    .elasticTransform(alpha: 3, sigma: 4, alphaAffine: 8),
  ]

  private func draws(_ augmentation: Augmentation, count: Int = 200) -> [ImageTransform] {
    (0..<count).map { index in
      var random = Philox(seed: 5).split(UInt64(index))
      return augmentation.draw(Self.context, random: &random)
    }
  }

  /// Every transform can be applied, keeps the size, and is the same each time.
  @Test(arguments: all)
  func drawnTransformsApply(_ augmentation: Augmentation) throws {
    try augmentation.validate()
    let (image, mask) = (randomImage(width: 48, height: 40), randomMask(width: 48, height: 40))
    for transform in draws(augmentation, count: 20) {
      let result = transform.apply(to: image)
      #expect(result.width == 48 && result.height == 40)
      #expect(transform.apply(to: mask).labels.count == mask.labels.count)
      #expect(transform.apply(to: image) == result)
    }
    #expect(draws(augmentation) == draws(augmentation))
  }

  @Test func colorFactorsFillTheirRanges() {
    let jitters = draws(Self.all[0]).compactMap {
      if case .colorJitter(let jitter) = $0 { jitter } else { nil }
    }
    #expect(jitters.count == 200)
    for (values, range) in [
      (jitters.map(\.brightness), 0.5...1.5), (jitters.map(\.contrast), 0...2.5),
      (jitters.map(\.saturation), 0.7...1.3), (jitters.map(\.hue), -0.2...0.2),
    ] {
      #expect(values.allSatisfy(range.contains))
      let spread = (values.max()! - values.min()!) / (range.upperBound - range.lowerBound)
      #expect(spread > 0.9)
    }
    #expect(Set(jitters.map(\.order)).count > 15)
    #expect(jitters.allSatisfy { Set($0.order).count == 4 })
  }

  @Test func holesLieInside() {
    let dropouts = draws(Self.all[4]).compactMap {
      if case .coarseDropout(let dropout) = $0 { dropout } else { nil }
    }
    #expect(Set(dropouts.map(\.holes.count)) == [2, 3, 4])
    for hole in dropouts.flatMap(\.holes) {
      #expect(hole.x >= 0 && hole.x + hole.width <= 48 && hole.y >= 0 && hole.y + hole.height <= 40)
      #expect(hole.width >= 5 && hole.height >= 5)
    }
  }

  @Test func cropsHaveTheirArea() {
    let crops = draws(Self.all[5]).compactMap { if case .resizedCrop(let crop) = $0 { crop } else { nil } }
    #expect(crops.count == 200)
    for crop in crops {
      #expect(crop.x >= 0 && crop.x + crop.width <= 48 && crop.y >= 0 && crop.y + crop.height <= 40)
      let area = Double(crop.width * crop.height) / (48 * 40)
      #expect(area > 0.27 && area < 0.64)
      let ratio = Double(crop.width) / Double(crop.height)
      #expect(ratio > 0.7 && ratio < 1.4)
    }
  }

  /// No rectangle of this ratio has that area: the largest in the middle is taken.
  @Test func cropThatDoesNotFit() {
    var random = Philox(seed: 1)
    let transform = Augmentation.randomResizedCrop(scale: 1...1, ratio: 2...2).draw(
      Self.context, random: &random)
    #expect(
      transform == .resizedCrop(ResizedCrop(x: 0, y: 8, width: 48, height: 24, newWidth: 48, newHeight: 40)))
  }

  @Test(arguments: [
    (Augmentation.colorJitter(brightness: -1, contrast: 0, saturation: 0, hue: 0), "brightness"),
    (.colorJitter(brightness: 0, contrast: .nan, saturation: 0, hue: 0), "contrast"),
    (.colorJitter(brightness: 0, contrast: 0, saturation: 0, hue: 0.6), "hue"),
    (.coarseDropout(holes: 0...2, side: 1...2, ignoresLabels: true), "holes"),
    (.coarseDropout(holes: 1...2, side: 0...2, ignoresLabels: true), "side"),
    (.randomResizedCrop(scale: 0...0.5, ratio: 1...1), "scale"),
    (.randomResizedCrop(scale: 0.5...1.5, ratio: 1...1), "scale"),
    (.randomResizedCrop(scale: 0.5...1, ratio: 0...1), "ratio"), (.rotate(limit: 181), "limit"),
    (.elasticTransform(alpha: -1, sigma: 1, alphaAffine: 0), "alpha"),
    (.elasticTransform(alpha: 1, sigma: 0, alphaAffine: 0), "sigma"),
    (.elasticTransform(alpha: 1, sigma: 1, alphaAffine: -2), "alphaAffine"),
  ])
  func rangesThatMakeNoSense(_ augmentation: Augmentation, _ item: String) {
    let error = #expect(throws: DataError.self) { try augmentation.validate() }
    #expect(error?.file == augmentation.name && error?.item == item && error?.kind == .invalidArgument)
    #expect(throws: DataError.self) { try Compose([augmentation]) }
  }

  @Test(arguments: [-0.1, 1.1, .nan])
  func probabilitiesThatMakeNoSense(_ probability: Double) {
    let error = #expect(throws: DataError.self) { try Compose([.toGray], probability: probability) }
    #expect(error?.item == "probability")
  }
}

struct ComposeTests {
  let context = AugmentationContext(width: 64, height: 64)

  @Test func probabilities() throws {
    for (probability, share) in [(0.0, 0.0...0), (1, 1...1), (0.4, 0.36...0.44)] {
      let compose = try Compose(AugmentationTests.all, probability: probability)
      let counts = (0..<300).map { compose.draw(context, random: Philox(seed: $0)).transforms.count }
      let mean = Double(counts.reduce(0, +)) / Double(300 * AugmentationTests.all.count)
      #expect(share.contains(mean), "\(mean) for \(probability)")
    }
  }

  /// Leaving one augmentation away leaves the draws of the others as they were.
  @Test func drawsAreIndependent() throws {
    let both = try Compose([.rotate(limit: 90), .randomResizedCrop(scale: 0.3...0.6, ratio: 1...1)])
    let second = try Compose([
      .init(.rotate(limit: 90), probability: 0),
      .init(.randomResizedCrop(scale: 0.3...0.6, ratio: 1...1), probability: 1),
    ])
    let random = Philox(seed: 3)
    #expect(
      both.draw(context, random: random).transforms[1] == second.draw(context, random: random).transforms[0])
  }

  /// The report's augmentations leave enough to learn from.
  @Test func reportKeepsLabels() throws {
    let compose = try AugmentationPreset.report.compose(side: 64)
    let mask = LabelMask(width: 64, height: 64, label: 1)
    let kept = (0..<500).map { seed in
      Double(compose.draw(context, random: Philox(seed: seed)).apply(to: mask).histogram[1]) / 4096
    }
    let mean = kept.reduce(0, +) / 500
    #expect(mean >= 0.3)
    // Something is lost, too: else the transforms would not mark what they do not know.
    #expect(mean <= 0.95)
  }

  @Test func lengthsFollowTheSide() throws {
    func dropout(_ preset: AugmentationPreset, _ side: Int) throws -> Augmentation? {
      try preset.compose(side: side).steps.map(\.augmentation).first { $0.name == "CoarseDropout" }
    }
    #expect(try dropout(.report, 64) == .coarseDropout(holes: 2...4, side: 10...15, ignoresLabels: true))
    #expect(
      try dropout(.reportLiteral, 64) == .coarseDropout(holes: 2...4, side: 40...60, ignoresLabels: true))
    #expect(try dropout(.report, 256) == dropout(.reportLiteral, 256))
    #expect(try dropout(.mild, 64) == nil)
  }
}
