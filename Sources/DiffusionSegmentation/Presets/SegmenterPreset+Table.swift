import Augment
import Base
import Features
import PixelClassifier
import TensorCore

/// One table for flags, variants of experiments and help.
extension SegmenterPreset: OptionTable {
  public init() { self.init("init", "the reference's method") }

  public static let options: [TableOption<SegmenterPreset>] = [
    number(
      "growth", "How many times as many pictures with changed copies; 1 for none. (default: the preset's)",
      1...1000, get: { $0.augmentation?.factor ?? 1 },
      set: { preset, factor in
        preset.augmentation = factor == 1 ? nil : preset.augmentation ?? AugmentationSchedule()
        preset.augmentation?.factor = factor
      }),
    choice(
      "augmentations",
      "How copies are changed: report, report-literal, mild or flip. (default: the preset's, else report)",
      get: { $0.augmentation?.preset },
      set: { (preset, augmentations) throws(DataError) in
        try preset.changeAugmentation("augmentations") { $0.preset = augmentations }
      }),
    number(
      "augment-probability", "Probability of each change. (default: the preset's, else 0.4)", 0.0...1.0,
      get: { $0.augmentation?.probability ?? 0 },
      set: { (preset, probability) throws(DataError) in
        try preset.changeAugmentation("augment-probability") { $0.probability = probability }
      }),
    number(
      "redraw", "Draw new copies for every epoch.", 0...1,
      get: { $0.augmentation?.isRedrawn == true ? 1 : 0 },
      set: { (preset, isRedrawn) throws(DataError) in
        try preset.changeAugmentation("redraw") { $0.isRedrawn = isRedrawn == 1 }
      }),
    number(
      "epochs",
      "Full passes over the labelled pixels before early stopping is armed. (default: the preset's)",
      0...100, get: { $0.epochs }, set: { $0.epochs = $1 }),
    number(
      "weight-decay", "Weight decay of AdamW; 0 for Adam. (default: the preset's)", 0.0...1.0,
      get: { $0.weightDecay ?? 0 }, set: { $0.weightDecay = $1 > 0 ? $1 : nil }),
    number(
      "dropout", "Probability with which a hidden unit is dropped. (default: the preset's)", 0...Float(0.99),
      get: { $0.dropout }, set: { $0.dropout = $1 }),
    choice(
      "schedule", "How the learning rate changes: constant or cosine. (default: the preset's)",
      get: { $0.schedule }, set: { $0.schedule = $1 }),
    TableOption(
      "prepare",
      "What is done to the features first: \(FeaturePreparation.forms). (default: the preset's)",
      expected: FeaturePreparation.forms, get: { "\($0.preparation)" },
      set: { (preset, text) throws(DataError) in
        preset.preparation = try FeaturePreparation(text)
        return true
      }),
    number(
      "noises",
      "Noises to average features over: 1, or an even number, half of them negatives. (default: the preset's)",
      1...mostFeatureDraws, get: { $0.noiseCount }, set: { $0.noiseCount = $1 }),
    number(
      "models", "Classifiers that vote. (default: the preset's, or the configuration's)", 1...1000,
      get: { $0.members }, set: { $0.members = $1 }),
    TableOption(
      "test-time",
      "Changed versions of a picture that are segmented too: none, report, report-code or flip. (default: the preset's, or as trained)",
      expected: "none, " + TestTimeSet.allCases.map(\.rawValue).joined(separator: ", "),
      get: { $0.prediction.testTime?.rawValue ?? "none" },
      set: { preset, text in
        let set = TestTimeSet(rawValue: text)
        preset.prediction.testTime = set
        return set != nil || text == "none"
      }),
    choice(
      "combine", "How versions are brought together: vote or mean (of probabilities). (default: vote)",
      get: { $0.prediction.combination }, set: { $0.prediction.combination = $1 }),
    TableOption(
      "post",
      "What is done to the labels in the end: \(PostProcessing.forms). (default: the preset's, or as trained)",
      expected: PostProcessing.forms, get: { "\($0.prediction.postProcessing)" },
      set: { (preset, text) throws(DataError) in
        preset.prediction.postProcessing = try PostProcessing(text)
        return true
      }),
  ]

  private mutating func changeAugmentation(
    _ key: String, _ change: (inout AugmentationSchedule) -> Void
  ) throws(DataError) {
    guard var changed = augmentation else {
      throw DataError(
        .invalidArgument, file: key, expected: "a growth of 2 or more, or a preset with one",
        found: "no copies to change")
    }
    change(&changed)
    augmentation = changed
  }

  private static func number<Number: LosslessStringConvertible & Comparable & Sendable>(
    _ key: String, _ help: String, _ range: ClosedRange<Number>,
    get: @escaping @Sendable (SegmenterPreset) -> Number,
    set: @escaping @Sendable (inout SegmenterPreset, Number) throws(DataError) -> Void
  ) -> TableOption<SegmenterPreset> {
    TableOption(
      key, help, expected: "\(range.lowerBound) to \(range.upperBound)", get: { "\(get($0))" },
      set: { (preset, text) throws(DataError) in
        guard let number = Number(text), range.contains(number) else { return false }
        try set(&preset, number)
        return true
      })
  }

  private static func choice<Choice: RawRepresentable<String> & CaseIterable & SendableMetatype>(
    _ key: String, _ help: String, get: @escaping @Sendable (SegmenterPreset) -> Choice?,
    set: @escaping @Sendable (inout SegmenterPreset, Choice) throws(DataError) -> Void
  ) -> TableOption<SegmenterPreset> {
    TableOption(
      key, help, expected: Choice.allCases.map(\.rawValue).joined(separator: ", "),
      get: { get($0)?.rawValue },
      set: { (preset, text) throws(DataError) in
        guard let choice = Choice(rawValue: text) else { return false }
        try set(&preset, choice)
        return true
      })
  }
}
