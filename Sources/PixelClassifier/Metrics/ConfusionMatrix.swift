/// How often each class was taken for each other, over any number of pictures.
public struct ConfusionMatrix: Sendable, Equatable {
  /// Number K of classes.
  public let classCount: Int
  /// Label of pixels whose class nobody knows. It may be one of the classes, as the background is in
  /// LSUN-Bedroom.
  public let ignoreLabel: UInt8
  /// `[K + 1, K + 1]`, truth by prediction; the last row and column are labels that are no class.
  private var counts: [Int]

  /// - Precondition: 1 to 256 classes.
  public init(classCount: Int, ignoreLabel: UInt8) {
    precondition((1...256).contains(classCount), "\(classCount) classes")
    self.classCount = classCount
    self.ignoreLabel = ignoreLabel
    counts = [Int](repeating: 0, count: (classCount + 1) * (classCount + 1))
  }

  /// The counts `[K + 1, K + 1]`, truth by prediction, row by row; the last of each are labels that are no class.
  package var cells: [Int] { counts }

  /// The matrix of counts that `cells` gave; nil when there are not as many as the classes need.
  package init?(classCount: Int, ignoreLabel: UInt8, cells: [Int]) {
    self.init(classCount: classCount, ignoreLabel: ignoreLabel)
    guard cells.count == counts.count else { return nil }
    counts = cells
  }

  /// Counts the pixels of a picture.
  /// - Parameters:
  ///   - truth: a label for each pixel; those at or above `classCount` are ignored, whatever they are
  ///   - prediction: a label for each pixel; those at or above `classCount` agree with no class
  /// - Precondition: both have the same length.
  public mutating func add(truth: [UInt8], prediction: [UInt8]) {
    precondition(
      truth.count == prediction.count, "\(truth.count) true and \(prediction.count) predicted labels")
    for (truth, prediction) in zip(truth, prediction) {
      counts[min(Int(truth), classCount) * (classCount + 1) + min(Int(prediction), classCount)] += 1
    }
  }

  /// Adds the counts of other pictures.
  /// - Precondition: classes and ignore label are the same.
  public static func += (left: inout ConfusionMatrix, right: ConfusionMatrix) {
    precondition(
      left.classCount == right.classCount && left.ignoreLabel == right.ignoreLabel,
      "matrices of \(left.classCount) and \(right.classCount) classes")
    for index in left.counts.indices { left.counts[index] += right.counts[index] }
  }

  /// Pixels of class `truth` that were taken for class `prediction`. Either may be `classCount`, for all
  /// labels that are no class.
  public subscript(truth truth: Int, prediction prediction: Int) -> Int {
    precondition(
      (0...classCount).contains(truth) && (0...classCount).contains(prediction),
      "class \(truth) or \(prediction) of \(classCount)")
    return counts[truth * (classCount + 1) + prediction]
  }
}
