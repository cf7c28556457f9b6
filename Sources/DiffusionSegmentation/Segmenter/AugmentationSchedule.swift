import Augment
import Base
import TensorCore

/// How a training set is made larger by augmented copies of its pictures: how many, of what kind, drawn when.
public struct AugmentationSchedule: Sendable, Hashable {
  /// How many times as many pictures there are with the copies, at least 2.
  public var factor: Int
  public var preset: AugmentationPreset
  /// Probability of each augmentation of the preset, 0 ... 1.
  public var probability: Double
  /// Whether the copies are drawn anew for every epoch. The report draws them once.
  public var isRedrawn: Bool

  /// The report's: five times as many pictures, each change with a probability of 0.4, drawn once.
  public init(
    factor: Int = 5, preset: AugmentationPreset = .report,
    probability: Double = AugmentationPreset.reportProbability, isRedrawn: Bool = false
  ) {
    self.factor = factor
    self.preset = preset
    self.probability = probability
    self.isRedrawn = isRedrawn
  }

  /// - Throws: `DataError` when the factor is below 2 or above 1000, or the probability not in 0...1.
  public func validate() throws(DataError) {
    guard (2...1000).contains(factor) else {
      throw DataError(
        .invalidArgument, file: "growth", item: "factor", expected: "2 to 1000", found: "\(factor)")
    }
    _ = try preset.compose(side: 256, probability: probability)
  }

  /// The generator of all copies of an epoch; of a training whose copies are drawn once, the first epoch's.
  public static func random(seed: UInt64, epoch: Int = 0) -> Philox {
    Philox(seed: seed).split(.copies).split(UInt64(epoch))
  }

  /// An augmented copy of a picture that is as large as the network's input without padding.
  ///
  /// It depends on the generator, the number of the copy and that of the picture, and on nothing else.
  /// - Parameters:
  ///   - item: the picture and its labels
  ///   - copy: from 0
  ///   - index: of the picture
  ///   - classes: the ignore label, and classes that a mirror exchanges
  ///   - random: of the training, or of the epoch
  public func augmented(
    _ item: LabelledImage, copy: Int, index: Int, classes: ClassList, random: Philox
  ) throws(DataError) -> LabelledImage {
    let context = AugmentationContext(
      width: item.image.width, height: item.image.height, ignoreLabel: classes.ignoreLabel,
      flipPairs: classes.flipPairs)
    let compose = try preset.compose(
      side: min(item.image.width, item.image.height), probability: probability)
    let replay = compose.draw(context, random: random.split(UInt64(copy)).split(UInt64(index)))
    return LabelledImage(
      path: item.path, image: replay.apply(to: item.image), mask: replay.apply(to: item.mask))
  }
}
