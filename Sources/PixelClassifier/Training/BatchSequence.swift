import TensorCore

/// The batches of a training: epochs of all rows in a new random order each, whole batches only.
package struct BatchSequence {
  package struct Batch {
    /// From 0.
    package var epoch: Int
    /// B rows of the dataset.
    package var rows: [Int32]
    /// B classes.
    package var targets: [Int]
  }

  package let batchesPerEpoch: Int
  private let dataset: PixelDataset
  private let batchSize: Int
  private let epochs: Int
  private var random: Philox
  private var order: [Int32]
  private var epoch = -1
  private var position: Int

  /// - Precondition: the dataset fills a batch.
  package init(_ dataset: PixelDataset, batchSize: Int, epochs: Int, random: Philox) {
    batchesPerEpoch = dataset.count / batchSize
    precondition(batchesPerEpoch > 0, "\(dataset.count) rows for batches of \(batchSize)")
    self.dataset = dataset
    self.batchSize = batchSize
    self.epochs = epochs
    self.random = random
    order = (0..<Int32(dataset.count)).map { $0 }
    position = batchesPerEpoch
  }

  /// The next batch, or nil after the last epoch.
  package mutating func next() -> Batch? {
    if position == batchesPerEpoch {
      guard epoch + 1 < epochs else { return nil }
      epoch += 1
      position = 0
      random.shuffle(&order)
    }
    let rows = Array(order[position * batchSize..<(position + 1) * batchSize])
    position += 1
    return Batch(epoch: epoch, rows: rows, targets: rows.map { Int(dataset.targets[Int($0)]) })
  }
}
