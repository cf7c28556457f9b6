import Augment
import Base
import DiffusionSegmentation
import Features
import Foundation
import PixelClassifier

/// All presets of an experiment with one seed: the trainings, and then what they say about the pictures.
struct SeedTrainings {
  private let experiment: Experiment
  private let seed: UInt64
  private let folder: ExperimentFolder
  private let features: any PixelFeatures
  private let notices: Notices

  init(_ experiment: Experiment, seed: UInt64, folder: ExperimentFolder, notices: Notices) {
    (self.experiment, self.seed, self.folder, self.notices) = (experiment, seed, folder, notices)
    features = experiment.features(seed: seed)
  }

  /// Presets that are trained in the same way, and so share a training under the first one's name.
  struct Group {
    var options: SegmenterOptions
    var presets: [SegmenterPreset]
    var name: String { presets[0].id }
  }

  typealias Progress = Experiment.ProgressHandler

  func run(_ progress: @escaping Progress) throws(DataError) {
    let runs = experiment.runs(seed: seed)
    var pending: [ExperimentRun: [SegmenterPreset]] = [:]
    for run in runs {
      for preset in experiment.presets where try folder.record(preset.id, run) == nil {
        pending[run, default: []].append(preset)
      }
    }
    guard !pending.isEmpty else { return }
    var trained: [ExperimentRun: [RunEvaluation.Trained]] = [:]
    // Trainings on the same features and changed copies follow each other, so that these are computed once.
    for noiseCount in distinct(experiment.presets.map(\.noiseCount)) {
      let source = TrainingFeatures(
        labelled: experiment.training, features: features.redrawn(seed: nil, draws: noiseCount),
        options: experiment.options(experiment.presets[0], seed: seed))
      for augmentation in distinct(experiment.presets.map(\.augmentation)) {
        for run in runs {
          let alike = (pending[run] ?? []).filter {
            $0.noiseCount == noiseCount && $0.augmentation == augmentation
          }
          for group in groups(alike) {
            let finished = try folder.training(group.name, run)
            let training = if let finished { finished } else { try train(group, run, source, progress) }
            trained[run, default: []].append((group, training))
          }
        }
      }
    }
    for run in runs {
      guard let trained = trained[run] else { continue }
      try RunEvaluation(experiment, run: run, folder: folder, features: features, trained: trained).run {
        (done, count) throws(DataError) in
        try progress(.evaluation(seed: seed, fold: run.fold, done: done, of: count))
      }
      folder.removeEpochs(run)
    }
  }

  private func distinct<Value: Equatable>(_ values: [Value]) -> [Value] {
    values.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

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
    return groups
  }

  private func train(
    _ group: Group, _ run: ExperimentRun, _ source: TrainingFeatures, _ progress: @escaping Progress
  ) throws(DataError) -> RunRecord.Training {
    let report: Segmenter.ProgressHandler = { [name = group.name] (step) throws(DataError) in
      try progress(.training(seed: run.seed, fold: run.fold, preset: name, step))
    }
    try folder.prepare(run)
    // Whoever comes first would pay for the features that all share.
    _ = try source.originals { (done) throws(DataError) in
      try report(.features(done: done, of: experiment.training.count))
    }
    PeakMemory.reset()
    let start = ContinuousClock.now
    var epochs = 0
    let segmenter = try Segmenter.train(
      using: source, pictures: experiment.trainingPictures(run), options: group.options, prediction: .init(),
      notices: notices, progress: report,
      afterEpoch: { (epoch, segmenter) throws(DataError) in
        try folder.write(segmenter.ensemble, group.name, run, epoch: epoch)
        epochs = epoch + 1
      })
    let training = RunRecord.Training(
      seconds: (ContinuousClock.now - start) / .seconds(1), peakBytes: PeakMemory.bytes, epochs: epochs)
    if experiment.keepsSegmenters(run) {
      for preset in group.presets {
        var own = segmenter
        own.prediction = experiment.prediction(preset, seed: seed)
        try own.write(to: folder.segmenterPath(preset.id, run))
      }
    }
    // Last, since it says that all the rest is there.
    try folder.write(training, group.name, run)
    return training
  }
}
