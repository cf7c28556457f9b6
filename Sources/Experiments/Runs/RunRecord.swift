import Base
import DiffusionSegmentation
import Images
import PixelClassifier

/// Result of one preset with one seed, as it stands in the experiment's folder.
struct RunRecord: Codable, Equatable {
  /// A training, as it is known before anything is evaluated.
  struct Training: Codable, Equatable {
    /// Time without the features of the pictures as they are.
    var seconds: Double
    var peakBytes: Int?
    /// Epochs after which the members were kept.
    var epochs: Int

    private static let mostEpochs = 1 << 20

    /// - Throws: `DataError` when the numbers are not those of a training.
    func check(file: String) throws(DataError) {
      guard (1...Self.mostEpochs).contains(epochs), seconds.isFinite else {
        throw DataError(
          .malformed, file: file, item: "training", expected: "1 to \(Self.mostEpochs) epochs in finite time",
          found: "\(epochs) in \(seconds) s")
      }
    }
  }

  struct TestSet: Codable, Equatable {
    /// Counts of each picture, see `ConfusionMatrix.cells`.
    var matrices: [[Int]]
    var secondsAPicture: Double
  }

  /// The model that the features came from.
  struct Backbone: Codable, Equatable {
    /// As the experiment named it when the run was made.
    var name: String
    var kind: String
    var checkpointSHA256: String
  }

  /// Nil in records of version 0.1.0.
  var backbone: Backbone?
  var training: Training
  /// One a test set.
  var testSets: [TestSet]
  /// Empty where it was not wanted.
  var curve: [ExperimentReport.CurvePoint]

  /// The pictures' matrices of a test set.
  func matrices(ofSet index: Int, classes: ClassList) -> [ConfusionMatrix] {
    guard testSets.indices.contains(index) else { return [] }
    return testSets[index].matrices.compactMap {
      ConfusionMatrix(classCount: classes.count, ignoreLabel: classes.ignoreLabel, cells: $0)
    }
  }

  /// - Throws: `DataError` when the numbers are not those of a run, or the counts not those of so many pictures and
  ///   classes.
  func check(set index: Int, pictures: Int, classes: ClassList, file: String) throws(DataError) {
    try training.check(file: file)
    let largest = Image.maximumPixelCount
    if let wrong = testSets.lazy.flatMap(\.matrices).joined().first(where: { !(0...largest).contains($0) }) {
      throw DataError(
        .malformed, file: file, item: "matrices", expected: "counts of pixels, 0 to \(largest)",
        found: "\(wrong)")
    }
    if let point = curve.first(where: { $0.test.count != testSets.count }) {
      throw DataError(
        .malformed, file: file, item: "curve", expected: "a number for each of \(testSets.count) test sets",
        found: "\(point.test.count)")
    }
    let count = matrices(ofSet: index, classes: classes).count
    guard count == pictures, testSets[index].matrices.count == pictures else {
      throw DataError(
        .malformed, file: file, item: "test set \(index)", expected: "the counts of \(pictures) pictures",
        found: "those of \(count)")
    }
  }
}

extension Experiment {
  /// What the records of a leg say of its model.
  /// - Throws: `DataError` when the checkpoint cannot be read.
  func recordedBackbone() throws(DataError) -> RunRecord.Backbone {
    let settings = try ExperimentSettings.Backbone(features)
    return RunRecord.Backbone(
      name: backbones[0].name, kind: settings.kind, checkpointSHA256: settings.checkpointSHA256)
  }

  /// - Throws: `DataError` when a run was made with another model.
  private func check(_ recorded: RunRecord.Backbone?, file: String) throws(DataError) {
    guard let recorded else { return }
    let present = try recordedBackbone()
    guard recorded.kind == present.kind, recorded.checkpointSHA256 == present.checkpointSHA256 else {
      throw DataError(
        .malformed, file: file, item: "backbone",
        expected:
          "\(present.kind) of SHA-256 \(present.checkpointSHA256), as the settings of the folder have it",
        found: "\(recorded.kind) of \(recorded.checkpointSHA256)")
    }
  }

  /// Result of a preset with a seed: of its run, or of all its folds together, each training picture with the counts
  /// of the fold that left it out.
  /// - Throws: `DataError` when a run is missing or damaged.
  func record(_ preset: SegmenterPreset, seed: UInt64, in folder: ExperimentFolder) throws(DataError)
    -> RunRecord
  {
    var records: [RunRecord] = []
    let runs = runs(seed: seed)
    for run in runs {
      guard let record = try folder.record(preset.id, run) else {
        throw DataError(
          .noInput, file: folder.recordPath(preset.id, run), expected: "a finished run", found: "none")
      }
      try check(record.backbone, file: folder.recordPath(preset.id, run))
      let tested = tested(run)
      for (index, item) in tested.enumerated() {
        try record.check(
          set: index, pictures: item.pictures.count, classes: training.classes,
          file: folder.recordPath(preset.id, run))
      }
      records.append(record)
    }
    guard folds != nil else { return records[0] }
    let share = 1 / Double(records.count)
    var matrices = [[Int]](repeating: [], count: training.count)
    for (run, record) in zip(runs, records) {
      for (picture, cells) in zip(heldOut(run), record.testSets[0].matrices) { matrices[picture] = cells }
    }
    return RunRecord(
      backbone: records[0].backbone,
      training: .init(
        seconds: records.reduce(0) { $0 + $1.training.seconds * share },
        peakBytes: records.compactMap(\.training.peakBytes).max(),
        epochs: records.reduce(0) { max($0, $1.training.epochs) }),
      testSets: [
        .init(
          matrices: matrices,
          secondsAPicture: records.reduce(0) { $0 + $1.testSets[0].secondsAPicture * share })
      ], curve: ExperimentReport.CurvePoint.means(records.map(\.curve)))
  }
}
