import Augment
import Base
import DiffusionSegmentation
import Features
import Foundation
import PixelClassifier

/// The trained presets of a run on all pictures. The features of a picture are computed once for all of them.
struct RunEvaluation {
  typealias Trained = (group: SeedTrainings.Group, training: RunRecord.Training)

  private let experiment: Experiment
  private let run: ExperimentRun
  private let folder: ExperimentFolder
  private let trained: [Trained]
  /// One a preset, in the order of the groups.
  private let segmenters: [(preset: SegmenterPreset, segmenter: Segmenter)]

  /// Features that are in memory at a time.
  private static let largestChunk = 512 << 20

  init(
    _ experiment: Experiment, run: ExperimentRun, folder: ExperimentFolder, features: any PixelFeatures,
    trained: [Trained]
  ) throws(DataError) {
    (self.experiment, self.run, self.folder, self.trained) = (experiment, run, folder, trained)
    var segmenters: [(preset: SegmenterPreset, segmenter: Segmenter)] = []
    for (group, training) in trained {
      let ensemble = try folder.ensemble(
        group.name, run, epoch: training.epochs - 1, members: group.options.members)
      for preset in group.presets {
        segmenters.append(
          (
            preset,
            try Segmenter(
              ensemble: ensemble, classes: experiment.training.classes, features: preset.features(features),
              featurePrecision: experiment.featurePrecision,
              fit: experiment.fit, maskResampling: experiment.maskResampling,
              prediction: experiment.prediction(preset, seed: run.seed), training: group.options)
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
    /// `[group][epoch]`, all pictures together; no epochs without a curve.
    var epochs: [[ConfusionMatrix]]
  }

  func run(_ progress: (_ done: Int, _ count: Int) throws(DataError) -> Void) throws(DataError) {
    let tested = experiment.tested(run)
    // Training pictures are of interest for the curves alone.
    let training = (set: experiment.training, pictures: experiment.trainingPictures(run))
    let sets = (experiment.hasCurve(run) ? [training] : []) + tested
    let count = sets.reduce(0) { $0 + $1.pictures.count }
    var done = 0
    var counts: [Counts] = []
    for (index, (set, pictures)) in sets.enumerated() {
      counts.append(
        try evaluate(set, pictures, presets: index >= sets.count - tested.count) { () throws(DataError) in
          done += 1
          try progress(done, count)
        })
    }
    let backbone = try experiment.recordedBackbone()
    for (position, item) in segmenters.enumerated() {
      let group = trained.firstIndex { $0.group.presets.contains { $0.id == item.preset.id } }!
      let testSets = counts.suffix(tested.count)
      try folder.write(
        RunRecord(
          backbone: backbone,
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
    _ set: LabelledImages, _ pictures: [Int], presets: Bool, done: () throws(DataError) -> Void
  ) throws(DataError) -> Counts {
    let empty = ConfusionMatrix(classCount: set.classes.count, ignoreLabel: set.classes.ignoreLabel)
    var counts = Counts(
      presets: segmenters.map { _ in [] }, seconds: segmenters.map { _ in 0 },
      epochs: trained.map {
        Array(repeating: empty, count: experiment.hasCurve(run) ? $0.training.epochs : 0)
      })
    var rest = pictures[...]
    while !rest.isEmpty {
      var chunk: [Picture] = []
      var bytes = 0
      while bytes < Self.largestChunk, let index = rest.popFirst() {
        try Cancellation.check()
        let picture = try view(set.load(index), presets: presets)
        bytes += picture.byteCount
        chunk.append(picture)
      }
      for (number, item) in trained.enumerated() {
        for epoch in counts.epochs[number].indices {
          let ensemble = try folder.ensemble(
            item.group.name, run, epoch: epoch, members: item.group.options.members)
          var plain = segmenters[0].segmenter
          (plain.ensemble, plain.prediction) = (ensemble, .init())
          for picture in chunk {
            counts.epochs[number][epoch].add(
              truth: picture.truth,
              prediction: try plain.segment(
                picture.seen(item.group.presets[0].noiseCount, nil).parts, geometry: picture.geometry
              ).labelsAtModelSize.labels)
          }
        }
      }
      for picture in chunk {
        if presets { try count(picture, into: &counts, empty: empty) }
        try done()
      }
    }
    return counts
  }

  private func count(_ picture: Picture, into counts: inout Counts, empty: ConfusionMatrix) throws(DataError)
  {
    for (position, item) in segmenters.enumerated() {
      let start = ContinuousClock.now
      let viewed = picture.seen(item.preset.noiseCount, item.preset.prediction.testTime)
      let labels = try item.segmenter.segment(
        viewed.parts, geometry: picture.geometry
      ).labelsAtModelSize.labels
      var matrix = empty
      matrix.add(truth: picture.truth, prediction: labels)
      counts.presets[position].append(matrix)
      counts.seconds[position] +=
        (ContinuousClock.now - start) / .seconds(1) + viewed.seconds
    }
  }

  /// What presets see of a picture, and how long it took.
  private struct Picture {
    struct Plain {
      /// One a view.
      var features: [FeatureMaps]
      var seconds: Double
    }
    struct Versions {
      /// Those of each view.
      var views: [[(replay: TestTimeReplay, features: FeatureMaps)]]
      var seconds: Double
    }

    var geometry: FittedGeometry
    var truth: [UInt8]
    var views: [ModelView]
    /// By the number of noises.
    var plain: [Int: Plain] = [:]
    var versions: [Int: [TestTimeSet: Versions]] = [:]

    var byteCount: Int {
      let changed = versions.values.flatMap(\.values).flatMap(\.views).flatMap(\.self)
      return plain.values.flatMap(\.features).reduce(0) { $0 + $1.byteCount }
        + changed.reduce(0) { $0 + $1.features.byteCount }
    }

    func seen(_ noiseCount: Int, _ set: TestTimeSet?) -> (parts: [ViewedPart], seconds: Double) {
      let plain = plain[noiseCount]!
      let versions = set.map { self.versions[noiseCount]![$0]! }
      return (
        views.indices.map { index in
          ViewedPart(views[index], features: plain.features[index], versions: versions?.views[index] ?? [])
        }, plain.seconds + (versions?.seconds ?? 0)
      )
    }
  }

  /// - Parameter presets: whether changed versions are wanted too
  private func view(_ item: LabelledImage, presets: Bool) throws(DataError) -> Picture {
    let any = segmenters[0].segmenter
    let (geometry, views) = try any.views(of: item.image, name: item.path, pixelSize: item.pixelSize)
    try checkMemory(of: views, name: item.path)
    let truth = geometry.cropToContent(
      geometry.apply(item.mask, ignoreLabel: any.classes.ignoreLabel, by: any.maskResampling))
    var picture = Picture(geometry: geometry, truth: truth.labels, views: views)
    for (preset, segmenter) in segmenters {
      // The features are the same for all presets of as many noises.
      if picture.plain[preset.noiseCount] == nil {
        let start = ContinuousClock.now
        let features = try views.map { (view) throws(DataError) in
          try segmenter.features.extract(
            view.image, by: view.geometry, precision: segmenter.featurePrecision, name: view.name)
        }
        picture.plain[preset.noiseCount] = .init(
          features: features, seconds: (ContinuousClock.now - start) / .seconds(1))
      }
      if presets, let set = preset.prediction.testTime, picture.versions[preset.noiseCount]?[set] == nil {
        let start = ContinuousClock.now
        let changed = try views.map { (view) throws(DataError) in try segmenter.versions(of: view) }
        picture.versions[preset.noiseCount, default: [:]][set] = .init(
          views: changed, seconds: (ContinuousClock.now - start) / .seconds(1))
      }
    }
    return picture
  }

  /// All presets share the features of a picture, so that those of all its tiles are in memory at once.
  private func checkMemory(of views: [ModelView], name: String) throws(DataError) {
    guard views.count > 1 else { return }
    let segmenter = segmenters[0].segmenter
    let geometry = views[0].geometry
    try AvailableMemory.require(
      Double(views.count)
        * segmenter.features.mapBytes(
          height: geometry.networkHeight, width: geometry.networkWidth, precision: segmenter.featurePrecision),
      file: name, item: "memory of the features of \(views.count) tiles")
  }
}
