import DiffusionSegmentation
import Foundation

/// The whole product on made-up pictures, with nothing to download: a few labelled scenes, the features of a diffusion
/// model that has seen many unlabelled ones, an ensemble of pixel classifiers, and two baselines beside it.
public struct Demo: Sendable {
  /// Labelled scenes that the classifiers are trained on.
  public var trainingScenes = 20
  /// Scenes to test on.
  public var testScenes = 40
  /// How the classifiers are trained, those of the baselines too.
  public var options = SegmenterOptions()
  /// Seed of the labelled scenes; the test scenes are those of the next seed.
  public var seed: UInt64 = 100
  public var steps = ShippedModel.steps
  public var blocks = ShippedModel.blocks

  public init() {}

  /// What is being done.
  public enum Progress: Sendable {
    /// One of the contenders, by its name. They follow each other.
    case contender(String, SegmenterProgress)
    /// Everything is computed; files are written.
    case writing
  }

  /// Runs the demo and writes what comes of it.
  /// - Parameters:
  ///   - checkpoint: the diffusion model; the shipped one unless given
  ///   - progress: called now and then, never twice at once, from any thread
  /// - Throws: `DataError` when the model does not fit, the folder holds other things, or a file cannot be written.
  public func run(
    writingTo folder: DemoFolder, checkpoint: String? = nil,
    progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) throws(DataError) -> DemoReport {
    guard trainingScenes > 0, testScenes > 0, seed < .max, ![seed, seed + 1].contains(ShippedModel.sceneSeed)
    else {
      throw DataError(
        .invalidArgument, file: "demo",
        expected: "scenes to train and test on, of other seeds than the model's \(ShippedModel.sceneSeed)",
        found: "\(trainingScenes) and \(testScenes) scenes of seeds \(seed) and \(seed &+ 1)")
    }
    let start = ContinuousClock.now
    let model = if let checkpoint { checkpoint } else { try ShippedModel.path() }
    let opened = try DiffusionBackbone(checkpoint: model, options: try BackboneOptions(checkpoint: model))
    let size = opened.options.imageSize
    guard (32...512).contains(size) else {
      throw DataError(
        .unsupported, file: model, item: "image size", expected: "32 to 512 pixels", found: "\(size)")
    }
    // The copy beside the results is at hand for other commands.
    let features = DiffusionFeatures(
      try DiffusionBackbone(
        network: opened.network, options: opened.options, checkpointPath: folder.modelPath),
      steps: steps, blocks: blocks)
    try features.validate()
    try folder.create()
    try folder.copyModel(from: model)
    let training = SyntheticScenes(seed: seed, imageSize: size).scenes(trainingScenes)
    let test = SyntheticScenes(seed: seed + 1, imageSize: size).scenes(testScenes)

    let contenders = [Contender.diffusion(features)] + Contender.baselines
    var outcomes: [Contender.Outcome] = []
    for contender in contenders {
      outcomes.append(
        try contender.run(training: training, test: test, options: options) {
          progress(.contender(contender.name, $0))
        })
    }

    progress(.writing)
    try folder.write(training, to: .training)
    try folder.write(test, to: .test)
    try folder.write(outcomes[0].predictions)
    let segmenter = try Segmenter(
      ensemble: outcomes[0].ensemble, classes: SyntheticScenes.classes, features: features, training: options)
    try segmenter.write(to: folder.segmenterPath)
    let report = DemoReport(
      contenders: zip(contenders, outcomes).map { contender, outcome in
        DemoReport.Row(
          name: contender.name, summary: contender.summary, trainingSeconds: outcome.trainingSeconds,
          result: EvaluationReport(outcome.evaluation))
      },
      trainingScenes: trainingScenes, testScenes: testScenes, members: options.members,
      seconds: (ContinuousClock.now - start) / .seconds(1))
    let sheet = try DemoSheet(test: test, contenders: contenders, outcomes: outcomes).image()
    try folder.write(report, sheet: sheet)
    return report
  }
}

extension SyntheticScenes {
  /// The first scenes.
  fileprivate func scenes(_ count: Int) -> [SyntheticScene] { (0..<count).map { scene($0) } }
}

/// The figures of a demo.
public struct DemoReport: Encodable, Sendable {
  /// One contender.
  public struct Row: Encodable, Sendable {
    public var name: String
    /// What its vectors are.
    public var summary: String
    /// Time that features and training took.
    public var trainingSeconds: Double
    /// On the test scenes.
    public var result: EvaluationReport

    enum CodingKeys: String, CodingKey {
      case name, summary, result
      case trainingSeconds = "training_seconds"
    }
  }

  /// The diffusion features first, then the baselines.
  public var contenders: [Row]
  public var trainingScenes: Int
  public var testScenes: Int
  /// Classifiers that vote.
  public var members: Int
  /// Time of everything up to the files.
  public var seconds: Double

  enum CodingKeys: String, CodingKey {
    case contenders, members, seconds
    case trainingScenes = "training_scenes"
    case testScenes = "test_scenes"
  }
}
