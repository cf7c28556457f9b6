import Base
import Features
import Foundation
import PixelClassifier
import TensorCore

extension Experiment {
  /// The figures of all runs in the folder.
  /// - Throws: `DataError` when a run is missing or damaged.
  func report(from folder: ExperimentFolder) throws(DataError) -> ExperimentReport {
    var figures = ReportFigures(classes: training.classes, metric: metric, draws: bootstrapDraws)
    for (leg, preset, name) in lines {
      var records: [RunRecord] = []
      for seed in seeds { records.append(try leg.record(preset, seed: seed, in: folder)) }
      let share = 1 / Double(records.count)
      figures.append(
        id: name, backbone: backbones.count > 1 ? leg.backbones[0].name : nil, summary: preset.summary,
        settings: preset.row,
        trainingSeconds: records.reduce(0) { $0 + $1.training.seconds * share },
        peakBytes: records.compactMap(\.training.peakBytes).max(),
        testSets: reportedSets.indices.map { index in
          ReportFigures.Counted(
            matrices: records.map { $0.matrices(ofSet: index, classes: training.classes) },
            secondsAPicture: records.reduce(0) { $0 + $1.testSets[index].secondsAPicture * share })
        },
        curve: ExperimentReport.CurvePoint.means(records.map(\.curve)),
        curveSeeds: records.count { !$0.curve.isEmpty })
    }
    var setup = ExperimentReport.Setup(
      features.models[0], trainingPictures: training.count, folds: folds, seeds: seeds, metric: metric)
    setup.backbones = try backbones.map { (named) throws(DataError) in try ExperimentReport.Backbone(named) }
    return figures.report(
      setup: setup,
      testSets: zip(testSetNames, reportedSets).map { ($0, $1.count) }, seconds: 0)
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
}

extension ExperimentReport.CurvePoint {
  /// Means over several trainings. One that stopped early keeps its last values.
  static func means(_ curves: [[ExperimentReport.CurvePoint]]) -> [ExperimentReport.CurvePoint] {
    (0..<(curves.map(\.count).max() ?? 0)).map { epoch in
      let points = curves.filter { !$0.isEmpty }.map { $0[min(epoch, $0.count - 1)] }
      let share = 1 / Double(points.count)
      return ExperimentReport.CurvePoint(
        epoch: epoch + 1, training: points.reduce(0) { $0 + $1.training * share },
        test: points[0].test.indices.map { set in points.reduce(0) { $0 + $1.test[set] * share } })
    }
  }
}

extension ExperimentReport.Setup {
  package init(
    _ features: any ModelFeatures, model: String? = nil, trainingPictures: Int, folds: Int? = nil,
    seeds: [UInt64],
    metric: IoUDefinition
  ) {
    self.init(
      model: model ?? (features.origin.path as NSString).lastPathComponent, kind: features.record.kind,
      selection: features.record.selection, features: features.channels, imageSize: features.input.size,
      trainingPictures: trainingPictures, folds: folds, seeds: seeds, metric: metric.rawValue,
      threads: Threads.count, version: Version.current)
  }
}

extension ExperimentReport.Backbone {
  /// - Throws: `DataError` when the checkpoint cannot be read.
  init(_ named: NamedFeatures) throws(DataError) {
    let settings = try ExperimentSettings.Backbone(named.features)
    self.init(
      name: named.name,
      model: named.features.models.map { ($0.origin.path as NSString).lastPathComponent }
        .joined(separator: "+"), kind: settings.kind, checkpointSHA256: settings.checkpointSHA256,
      options: settings.options, selection: settings.selection, features: named.features.channels,
      imageSize: named.features.input.size)
  }
}

extension [ConfusionMatrix] {
  /// All together.
  package var pooled: ConfusionMatrix {
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
  package var meanIoUOfPresentClasses: Double {
    let present = (0..<classCount).filter { truth in
      truth != Int(ignoreLabel) && (0...classCount).contains { self[truth: truth, prediction: $0] > 0 }
    }
    let iou = iou(.standard)
    return present.isEmpty ? 0 : present.reduce(0) { $0 + iou[$1] } / Double(present.count)
  }
}
