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
        on: world.labelled(), features: world.features(), options: options, prediction: preset.prediction)
      let path = world.folder.path("\(preset.id).safetensors")
      try segmenter.write(to: path)
      let read = try Segmenter(contentsOf: path)
      records[preset.id] = "\(read.training!) \(read.prediction)"
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
    #expect((options.growth?.factor ?? 1) == factor && options.epochs == epochs && options.members == 10)
    #expect(options.optimizer.weightDecay == weightDecay && options.dropout == dropout)
    #expect(options.optimizer.decay == (weightDecay > 0 ? .decoupled : .inGradient))
    #expect(options.optimizer.learningRate == 1e-3 && options.schedule == .constant && options.seed == 3)
    #expect(options.growth.map { $0.preset == .report && $0.probability == 0.4 && !$0.isRedrawn } ?? true)
    #expect((preset.prediction.testTime == .report) == hasTestTime && preset.prediction.combination == .vote)
    #expect((preset.prediction.postProcessing == .reportOpening) == (name == "morphology"))
  }

  @Test func otherNamesAreRefused() {
    let error = #expect(throws: DataError.self) { try SegmenterPreset.named("best-ever") }
    #expect(error?.expected.contains("init, init-11") == true)
  }

  /// The default options are those of `init`.
  @Test func initIsTheDefault() throws {
    var options = SegmenterOptions()
    try SegmenterPreset.named("init").apply(to: &options)
    #expect(options == SegmenterOptions())
    #expect(try SegmenterPreset.named("init").prediction == PredictionSettings())
  }
}
