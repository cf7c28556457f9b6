import Images
import TensorCore

/// A changed version of a picture that is segmented beside the picture itself.
public struct TestTimeView: Sendable, Hashable {
  /// All are applied.
  public var augmentations: [Augmentation]
  /// Whether what is found inside holes counts for nothing.
  public var forgetsHoles: Bool

  public init(_ augmentations: [Augmentation], forgetsHoles: Bool = false) {
    self.augmentations = augmentations
    self.forgetsHoles = forgetsHoles
  }
}

/// Named sets of views for test-time augmentation. The picture itself is always seen and votes first.
public enum TestTimeSet: String, Sendable, Hashable, CaseIterable {
  /// The four of the report's text.
  case report
  /// The four of the report's code.
  case reportCode = "report-code"
  /// The mirrored picture alone.
  case flip

  /// The views for pictures whose shorter side has `side` pixels.
  public func views(side: Int) -> [TestTimeView] {
    let gray = Augmentation.toGray
    let jitter = Augmentation.reportColorJitter
    let dropout = Augmentation.reportDropout(scale: Double(side) / 256, ignoresLabels: false)
    switch self {
    case .report:
      return [
        TestTimeView([gray, dropout]), TestTimeView([gray]), TestTimeView([jitter, .horizontalFlip]),
        TestTimeView([jitter, .horizontalFlip, .channelShuffle]),
      ]
    case .reportCode:
      return [
        TestTimeView([gray, dropout]), TestTimeView([jitter, .horizontalFlip]),
        TestTimeView([dropout, jitter], forgetsHoles: true),
        TestTimeView([jitter, .horizontalFlip, .channelShuffle]),
      ]
    case .flip: return [TestTimeView([.horizontalFlip])]
    }
  }

  /// The transforms of each view for one picture.
  ///
  /// They depend on the seed, the picture's file name and the view, so that a picture always gets the same votes,
  /// whatever other pictures there are.
  /// - Parameters:
  ///   - context: size of the picture, the ignore label, and classes that a mirror exchanges
  ///   - seed: of all pictures
  ///   - name: the picture's file name, without its folder
  public func replays(
    _ context: AugmentationContext, seed: UInt64, name: String
  ) -> [TestTimeReplay] {
    let random = Philox(seed: seed).split(name: name)
    return views(side: min(context.width, context.height)).enumerated().map { index, view in
      // The ranges of the sets above are valid.
      let compose = try! Compose(view.augmentations)
      return TestTimeReplay(
        replay: compose.draw(context, random: random.split(UInt64(index))), forgetsHoles: view.forgetsHoles)
    }
  }
}
