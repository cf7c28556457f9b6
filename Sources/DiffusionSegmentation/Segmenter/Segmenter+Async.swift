import Augment
import Base
import Features
import Images

// Each long call once more for tasks: it works on a thread of its own, and cancelling the task ends it.

extension Segmenter {
  /// Trains an ensemble on labelled pictures; see the form without `async`.
  /// - Throws: `DataError` as that form; of kind `.cancelled` when the task was cancelled.
  public static func train(
    on labelled: LabelledImages, features: any PixelFeatures, options: SegmenterOptions = .init(),
    prediction: PredictionSettings = .init(), notices: Notices = Notices(),
    progress: @escaping ProgressHandler = { _ in }
  ) async throws(DataError) -> Segmenter {
    try await onOwnThread { () throws(DataError) in
      try train(
        on: labelled, features: features, options: options, prediction: prediction, notices: notices,
        progress: progress, afterEpoch: nil)
    }
  }

  /// Labels a picture; see the form without `async`.
  /// - Throws: `DataError` as that form.
  public func segment(
    _ image: Image, name: String = "picture", pixelSize: PixelSize? = nil, withProbabilities: Bool = false
  ) async throws(DataError) -> Segmentation {
    try await onOwnThread { () throws(DataError) in
      try Cancellation.check()
      return try segment(image, name: name, pixelSize: pixelSize, withProbabilities: withProbabilities)
    }
  }

  /// Labels pictures and compares with their masks; see the form without `async`.
  /// - Throws: `DataError` as that form; of kind `.cancelled` when the task was cancelled.
  public func evaluate(
    on labelled: LabelledImages, notices: Notices = Notices()
  ) async throws(DataError) -> Evaluation {
    try await onOwnThread { () throws(DataError) in
      try evaluate(on: labelled, notices: notices, handler: { (_, _, _) throws(DataError) in })
    }
  }
}
