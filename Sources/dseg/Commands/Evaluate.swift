import ArgumentParser
import DiffusionSegmentation
import Foundation
import PixelClassifier

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare a segmenter's labels with known ones.",
    discussion: """
      Labels are compared at the model's resolution. The metric `ledm` is that of ddpm-segmentation: \
      intersections and unions pooled over all pictures, absent classes count 0, predictions on ignored pixels \
      enlarge the union. `standard` leaves ignored pixels and absent classes out.

      Example:
        dseg evaluate --segmenter horses.safetensors --images horse_21/test --output results
      """)

  @OptionGroup var input: SegmenterInput
  @Option(help: "Folder of labelled pictures.")
  var images: String
  @Option(help: "Label of pixels to leave out. (default: the segmenter's)")
  var ignoreLabel: UInt8?
  @OptionGroup var labels: LabelOptions
  @Option(help: "Take only the first pictures.")
  var limit: Int?
  @Option(help: "The metric of the summary: ledm or standard.")
  var metric: IoUDefinition = .ledm
  @Option(help: "Folder for metrics.json, the predicted labels and a contact sheet.")
  var output: String?
  @OptionGroup var common: CommonOptions

  func run() throws {
    try common.apply()
    var segmenter = try input.load(seed: common.seed)
    if let resampling = labels.maskResize { segmenter.maskResampling = resampling }
    let labelled = try LabelledImages(
      directory: images,
      classes: try labels.stored(ignoreLabel.map(segmenter.classes.ignoring) ?? segmenter.classes),
      labels: labels.place, ignoresUnknown: labels.ignoreUnknown, nearestColors: labels.nearestColors,
      limit: limit, reading: segmenter.reading,
      notices: .ofThisRun)
    if let output { try createFolder(output) }
    try EvaluationRun(
      segmenter: segmenter, labelled: labelled, output: output, json: common.json, metric: metric
    )
    .run()
  }
}
