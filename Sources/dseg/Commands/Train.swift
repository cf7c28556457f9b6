import ArgumentParser
import Augment
import DiffusionSegmentation
import Features
import Foundation

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a segmenter on labelled pictures.",
    discussion: """
      A folder of labelled pictures holds x.png or x.jpg beside x.npy (labels, [height, width]) or x.mask.png \
      (indexed or grey). A configuration of ddpm-segmentation works as it is: paths are taken from the working \
      directory, and the results go to exp_dir/<steps>_<blocks>/.

      Example:
        dseg train --checkpoint lsun_horse.pt --images horse_21/train --classes 21 --output horses.safetensors
        dseg train --config experiments/horse_21/ddpm.json
        dseg train --config experiments/horse_21/ddpm.json --preset final
        dseg train --checkpoint lsun_horse.pt --also mae=mae_horse.pth -b mae:blocks=8,11 --images horse_21/train \
      --classes 21 --output both.safetensors

      Presets:
      \(SegmenterPreset.all.map { "  \($0.id): \($0.settings)" }.joined(separator: "\n"))
      """)

  @Option(help: "A configuration file of ddpm-segmentation.")
  var config: String?
  @Option(
    help: ArgumentHelp("The pretrained model, a checkpoint (.pt or .safetensors).", valueName: "[name=]file"))
  var checkpoint: String?
  @Option(help: "Folder of labelled pictures.")
  var images: String?
  @Option(help: ArgumentHelp("Number of classes, or a list of them.", valueName: "number|classes.json"))
  var classes: String?
  @Option(help: "Label of pixels to leave out. (default: 255)")
  var ignoreLabel: UInt8?
  @OptionGroup var pictures: PictureOptions
  @OptionGroup var labels: LabelOptions
  @OptionGroup var selection: FeatureOptions
  @OptionGroup var network: JoinedModels
  @OptionGroup(title: "Training") var classifiers: ClassifierOptions
  @OptionGroup(title: "Prediction, kept in the segmenter") var prediction: PredictionOptions
  @Option(help: "Take only the first pictures.")
  var limit: Int?
  @Option(help: "How features are kept in memory: float, or half for half the memory.")
  var featureStorage: FeaturePrecision = .float
  @OptionGroup(title: "Fit") var fit: FitOptions
  @OptionGroup var drawing: NoiseOptions
  @Option(help: "The segmenter to write.")
  var output: String?
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if config == nil {
      for (name, value) in [
        ("--checkpoint", checkpoint), ("--images", images), ("--classes", classes), ("--output", output),
      ]
      where value == nil { throw ValidationError("Missing \(name) (or a --config).") }
    }
    if config != nil && !network.also.isEmpty && output == nil {
      throw ValidationError("--also needs an --output: the folder of the configuration is for its own model.")
    }
    if drawing.freshNoise && selection.noise != nil {
      throw ValidationError("--fresh-noise and --noise exclude each other.")
    }
  }

  func run() throws {
    try common.apply()
    let plan =
      try config.map { try TrainingPlan(configuration: ExperimentConfiguration(contentsOf: $0), flags: self) }
      ?? TrainingPlan(flags: self)
    try plan.run()
  }
}

extension Train {
  /// Flags that were given and decide on nothing but a training.
  var trainingFlags: [String] {
    // Votes and noises count for members that are there too.
    let settings = classifiers.given.keys.filter { $0 != "models" && $0 != "noises" }.sorted()
    let given: [(String, Bool)] =
      settings.map { ("--\($0)", true) } + [
        ("--preset", classifiers.preset != "init"), ("--batch-size", classifiers.batchSize != nil),
        ("--limit", limit != nil), ("--images", images != nil), ("--mask-resize", labels.maskResize != nil),
      ]
    return given.filter(\.1).map(\.0)
  }
}
