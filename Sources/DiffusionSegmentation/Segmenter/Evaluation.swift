import Foundation
import Images
import PixelClassifier
import TensorCore

/// How well a segmenter does on labelled pictures.
public struct Evaluation: Sendable {
  /// Counts over all pictures at the model's resolution.
  public var confusion: ConfusionMatrix
  public var classes: ClassList
  /// Mean uncertainty score of the pictures.
  public var meanUncertainty: Double
  /// Number of pictures.
  public var images: Int
  /// Time that features and predictions took.
  public var seconds: Double

  package init(
    confusion: ConfusionMatrix, classes: ClassList, meanUncertainty: Double, images: Int, seconds: Double
  ) {
    self.confusion = confusion
    self.classes = classes
    self.meanUncertainty = meanUncertainty
    self.images = images
    self.seconds = seconds
  }
}

extension Segmenter {
  /// Labels pictures and compares with their masks, at the model's resolution as the reference does.
  /// - Parameter handler: called with each picture and what was said about it
  /// - Throws: `DataError` when a picture or mask cannot be used, or from `handler`.
  public func evaluate(
    on labelled: LabelledImages,
    handler: (_ done: Int, LabelledImage, Segmentation) throws(DataError) -> Void = { _, _, _ in }
  ) throws(DataError) -> Evaluation {
    guard labelled.classes.count == classes.count else {
      throw DataError(
        .invalidArgument, file: "classes", expected: "\(classes.count), as the segmenter was trained for",
        found: "\(labelled.classes.count)")
    }
    var confusion = ConfusionMatrix(classCount: classes.count, ignoreLabel: classes.ignoreLabel)
    var (uncertainty, seconds) = (0.0, 0.0)
    for index in 0..<labelled.count {
      let item = try labelled.load(index)
      let start = ContinuousClock.now
      let result = try segment(item.image, name: item.path)
      seconds += (ContinuousClock.now - start) / .seconds(1)
      let truth = result.geometry.cutBack(result.geometry.apply(item.mask, ignoreLabel: classes.ignoreLabel))
      confusion.add(truth: truth.labels, prediction: result.modelLabels.labels)
      uncertainty += Double(result.imageUncertainty)
      try handler(index + 1, item, result)
    }
    guard !confusion.scoredTruthIsEmpty else {
      throw DataError(
        .malformed, file: labelled.directory, item: "masks", expected: "labelled pixels",
        found: "only pixels to ignore")
    }
    return Evaluation(
      confusion: confusion, classes: classes, meanUncertainty: uncertainty / Double(labelled.count),
      images: labelled.count, seconds: seconds)
  }
}
