import PixelClassifier
import TensorCore

/// What came of one preset with one seed, as it stands in the experiment's folder.
struct RunRecord: Codable, Equatable {
  /// A training, as it is known before anything is evaluated.
  struct Training: Codable, Equatable {
    /// Time without the features of the pictures as they are.
    var seconds: Double
    var peakBytes: Int?
    /// Epochs after which the members were kept.
    var epochs: Int
  }

  struct TestSet: Codable, Equatable {
    /// Counts of each picture, see `ConfusionMatrix.cells`.
    var matrices: [[Int]]
    var secondsAPicture: Double
  }

  var training: Training
  /// One a test set.
  var testSets: [TestSet]
  var curve: [ExperimentReport.CurvePoint]

  /// The pictures' matrices of a test set.
  /// - Throws: `DataError` when the counts are not those of so many pictures and classes.
  func matrices(
    ofSet index: Int, pictures: Int, classes: ClassList, file: String
  ) throws(DataError) -> [ConfusionMatrix] {
    let cells = testSets.indices.contains(index) ? testSets[index].matrices : []
    let matrices = cells.compactMap {
      ConfusionMatrix(classCount: classes.count, ignoreLabel: classes.ignoreLabel, cells: $0)
    }
    guard matrices.count == pictures, cells.count == pictures else {
      throw DataError(
        .malformed, file: file, item: "test set \(index)", expected: "the counts of \(pictures) pictures",
        found: "those of \(matrices.count)")
    }
    return matrices
  }
}
