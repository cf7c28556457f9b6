import DiffusionSegmentation
import PixelClassifier

/// Gathers the figures of a report, from what was counted on single pictures.
package struct ReportFigures {
  /// A preset, or another way to label pictures, on one set of test pictures.
  package struct Counted {
    /// One list of pictures for each seed.
    var matrices: [[ConfusionMatrix]]
    var secondsAPicture: Double

    package init(matrices: [[ConfusionMatrix]], secondsAPicture: Double) {
      (self.matrices, self.secondsAPicture) = (matrices, secondsAPicture)
    }
  }

  private let classes: ClassList
  private let metric: IoUDefinition
  private let bootstrap: PairedBootstrap
  /// Figures of the first preset, one a test set.
  private var first: [PairedBootstrap.Counts] = []
  private var scored = Set<Int>()
  private var presets: [ExperimentReport.Preset] = []

  /// - Parameter draws: resampled data sets behind an interval
  package init(classes: ClassList, metric: IoUDefinition, draws: Int) {
    (self.classes, self.metric) = (classes, metric)
    bootstrap = PairedBootstrap(metric: metric, ignoreLabel: classes.ignoreLabel, draws: draws)
  }

  /// Adds a preset; the first is what the others are compared with.
  /// - Parameters:
  ///   - backbone: name of its model, where there are several
  ///   - settings: its cells in the table of presets; the name alone where there are none
  ///   - testSets: the same sets, pictures and seeds for all presets
  package mutating func append(
    id: String, backbone: String? = nil, summary: String, settings: [String], trainingSeconds: Double,
    peakBytes: Int? = nil,
    testSets: [Counted], curve: [ExperimentReport.CurvePoint] = [], curveSeeds: Int = 0
  ) {
    var scores: [ExperimentReport.Score] = []
    for (index, set) in testSets.enumerated() {
      let counts = PairedBootstrap.Counts(set.matrices, metric: metric)
      if presets.isEmpty { first.append(counts) }
      let pooled = set.matrices.map { $0.pooled }
      scored.formUnion(pooled.flatMap { $0.scoredClasses(metric) })
      scores.append(
        ExperimentReport.Score(
          miou: .init(pooled.map { $0.meanIoU(metric) }),
          classIoU: classes.names.indices.map { label in
            pooled.reduce(0) { $0 + $1.iou(metric)[label] } / Double(pooled.count)
          },
          difference: presets.isEmpty ? nil : bootstrap.difference(of: counts, to: first[index]),
          confusion: pooled.pooled.table, secondsAPicture: set.secondsAPicture))
    }
    presets.append(
      ExperimentReport.Preset(
        id: id, backbone: backbone, summary: summary, settings: settings, trainingSeconds: trainingSeconds,
        peakBytes: peakBytes,
        scores: scores, curve: curve, curveSeeds: curveSeeds))
  }

  /// - Parameter testSets: names, and numbers of pictures
  package func report(
    setup: ExperimentReport.Setup, testSets: [(name: String, pictures: Int)], seconds: Double
  ) -> ExperimentReport {
    ExperimentReport(
      setup: setup,
      classes: classes.names.indices.map {
        ExperimentReport.ClassEntry(
          name: classes.names[$0], color: "\(classes.palette[UInt8($0)])", isScored: scored.contains($0))
      },
      testSets: testSets.map { ExperimentReport.TestSet(name: $0.name, pictures: $0.pictures) },
      presets: presets, seconds: seconds)
  }
}
