import Augment
import Foundation
import Images
import PixelClassifier
import TensorCore

extension Experiment {
  /// The figures of all runs in the folder.
  /// - Throws: `DataError` when a run is missing or damaged.
  func report(from folder: ExperimentFolder) throws(DataError) -> ExperimentReport {
    let classes = training.classes
    let names = testSetNames
    let bootstrap = PairedBootstrap(metric: metric, ignoreLabel: classes.ignoreLabel, draws: bootstrapDraws)
    var figures: [ExperimentReport.Preset] = []
    var first: [PairedBootstrap.Counts] = []
    var scored = Set<Int>()
    for preset in presets {
      var records: [RunRecord] = []
      for seed in seeds { records.append(try record(preset, seed: seed, in: folder)) }
      var scores: [ExperimentReport.Score] = []
      for index in reportedSets.indices {
        let matrices = records.map { $0.matrices(ofSet: index, classes: classes) }
        let counts = PairedBootstrap.Counts(matrices, metric: metric)
        if first.count == index { first.append(counts) }
        let pooled = matrices.map { $0.pooled }
        scored.formUnion(pooled.flatMap { $0.scoredClasses(metric) })
        scores.append(
          ExperimentReport.Score(
            miou: .init(pooled.map { $0.meanIoU(metric) }),
            classIoU: classes.names.indices.map { label in
              pooled.reduce(0) { $0 + $1.iou(metric)[label] } / Double(pooled.count)
            },
            difference: preset.id == presets[0].id ? nil : bootstrap.difference(of: counts, to: first[index]),
            confusion: pooled.pooled.table,
            secondsAPicture: records.reduce(0) { $0 + $1.testSets[index].secondsAPicture }
              / Double(records.count)))
      }
      figures.append(
        ExperimentReport.Preset(
          id: preset.id, summary: preset.summary, settings: preset.row,
          trainingSeconds: records.reduce(0) { $0 + $1.training.seconds } / Double(records.count),
          peakBytes: records.compactMap(\.training.peakBytes).max(), scores: scores,
          curve: Self.meanCurve(records.map(\.curve))))
    }
    return ExperimentReport(
      setup: setup,
      classes: classes.names.indices.map {
        ExperimentReport.ClassEntry(
          name: classes.names[$0], color: "\(classes.palette[UInt8($0)])", isScored: scored.contains($0))
      },
      testSets: zip(names, reportedSets).map { ExperimentReport.TestSet(name: $0, pictures: $1.count) },
      presets: figures, seconds: 0)
  }

  private var setup: ExperimentReport.Setup {
    ExperimentReport.Setup(
      model: (features.backbone.checkpointPath as NSString).lastPathComponent, steps: features.steps,
      blocks: features.blocks, features: features.channels, imageSize: features.backbone.options.imageSize,
      trainingPictures: training.count, folds: folds, seeds: seeds, metric: metric.rawValue,
      threads: Threads.count,
      version: Version.current)
  }

  /// The last components of the folders, as many as tell them apart.
  var testSetNames: [String] {
    let paths = reportedSets.map { URL(fileURLWithPath: $0.directory).standardizedFileURL.pathComponents }
    for count in 1...(paths.map(\.count).max() ?? 1) {
      let names = paths.map { $0.suffix(count).joined(separator: "/") }
      if Set(names).count == names.count { return names }
    }
    return reportedSets.map(\.directory)
  }

  /// Means over the seeds. A seed that stopped early keeps its last values.
  static func meanCurve(_ curves: [[ExperimentReport.CurvePoint]]) -> [ExperimentReport.CurvePoint] {
    (0..<(curves.map(\.count).max() ?? 0)).map { epoch in
      let points = curves.filter { !$0.isEmpty }.map { $0[min(epoch, $0.count - 1)] }
      let share = 1 / Double(points.count)
      return ExperimentReport.CurvePoint(
        epoch: epoch + 1, training: points.reduce(0) { $0 + $1.training * share },
        test: points[0].test.indices.map { set in points.reduce(0) { $0 + $1.test[set] * share } })
    }
  }
}

extension [ConfusionMatrix] {
  /// All together.
  var pooled: ConfusionMatrix {
    var sum = self[0]
    for matrix in dropFirst() { sum += matrix }
    return sum
  }
}

extension ConfusionMatrix {
  /// `[truth][prediction]` without the labels that are no class.
  var table: [[Int]] {
    (0..<classCount).map { truth in (0..<classCount).map { self[truth: truth, prediction: $0] } }
  }

  /// Mean IoU over the classes that are in the truth, as the report's weakness analysis has it: 0 for a class that was
  /// missed, and nothing for one that was only predicted. 0 when no pixel is labelled.
  var meanIoUOfPresentClasses: Double {
    let present = (0..<classCount).filter { truth in
      truth != Int(ignoreLabel) && (0...classCount).contains { self[truth: truth, prediction: $0] > 0 }
    }
    let iou = iou(.standard)
    return present.isEmpty ? 0 : present.reduce(0) { $0 + iou[$1] } / Double(present.count)
  }
}
