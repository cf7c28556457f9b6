import Augment
import Base
import Features
import PixelClassifier
import TensorCore

extension SegmenterPreset {
  /// The form that `init(variant:)` reads.
  public static let variantForm = "NAME=PRESET,SETTING=VALUE,…"

  /// A preset with some settings changed, as one would change them with the flags of `dseg train`: `steady=init,\
  /// epochs=2,schedule=cosine`.
  /// - Throws: `DataError` that names the setting when there is no such preset or setting, or a value is of no use.
  public init(variant text: String) throws(DataError) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let name = parts[0]
    guard parts.count == 2, SegmenterPreset.isName(name) else {
      throw SegmenterPreset.refusal(
        text, "name", "\(SegmenterPreset.variantForm), the name of letters, digits, - and _", text)
    }
    if SegmenterPreset.all.contains(where: { $0.id == name }) {
      throw SegmenterPreset.refusal(text, "name", "one that no preset has", name)
    }
    let settings = parts[1].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    self = try .named(settings[0])
    summary = "a variant of \(id)"
    id = name
    for setting in settings.dropFirst() {
      let pair = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
        String.init)
      guard pair.count == 2 else { throw SegmenterPreset.refusal(text, "setting", "SETTING=VALUE", setting) }
      try change(pair[0], to: pair[1], in: text)
    }
    try growth?.validate()
  }

  /// Names become those of files.
  private static func isName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 64
      && name.unicodeScalars.allSatisfy {
        $0.isASCII && ($0.properties.isAlphabetic || "0123456789-_".unicodeScalars.contains($0))
      }
  }

  private static func refusal(_ text: String, _ item: String, _ expected: String, _ found: String)
    -> DataError
  {
    DataError(.invalidArgument, file: "variant \(text)", item: item, expected: expected, found: found)
  }

  private mutating func change(_ setting: String, to value: String, in text: String) throws(DataError) {
    func number<Number: LosslessStringConvertible & Comparable>(
      _ range: ClosedRange<Number>
    ) throws(DataError) -> Number {
      guard let number = Number(value), range.contains(number) else {
        throw SegmenterPreset.refusal(text, setting, "\(range.lowerBound) to \(range.upperBound)", value)
      }
      return number
    }
    func choice<Choice: CaseIterable & RawRepresentable<String>>(_: Choice.Type) throws(DataError) -> Choice {
      guard let choice = Choice(rawValue: value) else {
        throw SegmenterPreset.refusal(
          text, setting, Choice.allCases.map(\.rawValue).joined(separator: ", "), value)
      }
      return choice
    }
    switch setting {
    case "growth":
      let factor = try number(1...1000)
      growth = factor == 1 ? nil : growth ?? TrainingGrowth()
      growth?.factor = factor
    case "augmentations", "augment-probability", "redraw":
      guard var changed = growth else {
        throw SegmenterPreset.refusal(text, setting, "a growth of 2 or more before it", "no copies to change")
      }
      switch setting {
      case "augmentations": changed.preset = try choice(AugmentationPreset.self)
      case "redraw": changed.isRedrawn = try number(0...1) == 1
      default: changed.probability = try number(0...1)
      }
      growth = changed
    case "epochs": epochs = try number(0...100)
    case "weight-decay":
      let decay: Double = try number(0...1)
      weightDecay = decay > 0 ? decay : nil
    case "dropout": dropout = try number(0...0.99)
    case "schedule": schedule = try choice(LearningRateSchedule.self)
    case "prepare": preparation = try FeaturePreparation(value)
    case "noises": noises = try number(1...mostFeatureDraws)
    case "models": members = try number(1...1000)
    case "test-time": prediction.testTime = value == "none" ? nil : try choice(TestTimeSet.self)
    case "combine": prediction.combination = try choice(TestTimeCombination.self)
    case "post": prediction.postProcessing = try PostProcessing(value)
    default: throw SegmenterPreset.refusal(text, "setting", SegmenterPreset.variantSettings, setting)
    }
  }

  /// What `init(variant:)` can change.
  public static let variantSettings =
    "growth, augmentations, augment-probability, redraw, epochs, weight-decay, dropout, schedule, prepare, noises, "
    + "models, test-time, combine, post"
}
