import ArgumentParser
import Augment
import Backbones
import Base
import Checkpoints
import DiffusionSegmentation
import Experiments
import Features
import Foundation
import PixelClassifier

struct ExperimentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "experiment",
    abstract: "Compare presets on labelled pictures, with several seeds.",
    discussion: """
      Trains every preset with every seed and writes report.html, experiment.json and tables (.csv) to the folder. \
      Differences to the first preset come with a 95 % interval: test pictures are resampled 10,000 times. \
      Interrupted, it goes on where it stopped; presets, variants and seeds can be added later.

      With --folds instead of --test it cross-validates: each training picture is labelled by trainings that did not \
      see it. That is how to choose settings without looking at test pictures.

      Examples:
        dseg experiment --checkpoint lsun_horse.pt --train horse_21/train --test horse_21/test --classes 21 \
      --presets init,final --seeds 5 --output horses
        dseg experiment --checkpoint lsun_horse.pt --train horse_21/train --folds 5 --classes 21 --presets init \
      --variant flip=init,test-time=flip,combine=mean --seeds 2 --output choice

      Presets:
      \(SegmenterPreset.all.map { "  \($0.id): \($0.settings)" }.joined(separator: "\n"))
      """)

  @Option(help: "The pretrained model, a checkpoint (.pt or .safetensors).")
  var checkpoint: String
  @Option(help: "Folder of labelled pictures to train on.")
  var train: String
  @Option(parsing: .upToNextOption, help: "Folders of labelled pictures to test on.")
  var test: [String] = []
  @Option(help: "Cross-validation on the training pictures with so many folds, instead of --test.")
  var folds: Int?
  @Option(help: ArgumentHelp("Number of classes, or a list of them.", valueName: "number|classes.json"))
  var classes: String
  @Option(help: "Label of pixels to leave out. (default: 255)")
  var ignoreLabel: UInt8?
  @Option(
    help: ArgumentHelp(
      "Names of presets, joined by commas, or none if there are variants. (default: all)",
      valueName: "init,final"))
  var presets: String?
  @Option(
    help: ArgumentHelp(
      "A preset with changes, as often as wanted: steady=init,epochs=2,schedule=cosine. Settings: \(SegmenterPreset.variantSettings).",
      valueName: SegmenterPreset.variantForm))
  var variant: [String] = []
  @Option(help: "How many seeds: 0, 1, 2, … after --seed.")
  var seeds = 5
  @Option(
    help: ArgumentHelp(
      "How many of the seeds get curves of mean IoU against epoch, which take as long as all else; 0 for none."
    ))
  var curveSeeds = 1
  @Option(help: "Take only the first training pictures.")
  var limit: Int?
  @OptionGroup(title: "Features") var selection: FeatureOptions
  @OptionGroup(title: "Network") var network: NetworkOptions
  @Option(help: "Pixels in a batch.")
  var batchSize = 64
  @Option(help: "How features are kept in memory: float, or half for half the memory.")
  var featureStorage: FeaturePrecision = .half
  @OptionGroup var pictures: PictureOptions
  @OptionGroup var labels: LabelOptions
  @Option(help: "How pictures that are not square are brought to the network: pad or crop.")
  var fit: ImageFit = .pad
  @OptionGroup var drawing: NoiseOptions
  @Option(help: "The metric: ledm or standard.")
  var metric: IoUDefinition = .ledm
  @Option(help: "Folder for the report and all runs.")
  var output: String
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if !(1...1000).contains(seeds) { throw ValidationError("--seeds must be 1 to 1000.") }
    if curveSeeds < 0 { throw ValidationError("--curve-seeds must be 0 or more.") }
    if !(2...1 << 20).contains(batchSize) { throw ValidationError("--batch-size must be 2 to \(1 << 20).") }
    if drawing.freshNoise && selection.noise != nil {
      throw ValidationError("--fresh-noise and --noise exclude each other.")
    }
    if test.isEmpty == (folds == nil) { throw ValidationError("Give either --test or --folds.") }
  }

  func run() throws {
    try common.apply()
    let experiment = try experiment()
    let bars = ExperimentBars(experiment)
    let report = try experiment.run(in: ExperimentFolder(output), notices: .ofThisRun) { bars.update($0) }
    bars.finish()
    if common.json {
      try Terminal.printJSON(report)
    } else {
      try Terminal.output(report.table + "\n\n\(output)/report.html shows it")
    }
  }

  private func experiment() throws(DataError) -> Experiment {
    let list = try labels.stored(TrainingPlan.classes(classes, ignoreLabel: ignoreLabel))
    let training = try LabelledImages(
      directory: train, classes: list, limit: limit, orientation: pictures.orientation, notices: .ofThisRun)
    var testSets: [LabelledImages] = []
    for folder in test {
      testSets.append(
        try LabelledImages(
          directory: folder, classes: list, orientation: pictures.orientation, notices: .ofThisRun))
    }
    var chosen = presets == nil ? SegmenterPreset.all : []
    for name in presets?.split(separator: ",") ?? [] where presets != "none" {
      chosen.append(try .named(String(name)))
    }
    for text in variant { chosen.append(try SegmenterPreset(variant: text)) }
    let first = common.seed ?? 0
    guard let past = UInt64(exactly: seeds).map({ first.addingReportingOverflow($0) }), !past.overflow else {
      throw DataError(
        .invalidArgument, file: "--seed", expected: "room for \(seeds) seeds", found: "\(first)")
    }
    let features = try BackboneRegistry.standard.features(
      of: Checkpoint(contentsOf: checkpoint), kind: network.backbone,
      settings: network.given(drawing.given.merging(selection.given) { _, new in new }),
      weights: network.weightsChoice, notices: .ofThisRun)
    return Experiment(
      training: training, testSets: testSets, folds: folds, features: features,
      featurePrecision: featureStorage,
      presets: chosen,
      seeds: Array(first..<past.partialValue), curveSeeds: curveSeeds, metric: metric, fit: fit,
      maskResampling: labels.maskResize ?? .nearest, batchSize: batchSize)
  }
}

extension ExperimentReport {
  /// The report's table: mean IoU by preset and test set, with the difference to the first preset.
  var table: String {
    func percent(_ share: Double) -> String { String(format: "%.2f", share * 100) }
    func signed(_ share: Double) -> String { String(format: "%+.2f", share * 100) }
    let gigabyte = 1e9
    return testSets.indices.map { index in
      var rows = [
        [
          testSets[index].name, "mIoU %", "sd", "difference", "95 % interval", "training", "a picture",
          "memory",
        ]
      ]
      for preset in presets {
        let score = preset.scores[index]
        rows.append([
          preset.id, percent(score.miou.mean), percent(score.miou.deviation),
          score.difference.map { signed($0.estimate) } ?? "-",
          score.difference.map { "\(signed($0.low)) … \(signed($0.high))" } ?? "-",
          String(format: "%.1f s", preset.trainingSeconds),
          String(format: "%.0f ms", score.secondsAPicture * 1000),
          preset.peakBytes.map { String(format: "%.2f GB", Double($0) / gigabyte) } ?? "-",
        ])
      }
      return Table(rows: rows).text
    }.joined(separator: "\n\n")
  }
}
