import Augment
import Base
import Foundation
import Images
import PixelClassifier

/// How well a segmenter does on labelled pictures.
public struct Evaluation: Sendable {
  /// Counts over all pictures at the model's resolution.
  public var confusion: ConfusionMatrix
  public var classes: ClassList
  /// Mean uncertainty score of the pictures.
  public var meanUncertainty: Double
  /// Number of pictures.
  public var images: Int
  /// Pictures that could not be used.
  public var failed: [String]
  /// Time that features and predictions took.
  public var seconds: Double

  package init(
    confusion: ConfusionMatrix, classes: ClassList, meanUncertainty: Double, images: Int,
    failed: [String] = [],
    seconds: Double
  ) {
    self.confusion = confusion
    self.classes = classes
    self.meanUncertainty = meanUncertainty
    self.images = images
    self.failed = failed
    self.seconds = seconds
  }
}

extension Segmenter {
  /// Labels pictures and compares with their masks, at the model's resolution as the reference does.
  ///
  /// Pixels with the data set's label to ignore are ignored, which need not be the segmenter's. Pictures that cannot be
  /// read are left out.
  /// - Parameters:
  ///   - labelled: pictures with as many classes as the segmenter's
  ///   - notices: told of pictures that are left out, of classes in no mask, and of labels that are lost at the model's
  ///     resolution
  ///   - handler: called with each picture, its place in the data set and what was said about it
  /// - Throws: `DataError` when no picture can be used, or from `handler`; for the first picture that cannot be used
  ///   when the notices are strict.
  public func evaluate(
    on labelled: LabelledImages, notices: Notices = Notices(),
    handler: (_ index: Int, LabelledImage, Segmentation) throws(DataError) -> Void = { _, _, _ in }
  ) throws(DataError) -> Evaluation {
    guard labelled.classes.count == classes.count else {
      throw DataError(
        .invalidArgument, file: "classes", expected: "\(classes.count), as the segmenter was trained for",
        found: "\(labelled.classes.count)")
    }
    let ignoreLabel = labelled.classes.ignoreLabel
    var confusion = ConfusionMatrix(classCount: classes.count, ignoreLabel: ignoreLabel)
    var census = LabelCensus(labelled.classes)
    var (uncertainty, seconds, images) = (0.0, 0.0, 0)
    var failed: [String] = []
    var firstError: DataError?
    for index in 0..<labelled.count {
      try Cancellation.check()
      let item: LabelledImage
      let result: Segmentation
      do throws(DataError) {
        item = try labelled.load(index)
        let start = ContinuousClock.now
        result = try segment(item.image, name: item.path, pixelSize: item.pixelSize)
        seconds += (ContinuousClock.now - start) / .seconds(1)
      } catch {
        try notices.leaveOut(error)
        failed.append(labelled.pictures[index].path)
        firstError = firstError ?? error
        continue
      }
      let truth = result.geometry.cropToContent(
        result.geometry.apply(item.mask, ignoreLabel: ignoreLabel, by: maskResampling))
      census.add(item.mask, resized: truth, smallestAnnotation: 0)
      confusion.add(truth: truth.labels, prediction: result.labelsAtModelSize.labels)
      uncertainty += Double(result.imageUncertainty)
      images += 1
      try handler(index, item, result)
    }
    if images == 0, let firstError { throw firstError }
    census.report(to: notices, source: labelled.directory, imageSize: features.input.size)
    guard !confusion.scoredTruthIsEmpty else {
      throw DataError(
        .malformed, file: labelled.directory, item: "masks", expected: "labelled pixels",
        found: "only pixels to ignore")
    }
    return Evaluation(
      confusion: confusion, classes: classes, meanUncertainty: uncertainty / Double(images),
      images: images, failed: failed, seconds: seconds)
  }
}
