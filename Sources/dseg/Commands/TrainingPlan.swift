import Backbones
import Base
import Checkpoints
import DiffusionSegmentation
import Features
import Foundation
import Images
import PixelClassifier

/// A training with all settings in place, from flags or from a configuration that flags override.
struct TrainingPlan {
  var checkpoint: String
  /// Opened once: what is read of them later is what stood there then.
  var models: NamedModels
  var labelled: LabelledImages
  /// Settings of the model and its activations, by the keys of option tables.
  var settings: [String: String]
  var segmenter: SegmenterOptions
  var prediction: PredictionSettings
  var output: String
  /// Folder of a configuration's results; empty without one.
  var results: String
  var flags: Train
  var configuration: ExperimentConfiguration?

  init(flags: Train) throws(DataError) {
    self.flags = flags
    checkpoint = flags.checkpoint!
    models = try flags.network.opened(first: checkpoint)
    let classes = try TrainingPlan.classes(flags.classes!, ignoreLabel: flags.ignoreLabel)
    labelled = try LabelledImages(
      directory: flags.images!, classes: try flags.labels.stored(classes), labels: flags.labels.place,
      ignoresUnknown: flags.labels.ignoreUnknown, nearestColors: flags.labels.nearestColors,
      limit: flags.limit, reading: flags.pictures.reading,
      notices: .ofThisRun)
    settings = flags.network.given(flags.drawing.given.merging(flags.selection.given) { _, new in new })
    segmenter = try TrainingPlan.segmenterOptions(flags)
    prediction = try TrainingPlan.prediction(flags)
    output = flags.output!
    results = ""
  }

  init(configuration: ExperimentConfiguration, flags: Train) throws(DataError) {
    self.flags = flags
    self.configuration = configuration
    checkpoint = flags.checkpoint ?? configuration.modelPath
    models = try flags.network.opened(first: checkpoint, kind: configuration.kind)
    let classes: ClassList
    if let named = flags.classes {
      classes = try TrainingPlan.classes(named, ignoreLabel: flags.ignoreLabel ?? configuration.ignoreLabel)
    } else {
      classes = ClassList(
        count: configuration.classCount, ignoreLabel: flags.ignoreLabel ?? configuration.ignoreLabel)
    }
    labelled = try LabelledImages(
      directory: flags.images ?? configuration.trainingPath, classes: try flags.labels.stored(classes),
      labels: flags.labels.place, ignoresUnknown: flags.labels.ignoreUnknown,
      nearestColors: flags.labels.nearestColors,
      limit: flags.limit ?? configuration.trainingNumber, reading: flags.pictures.reading,
      notices: .ofThisRun)
    let given = flags.drawing.given.merging(flags.selection.given) { _, new in new }
    settings = flags.network.given(configuration.settings.merging(given) { _, new in new })
    segmenter = try TrainingPlan.segmenterOptions(flags, configuration)
    prediction = try TrainingPlan.prediction(flags)
    results = configuration.outputDirectory(settings)
    output = flags.output ?? (results as NSString).appendingPathComponent("segmenter.safetensors")
  }

  static func classes(_ text: String, ignoreLabel: UInt8?) throws(DataError) -> ClassList {
    guard let count = Int(text) else {
      let list = try ClassList(contentsOf: text)
      return ignoreLabel.map(list.ignoring) ?? list
    }
    guard (1...255).contains(count) else {
      throw DataError(.invalidArgument, file: "--classes", expected: "1 to 255", found: "\(count)")
    }
    return ClassList(count: count, ignoreLabel: ignoreLabel ?? LabelMask.ignoreLabel)
  }

  /// The preset, with what the configuration says, with what the flags say.
  private static func segmenterOptions(
    _ flags: Train, _ configuration: ExperimentConfiguration? = nil
  ) throws(DataError) -> SegmenterOptions {
    var options = try flags.classifiers.options(seed: flags.common.seed ?? 0, fit: flags.fit.applied())
    options.maskResampling = flags.labels.maskResize ?? .nearest
    options.featurePrecision = flags.featureStorage
    if let configuration {
      if flags.classifiers.models == nil { options.members = configuration.members }
      if flags.classifiers.batchSize == nil { options.batchSize = configuration.batchSize }
    }
    return options
  }

  private static func prediction(_ flags: Train) throws(DataError) -> PredictionSettings {
    var settings = try SegmenterPreset.named(flags.classifiers.preset).prediction
    settings.seed = flags.common.seed ?? 0
    try flags.prediction.apply(to: &settings)
    return settings
  }

  // MARK: Running

  /// - Throws: `DataError`, or the exit code of unsuitable data when a test picture had to be left out.
  func run() throws {
    let features = try flags.network.features(of: models, common: settings).redrawn(
      seed: flags.common.seed ?? 0, draws: try flags.classifiers.chosen().noiseCount)
    try features.validate()
    try flags.classifiers.chosen().noteIneffective(for: features, notices: .ofThisRun)
    if let configuration, configuration.settings.allSatisfy({ settings[$0.key] == $0.value }),
      flags.network.also.isEmpty, configuration.featureCount != features.channels
    {
      throw DataError(
        .malformed, file: configuration.file, item: "dim[2]",
        expected: "\(features.channels), the features of these activations of \(checkpoint)",
        found: "\(configuration.featureCount)")
    }
    let test = try testSet()
    try prepareOutput()
    var plan = self
    // The reference's configurations say how pictures are brought to the model: as a whole.
    if configuration == nil, !flags.fit.isGiven {
      plan.segmenter.fit = labelled.suggestedFit(for: [features.input], notices: .ofThisRun)
    }
    if !flags.fit.tellsScale, var tiling = plan.segmenter.fit.tiling,
      let scale = labelled.suggestedScale(training: models.trainingScale, notices: .ofThisRun)
    {
      tiling.scale = scale
      plan.segmenter.fit = .tile(tiling)
    }
    try plan.run(features, test: test)
  }

  private func run(_ features: any PixelFeatures, test: LabelledImages?) throws {
    let start = ContinuousClock.now
    let existing = try existingMembers(features)
    let trained = if let existing { existing } else { try train(features) }
    try trained.write(to: output)
    let figures = Figures(
      output: output, members: trained.ensemble.members.count, images: labelled.count, labels: trained.census,
      seconds: (ContinuousClock.now - start) / .seconds(1))
    if !flags.common.json {
      try Terminal.output(summary(trained, figures))
    } else if test == nil {
      try Terminal.printJSON(figures)
    }
    if let test {
      let folder = (output as NSString).deletingLastPathComponent
      try EvaluationRun(
        segmenter: trained, labelled: test, output: folder, json: flags.common.json, training: figures
      ).run()
    }
  }

  /// What would stop the writing in the end stops the work before it begins.
  private func prepareOutput() throws(DataError) {
    let inputs =
      flags.network.paths(first: checkpoint) + [flags.selection.noise, flags.config, flags.classes]
    try OutputGuard.check(
      outputs: [output], inputs: inputs + OutputGuard.picturesAndMasks(labelled.imagePaths))
    if configuration != nil && flags.output == nil { try createFolder(results) }
    try OutputGuard.checkWritable(output, as: .tensors)
  }

  private func train(_ features: any PixelFeatures) throws(DataError) -> Segmenter {
    let extraction = ProgressBar("features")
    let training = TrainingBar(members: segmenter.members, epochs: segmenter.epochs)
    let trained = try Segmenter.train(
      on: labelled, features: features, options: segmenter, prediction: prediction,
      notices: .ofThisRun
    ) { progress in
      switch progress {
      case .features(let done, let count):
        extraction.update(Double(done) / Double(count), "\(done) of \(count) pictures")
        if done == count { extraction.finish() }
      case .training(let progress, _): training.update(progress)
      }
    }
    training.finish()
    labelled.reportInexactColors()
    return trained
  }

  /// The members that the reference left in the folder of the results, if all are there; it would use them too.
  private func existingMembers(_ features: any PixelFeatures) throws(DataError) -> Segmenter? {
    guard configuration != nil, flags.output == nil else { return nil }
    let paths = (0..<segmenter.members).map {
      (results as NSString).appendingPathComponent("model_\($0).pth")
    }
    guard paths.allSatisfy(FileManager.default.fileExists(atPath:)) else { return nil }
    Terminal.message("using the \(paths.count) trained members in \(results)")
    for name in flags.trainingFlags {
      Notices.ofThisRun.add(
        .ignored, file: name, "the trained members in the folder of the results are used as they are")
    }
    return try Segmenter(
      ensemble: try PixelEnsemble(contentsOf: paths), classes: labelled.classes, features: features,
      featurePrecision: flags.featureStorage, fit: flags.fit.applied(),
      maskResampling: segmenter.maskResampling, reading: flags.pictures.reading,
      prediction: prediction)
  }

  private func summary(_ trained: Segmenter, _ figures: Figures) -> String {
    (figures.labels.map { $0.table + "\n\n" } ?? "")
      + "\(output): \(figures.members) members, \(labelled.count) pictures, "
      + "\(trained.features.channels) features a pixel, \(ProgressBar.time(figures.seconds))"
  }

  /// A configuration names a test set; the reference evaluates on it right after training.
  private func testSet() throws(DataError) -> LabelledImages? {
    guard let configuration, let path = configuration.testingPath else { return nil }
    guard FileManager.default.fileExists(atPath: path) else {
      Terminal.message("\(path) is not there: it will not be evaluated")
      return nil
    }
    return try LabelledImages(
      directory: path,
      classes: labelled.classes, nearestColors: flags.labels.nearestColors,
      limit: configuration.testingNumber, reading: flags.pictures.reading,
      notices: .ofThisRun)
  }

  struct Figures: Encodable {
    var output: String
    var members: Int
    var images: Int
    /// Pixels by class, in the masks and as they are trained on; nil for members that were there before.
    var labels: LabelCensus?
    var seconds: Double
  }
}
