import ArgumentParser
import Base
import DiffusionSegmentation

/// How labels come from what the members say: settings of the table of presets.
struct PredictionOptions: ParsableArguments {
  @Option(help: .of("test-time", in: SegmenterPreset.self)) var testTime: String?
  @Option(help: .of("combine", in: SegmenterPreset.self)) var combine: String?
  @Option(help: .of("post", in: SegmenterPreset.self)) var post: String?

  func apply(to settings: inout PredictionSettings) throws(DataError) {
    var preset = SegmenterPreset()
    preset.prediction = settings
    try preset.setFlags(
      ["test-time": testTime, "combine": combine, "post": post].compactMapValues(\.self))
    settings = preset.prediction
  }
}
