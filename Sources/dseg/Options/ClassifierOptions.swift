import ArgumentParser
import Augment
import Base
import DiffusionSegmentation
import PixelClassifier
import TensorCore

/// How the classifiers are trained.
struct ClassifierOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Settings of one of the report's experiments: \(SegmenterPreset.all.map(\.id).joined(separator: ", ")). Flags change them.",
      valueName: "name"))
  var preset = "init"
  @Option(help: "Classifiers that vote. (default: the preset's, or the configuration's)")
  var models: Int?
  @Option(
    help: "Full passes over the labelled pixels before early stopping is armed. (default: the preset's)")
  var epochs: Int?
  @Option(help: "Pixels in a batch. (default: 64, or the configuration's)")
  var batchSize: Int?
  @Option(help: "Probability with which a hidden unit is dropped. (default: the preset's)")
  var dropout: Float?
  @Option(help: "Weight decay of AdamW; 0 for Adam. (default: the preset's)")
  var weightDecay: Double?
  @Option(help: "How the learning rate changes: constant or cosine. (default: the preset's)")
  var schedule: LearningRateSchedule?
  @Option(
    help:
      "Noises to average features over: 1, or an even number, half of them negatives. (default: the preset's)"
  )
  var noises: Int?
  @Option(
    help: ArgumentHelp(
      "What is done to the features first: \(FeaturePreparation.forms). (default: the preset's)",
      valueName: "what"))
  var prepare: String?
  @OptionGroup var growth: GrowthOptions

  func validate() throws {
    if let epochs, !(0...100).contains(epochs) { throw ValidationError("--epochs must be 0 to 100.") }
    if let models, !(1...1000).contains(models) { throw ValidationError("--models must be 1 to 1000.") }
    if let batchSize, !(2...1 << 20).contains(batchSize) {
      throw ValidationError("--batch-size must be 2 to \(1 << 20).")
    }
    if let dropout, !(dropout >= 0 && dropout < 1) {
      throw ValidationError("--dropout must be at least 0 and below 1.")
    }
    if let weightDecay, !(weightDecay >= 0 && weightDecay.isFinite) {
      throw ValidationError("--weight-decay must be 0 or above.")
    }
  }

  /// How many noises features are averaged over.
  func noiseCount() throws(DataError) -> Int {
    if let noises { noises } else { try SegmenterPreset.named(preset).noises }
  }

  /// The preset with what was given on the command line.
  func options(seed: UInt64, fit: ImageFit) throws(DataError) -> SegmenterOptions {
    var options = SegmenterOptions(seed: seed, fit: fit)
    try SegmenterPreset.named(preset).apply(to: &options)
    if let models { options.members = models }
    if let epochs { options.epochs = epochs }
    if let batchSize { options.batchSize = batchSize }
    if let dropout { options.dropout = dropout }
    if let schedule { options.schedule = schedule }
    if let weightDecay {
      options.optimizer.weightDecay = weightDecay
      options.optimizer.decay = weightDecay > 0 ? .decoupled : .inGradient
    }
    if let prepare { options.preparation = try FeaturePreparation(prepare) }
    try growth.apply(to: &options)
    return options
  }
}

/// Changed copies of the training pictures.
struct GrowthOptions: ParsableArguments {
  @Option(help: "How many times as many pictures with changed copies; 1 for none. (default: the preset's)")
  var growth: Int?
  @Option(
    help: "How copies are changed: report, report-literal, mild or flip. (default: the preset's, else report)"
  )
  var augmentations: AugmentationPreset?
  @Option(help: "Probability of each change. (default: the preset's, else 0.4)")
  var augmentProbability: Double?
  @Flag(help: "Draw new copies for every epoch.")
  var redraw = false

  func apply(to options: inout SegmenterOptions) throws(DataError) {
    if let growth {
      guard growth >= 1 else {
        throw DataError(.invalidArgument, file: "--growth", expected: "at least 1", found: "\(growth)")
      }
      if growth == 1 {
        options.growth = nil
      } else {
        options.growth = options.growth ?? TrainingGrowth()
        options.growth?.factor = growth
      }
    }
    if options.growth == nil && (augmentations != nil || augmentProbability != nil || redraw) {
      throw DataError(
        .invalidArgument, file: "--augmentations, --augment-probability, --redraw",
        expected: "a --growth of 2 or more, or a preset with one", found: "no copies to change")
    }
    if let augmentations { options.growth?.preset = augmentations }
    if let augmentProbability { options.growth?.probability = augmentProbability }
    if redraw { options.growth?.isRedrawn = true }
    try options.growth?.validate()
  }
}

extension LearningRateSchedule: ExpressibleByArgument {}
extension AugmentationPreset: ExpressibleByArgument {}
