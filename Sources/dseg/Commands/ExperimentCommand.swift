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
    abstract: "Compare presets and pretrained models on labelled pictures, with several seeds.",
    discussion: """
      Trains every preset with every seed and writes report.html, experiment.json and tables (.csv) to the folder. \
      Differences to the first preset come with a 95 % interval: test pictures are resampled 10,000 times. \
      Interrupted, it goes on where it stopped; presets, variants and seeds can be added later.

      With several --checkpoint, every preset is tried with every model, one model after the other, and the first \
      preset with the first model is what all are compared with. --backbone, --weights and -b take the name of a model \
      before a colon (-b mae:blocks=8,12); without, they count for all models whose kind has the setting. Names are \
      those of the files, or given: --checkpoint mae=run7/model.pth. Models can be added later, too.

      With --folds instead of --test it cross-validates: each training picture is labelled by trainings that did not \
      see it. That is how to choose settings without looking at test pictures.

      Examples:
        dseg experiment --checkpoint lsun_horse.pt --train horse_21/train --test horse_21/test --classes 21 \
      --presets init,final --seeds 5 --output horses
        dseg experiment --checkpoint lsun_horse.pt --train horse_21/train --folds 5 --classes 21 --presets init \
      --variant flip=init,test-time=flip,combine=mean --seeds 2 --output choice
        dseg experiment --checkpoint ddpm=lsun_horse.pt --checkpoint mae=mae.pth --checkpoint swav=swav.pth -b \
      ddpm:steps=50,150,250 --train horse_21/train --test horse_21/test --classes 21 --presets init --output models

      Presets:
      \(SegmenterPreset.all.map { "  \($0.id): \($0.settings)" }.joined(separator: "\n"))
      """)

  @OptionGroup(title: "Pretrained models") var models: ComparedModels
  @Option(help: "Folder of labelled pictures to train on.")
  var train: String
  @Option(parsing: .upToNextOption, help: "Folders of labelled pictures to test on.")
  var test: [String] = []
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Where the labels of the --test folders lie, as --labels says it, one for each in turn; the folder itself for labels beside its pictures. (default: beside the pictures of all)",
      valueName: "folder|file"))
  var testLabels: [String] = []
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
  @Option(help: "Pixels in a batch.")
  var batchSize = 64
  @Option(help: "How features are kept in memory: float, or half for half the memory.")
  var featureStorage: FeaturePrecision = .half
  @OptionGroup var pictures: PictureOptions
  @OptionGroup var labels: LabelOptions
  @OptionGroup(title: "Fit") var fit: FitOptions
  @Option(help: "The metric: ledm or standard.")
  var metric: IoUDefinition = .ledm
  @Option(help: "Folder for the report and all runs.")
  var output: String
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if !(1...1000).contains(seeds) { throw ValidationError("--seeds must be 1 to 1000.") }
    if curveSeeds < 0 { throw ValidationError("--curve-seeds must be 0 or more.") }
    if !(2...1 << 20).contains(batchSize) { throw ValidationError("--batch-size must be 2 to \(1 << 20).") }
    if test.isEmpty == (folds == nil) { throw ValidationError("Give either --test or --folds.") }
    if !testLabels.isEmpty && testLabels.count != test.count {
      throw ValidationError(
        "--test-labels needs one for each --test folder: \(test.count), not \(testLabels.count).")
    }
  }

  func run() throws {
    try common.apply()
    let experiment = try experiment()
    let bars = ExperimentBars(experiment)
    let report = try experiment.run(in: ExperimentFolder(output), notices: .ofThisRun) { bars.update($0) }
    bars.finish()
    for images in [experiment.training] + experiment.testSets { images.reportInexactColors() }
    if common.json {
      try Terminal.printJSON(report)
    } else {
      try Terminal.output(report.table + "\n\n\(output)/report.html shows it")
    }
  }

  private func experiment() throws(DataError) -> Experiment {
    let list = try labels.stored(TrainingPlan.classes(classes, ignoreLabel: ignoreLabel))
    let training = try LabelledImages(
      directory: train, classes: list, labels: labels.place, ignoresUnknown: labels.ignoreUnknown,
      nearestColors: labels.nearestColors,
      limit: limit, reading: pictures.reading, notices: .ofThisRun)
    var testSets: [LabelledImages] = []
    for (index, folder) in test.enumerated() {
      // The folder itself stands for what lies there.
      let place = testLabels.isEmpty || testLabels[index] == folder ? nil : testLabels[index]
      testSets.append(
        try LabelledImages(
          directory: folder, classes: list, labels: place, ignoresUnknown: labels.ignoreUnknown,
          nearestColors: labels.nearestColors, reading: pictures.reading, notices: .ofThisRun))
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
    let backbones = try models.features(notices: .ofThisRun)
    let fit =
      fit.isGiven
      ? try fit.applied()
      : training.suggestedFit(for: backbones.map(\.features.input), notices: .ofThisRun)
    return Experiment(
      training: training, testSets: testSets, folds: folds, backbones: backbones,
      featurePrecision: featureStorage,
      presets: chosen,
      seeds: Array(first..<past.partialValue), curveSeeds: curveSeeds, metric: metric, fit: fit,
      maskResampling: labels.maskResize ?? .nearest, batchSize: batchSize)
  }
}
