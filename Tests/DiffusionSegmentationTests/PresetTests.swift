import Base
import DiffusionSegmentation
import Foundation
import TestSupport
import Testing

struct PresetTests {
  /// Every preset differs from `init` in what it stores and in what it says about a picture.
  @Test func presetsDifferFromInit() throws {
    let world = try TinyWorld()
    let image = TinyWorld.scene(9, width: 32, height: 32).0
    var records: [String: String] = [:]
    var labels: [String: [UInt8]] = [:]
    for preset in SegmenterPreset.all {
      var options = SegmenterOptions()
      preset.apply(to: &options)
      let segmenter = try Segmenter.train(
        on: world.labelled(), features: preset.features(world.features()), options: options,
        prediction: preset.prediction)
      let path = world.folder.path("\(preset.id).safetensors")
      try segmenter.write(to: path)
      let read = try Segmenter(contentsOf: path)
      #expect(
        read.features.models[0].record.selection["noises"] == "\(preset.noiseCount)"
          && read.prediction == preset.prediction
      )
      records[preset.id] = "\(read.training!) \(read.prediction) \(read.features.models[0].record.selection)"
      labels[preset.id] = try read.segment(image, name: "a.png").labels.labels
    }
    for preset in SegmenterPreset.all.dropFirst() {
      #expect(records[preset.id] != records["init"], "\(preset.id)")
      #expect(labels[preset.id] != labels["init"], "\(preset.id)")
    }
    #expect(Set(records.values).count == records.count)
  }

  /// The settings of the report's experiments (section 5; its table 5.8).
  @Test(arguments: [
    ("init", 1, 4, 0.0, Float(0), false), ("init-11", 1, 11, 0, 0, false), ("morphology", 1, 4, 0, 0, false),
    ("augs", 5, 4, 0, 0, false), ("augs-11", 5, 11, 0, 0, false), ("anti-overfit", 5, 11, 1e-4, 0.4, false),
    ("final", 5, 11, 1e-4, 0.4, true),
  ])
  func reportSettings(
    _ name: String, factor: Int, epochs: Int, weightDecay: Double, dropout: Float, hasTestTime: Bool
  ) throws {
    let preset = try SegmenterPreset.named(name)
    var options = SegmenterOptions(seed: 3)
    preset.apply(to: &options)
    #expect(
      (options.augmentation?.factor ?? 1) == factor && options.epochs == epochs && options.members == 10)
    #expect(options.optimizer.weightDecay == weightDecay && options.dropout == dropout)
    #expect(options.optimizer.decay == (weightDecay > 0 ? .decoupled : .inGradient))
    #expect(options.optimizer.learningRate == 1e-3 && options.schedule == .constant && options.seed == 3)
    #expect(
      options.augmentation.map { $0.preset == .report && $0.probability == 0.4 && !$0.isRedrawn } ?? true)
    #expect((preset.prediction.testTime == .report) == hasTestTime && preset.prediction.combination == .vote)
    #expect((preset.prediction.postProcessing == .reportOpening) == (name == "morphology"))
  }

  /// What cross-validation chose (docs/presets.md).
  @Test func bestSettings() throws {
    let preset = try SegmenterPreset.named("best")
    var options = SegmenterOptions()
    preset.apply(to: &options)
    #expect(
      options.augmentation == nil && options.epochs == 8 && options.members == 10 && options.dropout == 0)
    #expect(options.optimizer.weightDecay == 0.1 && options.optimizer.decay == .decoupled)
    #expect(options.schedule == .cosine && options.preparation == .standardized && preset.noiseCount == 2)
    #expect(preset.prediction == PredictionSettings(testTime: .flip, combination: .mean))
    #expect(try preset.features(TinyWorld().features()).models[0].record.selection["noises"] == "2")
  }

  @Test func otherNamesAreRefused() {
    let error = #expect(throws: DataError.self) { try SegmenterPreset.named("best-ever") }
    #expect(error?.expected.contains("init, init-11") == true)
  }

  /// Settings of a variant are those of the flags of the same names.
  @Test func variants() throws {
    let text =
      "a_1=final,growth=4,augmentations=mild,augment-probability=0.5,redraw=1,epochs=2,weight-decay=0.01,"
      + "dropout=0.25,schedule=cosine,prepare=whiten:32,models=5,test-time=flip,combine=mean,post=majority:3"
    let variant = try SegmenterPreset(variant: text)
    #expect(variant.id == "a_1" && variant.epochs == 2 && variant.members == 5 && variant.dropout == 0.25)
    #expect(
      variant.augmentation
        == AugmentationSchedule(factor: 4, preset: .mild, probability: 0.5, isRedrawn: true))
    #expect(variant.weightDecay == 0.01 && variant.schedule == .cosine)
    #expect(variant.preparation == .principalComponents(32, whitened: true))
    #expect(variant.prediction.testTime == .flip && variant.prediction.combination == .mean)
    #expect("\(variant.prediction.postProcessing)" == "majority:3")
    var options = SegmenterOptions()
    variant.apply(to: &options)
    #expect(options.preparation == variant.preparation && options.augmentation == variant.augmentation)
    // What is not named stays.
    let same = try SegmenterPreset(variant: "b=final")
    let final = try SegmenterPreset.named("final")
    #expect(same.row.dropFirst() == final.row.dropFirst() && same.id == "b")
    let plain = try SegmenterPreset(variant: "c=final,growth=1,weight-decay=0,test-time=none")
    #expect(plain.augmentation == nil && plain.weightDecay == nil && plain.prediction.testTime == nil)
  }

  @Test(arguments: [
    ("init", "NAME=PRESET"), ("=init", "NAME=PRESET"), ("a/b=init", "NAME=PRESET"),
    ("init=final", "no preset has"),
    ("a=best-ever", "init, init-11"), ("a=init,epochs", "SETTING=VALUE"), ("a=init,epochs=x", "0 to 100"),
    ("a=init,speed=9", "growth, augmentations"), ("a=init,dropout=1", "0.0 to 0.99"),
    ("a=init,augmentations=mild", "a growth of 2"), ("a=init,growth=3,augment-probability=1.5", "0.0 to 1.0"),
    ("a=init,test-time=twice", "report, report-code, flip"), ("a=init,prepare=zca", "none, standardize"),
    ("a=init,dropout=nan", "0.0 to 0.99"), ("a=init,growth=0", "1 to 1000"),
  ])
  func variantsThatAreRefused(_ text: String, expected: String) {
    let error = #expect(throws: DataError.self) { try SegmenterPreset(variant: text) }
    #expect(error?.expected.contains(expected) == true, "\(String(describing: error))")
    #expect(error?.kind == .invalidArgument)
  }

  /// The table of the documentation is that of the code.
  @Test func documentationHasTheTable() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let page = try String(contentsOf: root.appending(path: "docs/presets.md"), encoding: .utf8)
    let parts = page.components(
      separatedBy: "<!-- presets: made from SegmenterPreset.all, a test compares -->\n")
    let found = try #require(parts.last?.components(separatedBy: "<!-- /presets -->").first)
    let rows =
      [SegmenterPreset.columns, SegmenterPreset.columns.map { _ in "---" }] + SegmenterPreset.all.map(\.row)
    let expected = rows.map { "| \($0.joined(separator: " | ")) |\n" }.joined()
    #expect(found == expected, "docs/presets.md should have:\n\(expected)")
  }

  /// The default options are those of `init`.
  @Test func initIsTheDefault() throws {
    var options = SegmenterOptions()
    try SegmenterPreset.named("init").apply(to: &options)
    #expect(options == SegmenterOptions())
    #expect(try SegmenterPreset.named("init").prediction == PredictionSettings())
  }
}
