import Augment
import Base
import DiffusionSegmentation
import Features
import Foundation
import Images
import PixelClassifier

/// Presets, pretrained models or both compared on the same pictures with the same seeds.
///
/// A seed fixes the noise, the initial weights, the order of the pixels and all changes to pictures. Presets of a seed
/// share features, and those that differ in prediction alone share the training. Models are gone through one after the
/// other: features of one at a time are in memory, and the weights of all.
public struct Experiment: Sendable {
  public var training: LabelledImages
  /// All with the classes of the training pictures; at least one, but none with folds.
  public var testSets: [LabelledImages]
  /// Cross-validation: every training picture is tested once a seed, by what so many trainings without a part of the
  /// training pictures each learned from the others.
  public var folds: Int?
  /// The pretrained models, each with the choice of its activations; at least one. What a seed draws takes the place of
  /// what they draw, unless it was given as numbers.
  public var backbones: [NamedFeatures]
  /// How features are kept.
  public var featurePrecision: FeaturePrecision
  /// Each is tried with every model; the first with the first model is what all others are compared with.
  public var presets: [SegmenterPreset]
  public var seeds: [UInt64]
  /// Mean IoU after every epoch is taken with so many of the seeds, the first ones. To label all pictures with the
  /// members of every epoch takes about as long as all the rest.
  public var curveSeeds: Int
  public var metric: IoUDefinition
  public var fit: ImageFit
  /// How labels are brought to the network's resolution.
  public var maskResampling: MaskResampling
  /// Pixels in a batch.
  public var batchSize: Int
  /// Resampled data sets behind an interval, at least 1.
  public var bootstrapDraws = 10_000
  /// Folders of the models' runs below that of all runs, by name; see `ExperimentFolder.open`.
  var runFolders: [String: String] = [:]

  /// The features of the first model.
  public var features: any PixelFeatures {
    get { backbones[0].features }
    set { backbones[0].features = newValue }
  }

  /// An experiment with one model, whose name is that of its file.
  public init(
    training: LabelledImages, testSets: [LabelledImages], folds: Int? = nil, features: any PixelFeatures,
    featurePrecision: FeaturePrecision = .float,
    presets: [SegmenterPreset] = SegmenterPreset.all, seeds: [UInt64] = Array(0..<5),
    curveSeeds: Int = 1, metric: IoUDefinition = .ledm, fit: ImageFit = .pad,
    maskResampling: MaskResampling = .nearest, batchSize: Int = 64
  ) {
    let model = features.models[0]
    let (kind, path) = (model.record.kind, model.origin.path)
    // Names that nobody gave cannot be wrong.
    let name = (try? NamedFeatures.names([(nil, kind, path)]))?.first ?? kind
    self.init(
      training: training, testSets: testSets, folds: folds, backbones: [NamedFeatures(name, features)],
      featurePrecision: featurePrecision, presets: presets, seeds: seeds, curveSeeds: curveSeeds,
      metric: metric, fit: fit, maskResampling: maskResampling, batchSize: batchSize)
  }

  /// An experiment with several models.
  public init(
    training: LabelledImages, testSets: [LabelledImages], folds: Int? = nil, backbones: [NamedFeatures],
    featurePrecision: FeaturePrecision = .float,
    presets: [SegmenterPreset] = SegmenterPreset.all, seeds: [UInt64] = Array(0..<5),
    curveSeeds: Int = 1, metric: IoUDefinition = .ledm, fit: ImageFit = .pad,
    maskResampling: MaskResampling = .nearest, batchSize: Int = 64
  ) {
    self.training = training
    self.testSets = testSets
    self.folds = folds
    self.backbones = backbones
    self.featurePrecision = featurePrecision
    self.presets = presets
    self.seeds = seeds
    self.curveSeeds = curveSeeds
    self.metric = metric
    self.fit = fit
    self.maskResampling = maskResampling
    self.batchSize = batchSize
  }

  /// Current stage.
  public enum Progress: Sendable {
    /// Of several models, the next one is taken.
    case backbone(name: String)
    case training(seed: UInt64, fold: Int?, preset: String, SegmenterProgress)
    case evaluation(seed: UInt64, fold: Int?, done: Int, of: Int)
  }

  /// Called now and then, never twice at once, from any thread. What it throws ends the work.
  public typealias ProgressHandler = @Sendable (Progress) throws(DataError) -> Void

  /// Runs what is not yet in the folder and writes the report.
  /// - Parameters:
  ///   - folder: where runs, report and page are written; what it holds of this experiment is not run again
  ///   - notices: told of what is peculiar about the labels
  ///   - progress: called now and then, never twice at once, from any thread; what it throws ends the work
  /// - Throws: `DataError` when a setting makes no sense, the folder belongs to another experiment or one that is running,
  ///   a picture cannot be used, there is too little memory, or a file cannot be written. What is finished stays in the
  ///   folder.
  public func run(
    in folder: ExperimentFolder, notices: Notices = Notices(),
    progress: @escaping ProgressHandler = { _ in }
  ) throws(DataError) -> ExperimentReport {
    try check()
    note(notices)
    try folder.create(folder.path)
    let lock = try FolderLock(folder: folder.path, owner: "dseg experiment")
    defer { withExtendedLifetime(lock) {} }
    var experiment = self
    experiment.runFolders = try folder.open(settings: ExperimentSettings(self))
    return try experiment.run(inOpen: folder, notices: notices, progress: progress)
  }

  private func run(
    inOpen folder: ExperimentFolder, notices: Notices, progress: @escaping ProgressHandler
  ) throws(DataError) -> ExperimentReport {
    let start = ContinuousClock.now
    for leg in legs {
      if backbones.count > 1 { try progress(.backbone(name: leg.backbones[0].name)) }
      for seed in seeds {
        try SeedTrainings(leg, seed: seed, folder: folder, notices: notices).run(progress)
      }
    }
    var report = try report(from: folder)
    // What was done before it was stopped counts too.
    report.seconds = try folder.secondsBefore() + (ContinuousClock.now - start) / .seconds(1)
    try write(report, to: folder)
    return report
  }

  private func check() throws(DataError) {
    func require(_ isRight: Bool, _ item: String, _ expected: String, _ found: String) throws(DataError) {
      if !isRight {
        throw DataError(.invalidArgument, file: "experiment", item: item, expected: expected, found: found)
      }
    }
    if let folds {
      try require(testSets.isEmpty, "test sets", "none beside folds", "\(testSets.count)")
      try require(
        (2...max(2, training.count)).contains(folds), "folds",
        "2 to the number of training pictures, \(training.count)",
        "\(folds)")
    } else {
      try require(!testSets.isEmpty, "test sets", "at least one, or folds", "none")
    }
    try require(
      !presets.isEmpty && Set(presets.map(\.id)).count == presets.count, "presets",
      "each once, and at least one",
      presets.map(\.id).joined(separator: ", "))
    try require(
      !seeds.isEmpty && Set(seeds).count == seeds.count, "seeds", "each once, and at least one",
      seeds.map { "\($0)" }.joined(separator: ", "))
    try require(bootstrapDraws > 0, "bootstrap draws", "1 or more", "\(bootstrapDraws)")
    try require(batchSize > 0, "batch size", "1 or more", "\(batchSize)")
    try require(curveSeeds >= 0, "seeds with curves", "0 or more", "\(curveSeeds)")
    try require(
      !backbones.isEmpty && Set(backbones.map(\.name)).count == backbones.count
        && backbones.allSatisfy { NamedFeatures.isName($0.name) }, "backbones",
      "at least one, each with a name of its own of letters, digits, - and _",
      backbones.map(\.name).joined(separator: ", "))
    let weights = backbones.count > 1 ? backbones.reduce(0) { $0 + $1.checkpointBytes } : 0
    for leg in legs { try leg.checkFeatures(besides: weights) }
    for set in testSets {
      try require(
        set.classes == training.classes, "classes of \(set.directory)", "those of the training pictures",
        "others")
    }
  }

  /// Checks that the model can be used as all presets want it.
  /// - Parameter weights: bytes of the weights of several models, which are in memory beside the features of one
  private func checkFeatures(besides weights: Double) throws(DataError) {
    try features.validate()
    for preset in presets {
      try preset.features(features).validate()
      try preset.augmentation?.validate()
      try TrainingFeatures.checkMemory(
        of: training, features: features, precision: featurePrecision, augmentation: preset.augmentation,
        pixelsPerPicture: fit.tiling == nil ? nil : SegmenterOptions().pixelsPerPicture, weights: weights)
    }
  }
}
