import Base
import Foundation
import PixelClassifier

/// How single test pictures went: mean IoU over the classes that are in them, mean over the seeds.
struct PictureScores {
  struct Row {
    var testSet: Int
    var picture: Int
    var path: String
    /// One a preset.
    var scores: [Double]
  }

  let rows: [Row]
  private let presets: [String]
  private let testSets: [String]

  init(_ experiment: Experiment, in folder: ExperimentFolder) throws(DataError) {
    presets = experiment.presets.map(\.id)
    testSets = experiment.testSetNames
    var rows: [Row] = []
    for (index, set) in experiment.reportedSets.enumerated() {
      var scores = [[Double]](repeating: [], count: set.count)
      for preset in experiment.presets {
        var sums = [Double](repeating: 0, count: set.count)
        for seed in experiment.seeds {
          let matrices = try experiment.record(preset, seed: seed, in: folder)
            .matrices(ofSet: index, classes: set.classes)
          for (picture, matrix) in matrices.enumerated() { sums[picture] += matrix.meanIoUOfPresentClasses }
        }
        for picture in sums.indices { scores[picture].append(sums[picture] / Double(experiment.seeds.count)) }
      }
      for (picture, path) in set.imagePaths.enumerated() {
        rows.append(Row(testSet: index, picture: picture, path: path, scores: scores[picture]))
      }
    }
    self.rows = rows
  }

  /// The pictures with which the last preset has most trouble.
  func worst(_ count: Int) -> [Row] { Array(rows.sorted { $0.scores.last! < $1.scores.last! }.prefix(count)) }

  /// One line a test picture.
  var table: String {
    commaSeparated(
      [["test_set", "picture"] + presets]
        + rows.map {
          [testSets[$0.testSet], ($0.path as NSString).lastPathComponent] + $0.scores.map { "\($0)" }
        })
  }
}
