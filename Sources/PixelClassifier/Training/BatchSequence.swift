import TensorCore

/// The batches that a member sees: all rows of a dataset in a new random order, again and again, whole batches only.
package struct BatchSequence {
  package struct Batch {
    /// B rows of the dataset.
    package var rows: [Int32]
    /// B classes.
    package var targets: [Int]
  }

  private let batchSize: Int
  private var random: Philox
  private var order: [Int32] = []
  private var position = 0

  package init(batchSize: Int, random: Philox) {
    self.batchSize = batchSize
    self.random = random
  }

  /// The next batch. A dataset with another number of rows than the last one starts an order of its own.
  /// - Precondition: the dataset fills a batch.
  package mutating func next(from dataset: PixelDataset) -> Batch {
    let batchesOfOrder = dataset.count / batchSize
    precondition(batchesOfOrder > 0, "\(dataset.count) rows for batches of \(batchSize)")
    if order.count != dataset.count {
      order = (0..<Int32(dataset.count)).map { $0 }
      position = batchesOfOrder
    }
    if position == batchesOfOrder {
      position = 0
      random.shuffle(&order)
    }
    let rows = Array(order[position * batchSize..<(position + 1) * batchSize])
    position += 1
    return Batch(rows: rows, targets: rows.map { Int(dataset.targets[Int($0)]) })
  }
}
