import Base
import TensorCore

/// Augmentations one after the other, each applied with a probability.
public struct Compose: Sendable, Hashable {
  public struct Step: Sendable, Hashable {
    public var augmentation: Augmentation
    /// 0 ... 1
    public var probability: Double

    public init(_ augmentation: Augmentation, probability: Double) {
      self.augmentation = augmentation
      self.probability = probability
    }
  }

  public let steps: [Step]

  /// - Throws: `DataError` when a range or probability makes no sense.
  public init(_ steps: [Step]) throws(DataError) {
    for step in steps {
      try step.augmentation.validate()
      guard (0...1).contains(step.probability) else {
        throw DataError(
          .invalidArgument, file: step.augmentation.name, item: "probability", expected: "0 to 1",
          found: "\(step.probability)")
      }
    }
    self.steps = steps
  }

  /// The same probability for all.
  /// - Throws: `DataError` when a range or the probability makes no sense.
  public init(_ augmentations: [Augmentation], probability: Double = 1) throws(DataError) {
    try self.init(augmentations.map { Step($0, probability: probability) })
  }

  /// Draws which are applied, and their numbers.
  ///
  /// Each augmentation draws from a generator of its own, so that leaving one away changes no other.
  public func draw(_ context: AugmentationContext, random: Philox) -> Replay {
    var transforms: [ImageTransform] = []
    for (index, step) in steps.enumerated() {
      var own = random.split(UInt64(index))
      // A number in [0, 1) is below 1 always and below 0 never.
      if own.real(in: 0...1) < step.probability {
        transforms.append(step.augmentation.draw(context, random: &own))
      }
    }
    return Replay(width: context.width, height: context.height, transforms: transforms)
  }
}
