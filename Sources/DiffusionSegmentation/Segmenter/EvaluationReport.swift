import Base
import Foundation
import PixelClassifier

/// The figures of an evaluation as they are written and shown.
public struct EvaluationReport: Encodable, Sendable {
  /// One class.
  public struct ClassFigures: Encodable, Sendable {
    public var name: String
    /// Intersection over union, 0 to 1; nil when the metric leaves the class out.
    public var iou: Double?
    /// Dice coefficient, 0 to 1, of the pixels that are not ignored; nil when the class is absent.
    public var dice: Double?
    /// Pixels of the class in the truth.
    public var pixels: Int
  }

  /// Mean over the classes that the metric counts, 0 to 1.
  public var miou: Double
  /// `ledm` or `standard`.
  public var metric: String
  /// The other metric's mean, for comparison.
  public var miouStandard: Double
  public var perClass: [ClassFigures]
  /// Share of right pixels among those that are not ignored, 0 to 1.
  public var pixelAccuracy: Double
  /// `[truth][prediction]` counts of pixels that are not ignored.
  public var confusion: [[Int]]
  public var meanUncertainty: Double
  public var images: Int
  /// Pictures that could not be used.
  public var failed: [String]
  public var seconds: Double
  public var version: String

  enum CodingKeys: String, CodingKey {
    case miou, metric, confusion, images, failed, seconds, version
    case miouStandard = "miou_standard"
    case perClass = "per_class"
    case pixelAccuracy = "pixel_accuracy"
    case meanUncertainty = "mean_uncertainty"
  }

  public init(_ evaluation: Evaluation, metric: IoUDefinition = .ledm) {
    let confusion = evaluation.confusion
    self.metric = metric.rawValue
    miou = confusion.meanIoU(metric)
    miouStandard = confusion.meanIoU(.standard)
    let (ious, scored) = (confusion.iou(metric), Set(confusion.scoredClasses(metric)))
    let (dice, present) = (confusion.dice, Set(confusion.scoredClasses(.standard)))
    let counts = (0..<confusion.classCount).map { truth in
      (0..<confusion.classCount).map { confusion[truth: truth, prediction: $0] }
    }
    perClass = evaluation.classes.names.enumerated().map { index, name in
      ClassFigures(
        name: name, iou: scored.contains(index) ? ious[index] : nil,
        dice: present.contains(index) ? dice[index] : nil,
        pixels: counts[index].reduce(0, +))
    }
    pixelAccuracy = confusion.pixelAccuracy
    self.confusion = counts
    meanUncertainty = evaluation.meanUncertainty
    images = evaluation.images
    failed = evaluation.failed
    seconds = evaluation.seconds
    version = Version.current
  }

  /// Writes the figures as JSON.
  /// - Throws: `DataError` when the file cannot be written.
  public func write(to path: String) throws(DataError) {
    try writeFigures(self, to: path)
  }
}
