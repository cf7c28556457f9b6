import Base
import Foundation
import PixelClassifier

/// How single test pictures went: mean IoU over the classes that are in them, mean over the seeds.
struct PictureScores {
  struct Row {
    var testSet: Int
    var picture: Int
    var path: String
    /// One a line of the report.
    var scores: [Double]
  }

  let rows: [Row]
  private let lines: [String]
  private let testSets: [String]

  init(_ experiment: Experiment, in folder: ExperimentFolder) throws(DataError) {
    lines = experiment.lines.map(\.name)
    testSets = experiment.testSetNames
    var rows: [Row] = []
    for (index, set) in experiment.reportedSets.enumerated() {
      var scores = [[Double]](repeating: [], count: set.count)
      for (leg, preset, _) in experiment.lines {
        var sums = [Double](repeating: 0, count: set.count)
        for seed in experiment.seeds {
          let matrices = try leg.record(preset, seed: seed, in: folder)
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

  /// The pictures with which some lines together have most trouble.
  func worst(_ count: Int, of lines: [Int]) -> [Row] {
    func sum(_ row: Row) -> Double { lines.reduce(0) { $0 + row.scores[$1] } }
    return Array(rows.sorted { sum($0) < sum($1) }.prefix(count))
  }

  /// One line a test picture.
  var table: String {
    commaSeparated(
      [["test_set", "picture"] + lines]
        + rows.map {
          [testSets[$0.testSet], ($0.path as NSString).lastPathComponent] + $0.scores.map { "\($0)" }
        })
  }
}
