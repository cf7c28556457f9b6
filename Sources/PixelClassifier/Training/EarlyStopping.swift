/// Stops a training whose loss no longer improves.
///
/// Every batch of an armed epoch counts: one that does not improve strictly on the best loss adds 1, one
/// that does starts again from 0, and the run stops when the count exceeds `patience`.
/// Source: `train_interpreter.py` of ddpm-segmentation.
public struct EarlyStopping: Sendable, Equatable {
  /// Batches without improvement that are borne.
  public let patience: Int
  /// Index of the first epoch whose batches count.
  public let firstCountedEpoch: Int
  /// Lowest loss of the counted batches; 1e7 before there is one.
  public private(set) var bestLoss: Float = 1e7
  /// Counted batches since the last improvement.
  public private(set) var batchesWithoutImprovement = 0

  public init(patience: Int = 50, firstCountedEpoch: Int = 4) {
    self.patience = patience
    self.firstCountedEpoch = firstCountedEpoch
  }

  /// Takes the loss of a batch and tells whether to stop. A loss that is NaN is no improvement.
  /// - Parameters:
  ///   - epoch: counted from 0
  ///   - loss: mean cross entropy of the batch
  public mutating func shouldStop(epoch: Int, loss: Float) -> Bool {
    guard epoch >= firstCountedEpoch else { return false }
    if loss < bestLoss {
      bestLoss = loss
      batchesWithoutImprovement = 0
    } else {
      batchesWithoutImprovement += 1
    }
    return batchesWithoutImprovement > patience
  }
}
