import Augment
import DiffusionCore
import Foundation
import PixelClassifier
import TensorCore

/// All presets of an experiment with one seed.
struct SeedRun {
  private let experiment: Experiment
  private let seed: UInt64
  private let folder: ExperimentFolder
  private let features: DiffusionFeatures

  init(_ experiment: Experiment, seed: UInt64, folder: ExperimentFolder) {
    (self.experiment, self.seed, self.folder) = (experiment, seed, folder)
    features = experiment.features(seed: seed)
  }

  /// Presets that are trained in the same way, and so share a training under the first one's name.
  struct Group {
    var options: SegmenterOptions
    var presets: [SegmenterPreset]
    var name: String { presets[0].id }
  }

  func run(_ progress: @escaping @Sendable (Experiment.Progress) -> Void) throws(DataError) {
    var pending: [SegmenterPreset] = []
    for preset in experiment.presets where try folder.record(preset.id, seed) == nil {
      pending.append(preset)
    }
    guard !pending.isEmpty else { return }
    try folder.prepare(seed: seed)
    let source = TrainingFeatures(labelled: experiment.training, features: features, fit: experiment.fit)
    let groups = groups(pending)
    var trained: [(group: Group, training: RunRecord.Training)] = []
    for group in groups {
      let training =
        if let finished = try folder.training(group.name, seed) { finished } else {
          try train(group, source, progress)
        }
      trained.append((group, training))
    }
    try SeedEvaluation(experiment, seed: seed, folder: folder, features: features, trained: trained).run {
      progress(.evaluation(seed: seed, done: $0, of: $1))
    }
    folder.removeEpochs(seed: seed)
  }

  /// Trainings with the same changed copies follow each other, so that these are computed once.
  private func groups(_ presets: [SegmenterPreset]) -> [Group] {
    var groups: [Group] = []
    for preset in presets {
      let options = experiment.options(preset, seed: seed)
      if let index = groups.firstIndex(where: { $0.options == options }) {
        groups[index].presets.append(preset)
      } else {
        groups.append(Group(options: options, presets: [preset]))
      }
    }
    var growths: [TrainingGrowth?] = []
    for group in groups where !growths.contains(group.options.growth) { growths.append(group.options.growth) }
    return growths.flatMap { growth in groups.filter { $0.options.growth == growth } }
  }

  private func train(
    _ group: Group, _ source: TrainingFeatures, _ progress: @escaping @Sendable (Experiment.Progress) -> Void
  ) throws(DataError) -> RunRecord.Training {
    let report: @Sendable (SegmenterProgress) -> Void = { [seed, name = group.name] in
      progress(.training(seed: seed, preset: name, $0))
    }
    // Whoever comes first would pay for the features that all share.
    _ = try source.originals { report(.features(done: $0, of: experiment.training.count)) }
    PeakMemory.reset()
    let start = ContinuousClock.now
    var epochs = 0
    let segmenter = try Segmenter.train(
      using: source, options: group.options, prediction: .init(), progress: report,
      afterEpoch: { (epoch, segmenter) throws(DataError) in
        try folder.write(segmenter.ensemble, group.name, seed, epoch: epoch)
        epochs = epoch + 1
      })
    let training = RunRecord.Training(
      seconds: (ContinuousClock.now - start) / .seconds(1), peakBytes: PeakMemory.bytes, epochs: epochs)
    for preset in group.presets {
      var own = segmenter
      own.prediction = experiment.prediction(preset, seed: seed)
      try own.write(to: folder.segmenterPath(preset.id, seed))
    }
    // Last, since it says that all the rest is there.
    try folder.write(training, group.name, seed)
    return training
  }
}
