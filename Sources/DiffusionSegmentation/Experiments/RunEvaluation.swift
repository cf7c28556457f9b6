import Augment
import DiffusionCore
import Foundation
import PixelClassifier
import TensorCore

/// The trained presets of a run on all pictures. The features of a picture are computed once for all of them.
struct RunEvaluation {
  typealias Trained = (group: SeedTrainings.Group, training: RunRecord.Training)

  private let experiment: Experiment
  private let seed: UInt64
  private let run: ExperimentRun
  private let folder: ExperimentFolder
  private let trained: [Trained]
  /// One a preset, in the order of the groups.
  private let segmenters: [(preset: SegmenterPreset, segmenter: Segmenter)]

  /// Features that are in memory at a time.
  private static let largestChunk = 512 << 20

  init(
    _ experiment: Experiment, run: ExperimentRun, folder: ExperimentFolder, features: DiffusionFeatures,
    trained: [Trained]
  ) throws(DataError) {
    (self.experiment, self.run, self.folder, self.trained) = (experiment, run, folder, trained)
    seed = run.seed
    var segmenters: [(preset: SegmenterPreset, segmenter: Segmenter)] = []
    for (group, training) in trained {
      let ensemble = try folder.ensemble(
        group.name, run, epoch: training.epochs - 1, members: group.options.members)
      for preset in group.presets {
        segmenters.append(
          (
            preset,
            try Segmenter(
              ensemble: ensemble, classes: experiment.training.classes, features: features,
              fit: experiment.fit,
              prediction: experiment.prediction(preset, seed: seed), training: group.options)
          ))
      }
    }
    self.segmenters = segmenters
  }

  /// What has been counted on one set of pictures.
  private struct Counts {
    /// `[preset][picture]`
    var presets: [[ConfusionMatrix]]
    /// Time for features and labels, one a preset.
    var seconds: [Double]
    /// `[group][epoch]`, all pictures together.
    var epochs: [[ConfusionMatrix]]
  }

  func run(_ progress: (_ done: Int, _ count: Int) -> Void) throws(DataError) {
    let sets = [(experiment.training, experiment.trainingPictures(run))] + experiment.tested(run)
    let count = sets.reduce(0) { $0 + $1.1.count }
    var done = 0
    var counts: [Counts] = []
    for (index, (set, pictures)) in sets.enumerated() {
      counts.append(
        try evaluate(set, pictures, presets: index > 0) {
          done += 1
          progress(done, count)
        })
    }
    for (position, item) in segmenters.enumerated() {
      let group = trained.firstIndex { $0.group.presets.contains { $0.id == item.preset.id } }!
      let testSets = counts.dropFirst()
      try folder.write(
        RunRecord(
          training: trained[group].training,
          testSets: testSets.map { set in
            RunRecord.TestSet(
              matrices: set.presets[position].map(\.cells),
              secondsAPicture: set.seconds[position] / Double(set.presets[position].count))
          },
          curve: counts[0].epochs[group].indices.map { epoch in
            let scores = counts.map { $0.epochs[group][epoch].meanIoU(experiment.metric) }
            return ExperimentReport.CurvePoint(
              epoch: epoch + 1, training: scores[0], test: Array(scores.dropFirst()))
          }), item.preset.id, run)
    }
  }

  /// - Parameters:
  ///   - presets: whether the presets are wanted, or only the members after each epoch
  ///   - done: called after each picture
  private func evaluate(
    _ set: LabelledImages, _ pictures: [Int], presets: Bool, done: () -> Void
  ) throws(DataError) -> Counts {
    let empty = ConfusionMatrix(classCount: set.classes.count, ignoreLabel: set.classes.ignoreLabel)
    var counts = Counts(
      presets: segmenters.map { _ in [] }, seconds: segmenters.map { _ in 0 },
      epochs: trained.map { Array(repeating: empty, count: $0.training.epochs) })
    var rest = pictures[...]
    while !rest.isEmpty {
      var chunk: [Picture] = []
      var bytes = 0
      while bytes < Self.largestChunk, let index = rest.popFirst() {
        let picture = try view(set.load(index), index: index, presets: presets)
        bytes += picture.byteCount
        chunk.append(picture)
      }
      for (number, item) in trained.enumerated() {
        for epoch in 0..<item.training.epochs {
          let ensemble = try folder.ensemble(
            item.group.name, run, epoch: epoch, members: item.group.options.members)
          for picture in chunk {
            counts.epochs[number][epoch].add(
              truth: picture.truth,
              prediction: picture.geometry.cutBack(try ensemble.predict(picture.plain).labels))
          }
        }
      }
      for picture in chunk {
        if presets { try count(picture, into: &counts, empty: empty) }
        done()
      }
    }
    return counts
  }

  private func count(_ picture: Picture, into counts: inout Counts, empty: ConfusionMatrix) throws(DataError)
  {
    for (position, item) in segmenters.enumerated() {
      let start = ContinuousClock.now
      let set = item.segmenter.prediction.testTime
      let viewed = ViewedPicture(
        geometry: picture.geometry, features: picture.plain,
        versions: set.map { picture.versions[$0]!.views } ?? [])
      let labels = try item.segmenter.segment(viewed).modelLabels.labels
      var matrix = empty
      matrix.add(truth: picture.truth, prediction: labels)
      counts.presets[position].append(matrix)
      counts.seconds[position] +=
        (ContinuousClock.now - start) / .seconds(1) + picture.plainSeconds
        + (set.map { picture.versions[$0]!.seconds } ?? 0)
    }
  }

  /// A picture's features, and how long they took.
  private struct Picture {
    var geometry: FittedGeometry
    var truth: [UInt8]
    var plain: FeatureMaps
    var plainSeconds: Double
    var versions: [TestTimeSet: (views: [(replay: TestTimeReplay, features: FeatureMaps)], seconds: Double)]

    var byteCount: Int {
      plain.byteCount + versions.values.reduce(0) { $0 + $1.views.reduce(0) { $0 + $1.features.byteCount } }
    }
  }

  private func view(_ item: LabelledImage, index: Int, presets: Bool) throws(DataError) -> Picture {
    // The features are the same for all; what differs is which versions are seen.
    var segmenter = segmenters[0].segmenter
    segmenter.prediction.testTime = nil
    let start = ContinuousClock.now
    let plain = try segmenter.view(item.image, name: item.path, index: index)
    let truth = plain.geometry.cutBack(
      plain.geometry.apply(item.mask, ignoreLabel: segmenter.classes.ignoreLabel))
    var picture = Picture(
      geometry: plain.geometry, truth: truth.labels, plain: plain.features,
      plainSeconds: (ContinuousClock.now - start) / .seconds(1), versions: [:])
    guard presets else { return picture }
    for set in Set(segmenters.compactMap(\.segmenter.prediction.testTime)) {
      let start = ContinuousClock.now
      segmenter.prediction = .init(testTime: set, seed: seed)
      let views = try segmenter.versions(
        of: item.image, geometry: plain.geometry, name: item.path, index: index)
      picture.versions[set] = (views, (ContinuousClock.now - start) / .seconds(1))
    }
    return picture
  }
}
