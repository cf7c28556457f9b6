import Base
import TensorCore

/// How far the training of a member is.
public struct TrainingProgress: Sendable, Equatable {
  /// Number of the member, from 0.
  public var member: Int
  /// From 0.
  public var epoch: Int
  /// Iterations of this member that are done, over all epochs.
  public var iteration: Int
  /// Iterations of a whole epoch.
  public var iterationsPerEpoch: Int
  /// Mean cross entropy of the batch before its update, in nats.
  public var loss: Float
  /// Share of the batch that was classified rightly before the update, 0 to 1.
  public var accuracy: Float
}

/// Trains classifiers of pixels: hyper-parameters here, data in the methods.
///
/// The defaults are those of `train_interpreter.py` of ddpm-segmentation. The same data and the same
/// generator give the same bits with any number of threads.
public struct ClassifierTrainer: Sendable {
  /// Called after every iteration, on the thread that trains the member. Members train side by side, but
  /// never are two calls under way at once, so the closure needs no lock; it should return quickly. What it throws ends
  /// the training.
  public typealias ProgressHandler = @Sendable (TrainingProgress) throws(DataError) -> Void

  /// Pixels of an iteration, at least 2.
  public var batchSize: Int
  public var optimizer: Adam
  public var schedule: LearningRateSchedule
  /// Probability with which a hidden unit is dropped, after each ReLU.
  public var dropout: Float
  /// Most epochs.
  public var maxEpochs: Int
  /// Iterations of an epoch; nil for one pass over the pixels. Passes and epochs then need not end together: the
  /// order of the pixels goes on from epoch to epoch.
  public var iterationsPerEpoch: Int?
  /// When to stop before that.
  public var earlyStopping: EarlyStopping

  public init(
    batchSize: Int = 64, optimizer: Adam = Adam(), schedule: LearningRateSchedule = .constant,
    dropout: Float = 0,
    maxEpochs: Int = 100, iterationsPerEpoch: Int? = nil, earlyStopping: EarlyStopping = EarlyStopping()
  ) {
    self.batchSize = batchSize
    self.optimizer = optimizer
    self.schedule = schedule
    self.dropout = dropout
    self.maxEpochs = maxEpochs
    self.iterationsPerEpoch = iterationsPerEpoch
    self.earlyStopping = earlyStopping
  }

  /// Trains one member of an ensemble.
  ///
  /// Unless epochs have a length of their own, each shuffles all pixels and takes whole batches; what is left over at
  /// its end is dropped.
  /// - Parameters:
  ///   - member: its number, which fixes its initial weights and the order of its batches
  ///   - dataset: the pixels, their vectors and classes
  ///   - random: generator of the ensemble
  ///   - progress: told how far the member is; what it throws ends the work
  /// - Throws: `DataError` when there are fewer pixels than a batch, an option makes no sense, or the loss
  ///   is no longer finite.
  public func trainMember(
    _ member: Int, on dataset: PixelDataset, random: Philox, progress: ProgressHandler? = nil
  ) throws(DataError) -> PixelMLP {
    try checkOptions()
    try check(dataset)
    var run = MemberRun(
      member, trainer: self, featureCount: dataset.featureCount, classCount: dataset.classCount,
      random: random)
    for epoch in 0..<maxEpochs where !run.isFinished {
      try run.runEpoch(epoch, on: dataset, progress: progress)
    }
    return run.classifier
  }

  func checkOptions() throws(DataError) {
    func require(_ isRight: Bool, _ item: String, _ expected: String, _ found: String) throws(DataError) {
      guard !isRight else { return }
      throw DataError(.invalidArgument, file: "training", item: item, expected: expected, found: found)
    }
    try require(
      batchSize >= 2, "batch size", "at least 2, since a batch is normalised by its own statistics",
      "\(batchSize)")
    try require(maxEpochs >= 1, "epochs", "at least 1", "\(maxEpochs)")
    try require(dropout >= 0 && dropout < 1, "dropout", "0 to below 1", "\(dropout)")
    if let iterationsPerEpoch {
      try require(iterationsPerEpoch >= 1, "iterations of an epoch", "at least 1", "\(iterationsPerEpoch)")
    }
  }

  func check(_ dataset: PixelDataset) throws(DataError) {
    guard dataset.count >= batchSize else {
      throw DataError(
        .invalidArgument, file: "training set", item: "labelled pixels",
        expected: "at least \(batchSize), the size of a batch", found: "\(dataset.count)")
    }
  }
}
