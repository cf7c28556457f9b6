import Backbones
import Base
import Checkpoints
import DiffusionSegmentation
import Experiments
import Foundation
import SyntheticScenes

/// The whole product on made-up pictures, with nothing to download: a few labelled scenes, the features of a diffusion
/// model that has seen many unlabelled ones, an ensemble of pixel classifiers, and two baselines beside it.
public struct Demo: Sendable {
  /// Labelled scenes that the classifiers are trained on.
  public var trainingScenes = 20
  /// Scenes to test on.
  public var testScenes = 40
  /// How the classifiers are trained, those of the baselines too.
  public var options = Demo.preset.options
  /// How labels come from what the classifiers say of the diffusion features.
  public var prediction = Demo.preset.prediction
  /// Seed of the labelled scenes; the test scenes are those of the next seed.
  public var seed: UInt64 = 100
  /// Most passes of the baselines, which learn nothing more from longer trainings: 5 or 164 numbers are few.
  public var baselineEpochs = 3
  public var steps = ShippedModel.steps
  public var blocks = ShippedModel.blocks

  public init() {}

  /// Current stage.
  public enum Progress: Sendable {
    /// One of the contenders, by its name. They follow each other.
    case contender(String, SegmenterProgress)
    /// Everything is computed; files are written.
    case writing
  }

  /// Runs the demo and writes what comes of it.
  /// - Parameters:
  ///   - folder: where the page, the scenes, the models and the masks are written; made where there is none
  ///   - checkpoint: the diffusion model; the shipped one unless given
  ///   - progress: called now and then, never twice at once, from any thread; what it throws ends the work
  /// - Throws: `DataError` when the model does not fit, the folder holds other things, or a file cannot be written.
  public func run(
    writingTo folder: DemoFolder, checkpoint: String? = nil,
    progress: @escaping @Sendable (Progress) throws(DataError) -> Void = { _ in }
  ) throws(DataError) -> ExperimentReport {
    guard trainingScenes > 0, testScenes > 0, seed < .max, ![seed, seed + 1].contains(ShippedModel.sceneSeed)
    else {
      throw DataError(
        .invalidArgument, file: "demo",
        expected: "scenes to train and test on, of other seeds than the model's \(ShippedModel.sceneSeed)",
        found: "\(trainingScenes) and \(testScenes) scenes of seeds \(seed) and \(seed &+ 1)")
    }
    let start = ContinuousClock.now
    let model = if let checkpoint { checkpoint } else { try ShippedModel.path() }
    let file = try Checkpoint(contentsOf: model)
    let settings = ["steps": list(steps), "blocks": list(blocks)]
    let size = try BackboneRegistry.standard.features(of: file, settings: settings).input.size
    guard (32...512).contains(size) else {
      throw DataError(
        .unsupported, file: model, item: "image size", expected: "32 to 512 pixels", found: "\(size)")
    }
    let lock = try folder.create()
    defer { withExtendedLifetime(lock) {} }
    try folder.copyModel(from: file.file)
    // The copy beside the results is at hand for other commands.
    let features = try BackboneRegistry.standard.features(
      of: Checkpoint(contentsOf: folder.modelPath), settings: settings)
    let training = SyntheticScenes(seed: seed, imageSize: size).scenes(trainingScenes)
    let test = SyntheticScenes(seed: seed + 1, imageSize: size).scenes(testScenes)

    let contenders = Contender.baselines + [Contender.diffusion(features, prediction: prediction)]
    var outcomes: [Contender.Outcome] = []
    for (index, contender) in contenders.enumerated() {
      var own = options
      if index < Contender.baselines.count { own.epochs = min(own.epochs, baselineEpochs) }
      outcomes.append(
        try contender.run(training: training, test: test, options: own) { (step) throws(DataError) in
          try progress(.contender(contender.name, step))
        })
    }

    try progress(.writing)
    let last = outcomes[outcomes.count - 1]
    try folder.write(training, to: .training)
    try folder.write(test, to: .test)
    try folder.write(last.predictions)
    let segmenter = try Segmenter(
      ensemble: last.ensemble, classes: SyntheticScenes.classes, features: features, prediction: prediction,
      training: options)
    try segmenter.write(to: folder.segmenterPath)
    let report = DemoReport(
      contenders: contenders, outcomes: outcomes, training: training, test: test, members: options.members)
    let figures = report.figures(
      .init(
        features, model: (model as NSString).lastPathComponent, trainingPictures: trainingScenes,
        seeds: [options.seed], metric: .ledm), seconds: (ContinuousClock.now - start) / .seconds(1))
    try folder.write(figures, page: report.page(figures, folder: folder), sheet: try report.sheet())
    return figures
  }
}

extension Demo {
  /// Runs the demo on a thread of its own; see the form without `async`.
  /// - Throws: `DataError` as that form; of kind `.cancelled` when the task was cancelled.
  public func run(
    writingTo folder: DemoFolder, checkpoint: String? = nil,
    progress: @escaping @Sendable (Progress) throws(DataError) -> Void = { _ in }
  ) async throws(DataError) -> ExperimentReport {
    try await onOwnThread { () throws(DataError) in
      try run(writingTo: folder, checkpoint: checkpoint, progress: progress)
    }
  }
}

private func list(_ numbers: [Int]) -> String { numbers.map { "\($0)" }.joined(separator: ",") }

extension Demo {
  /// The preset that takes the least time.
  private static let preset = {
    // It is one of those that come along.
    let preset = try! SegmenterPreset.named("quick")
    var options = SegmenterOptions()
    preset.apply(to: &options)
    return (options: options, prediction: preset.prediction)
  }()
}

extension SyntheticScenes {
  /// The first scenes.
  fileprivate func scenes(_ count: Int) -> [SyntheticScene] { (0..<count).map { scene($0) } }
}
