import Base

/// The scores of a student after each epoch of its training, and which epoch is kept.
///
/// Source: `train_deeplab.py` of ddpm-segmentation, whose files are looked at in the order of their names: epoch 10 before
/// epoch 2.
public struct EpochScores: Sendable {
  /// One epoch.
  public struct Epoch: Sendable, Equatable {
    /// Of the checkpoint.
    public var file: String
    /// Mean intersection over union on the pictures that decide.
    public var validation: Double
    /// That on the pictures that are reported.
    public var testing: Double

    public init(file: String, validation: Double, testing: Double) {
      self.file = file
      self.validation = validation
      self.testing = testing
    }
  }

  /// In the order of the names of their files.
  public let epochs: [Epoch]

  /// Takes epochs in any order.
  public init(_ epochs: [Epoch]) {
    self.epochs = epochs.sorted { $0.file.utf8.lexicographicallyPrecedes($1.file.utf8) }
  }

  /// Name of the checkpoint of an epoch, counted from 0.
  public static func file(ofEpoch epoch: Int) -> String { "deeplab_epoch_\(epoch).pth" }

  /// The first epoch with the largest score on the pictures that decide.
  /// - Throws: `DataError` when no score is above 0, since nothing tells the epochs apart then.
  public func chosen() throws(DataError) -> Epoch {
    var best: Epoch?
    for epoch in epochs where epoch.validation > best?.validation ?? 0 { best = epoch }
    guard let best else {
      throw DataError(
        .invalidArgument, file: epochs.first?.file ?? "", expected: "an epoch with a score above 0",
        found: "none of \(epochs.count)")
    }
    return best
  }
}
