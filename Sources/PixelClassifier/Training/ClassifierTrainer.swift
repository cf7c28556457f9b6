import Synchronization
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
  /// never are two calls under way at once, so the closure needs no lock; it should return quickly.
  public typealias ProgressHandler = @Sendable (TrainingProgress) -> Void

  /// Pixels of an iteration, at least 2.
  public var batchSize: Int
  public var optimizer: Adam
  /// Most passes over the pixels.
  public var maxEpochs: Int
  /// When to stop before that.
  public var earlyStopping: EarlyStopping

  public init(
    batchSize: Int = 64, optimizer: Adam = Adam(), maxEpochs: Int = 100,
    earlyStopping: EarlyStopping = EarlyStopping()
  ) {
    self.batchSize = batchSize
    self.optimizer = optimizer
    self.maxEpochs = maxEpochs
    self.earlyStopping = earlyStopping
  }

  /// Trains one member of an ensemble.
  ///
  /// Every epoch shuffles all pixels and takes whole batches; what is left over at its end is dropped.
  /// - Parameters:
  ///   - member: its number, which fixes its initial weights and the order of its batches
  ///   - random: generator of the ensemble
  /// - Throws: `DataError` when there are fewer pixels than a batch, an option makes no sense, or the loss
  ///   is no longer finite.
  public func trainMember(
    _ member: Int, on dataset: PixelDataset, random: Philox, progress: ProgressHandler? = nil
  ) throws(DataError) -> PixelMLP {
    try check(dataset)
    let own = random.split(UInt64(member))
    let initial = PixelMLP(
      featureCount: dataset.featureCount, classCount: dataset.classCount, random: own.split(0))
    var training = MemberTraining(initial, batch: batchSize, optimizer: optimizer)
    var batches = BatchSequence(dataset, batchSize: batchSize, epochs: maxEpochs, random: own.split(1))
    var stopping = earlyStopping
    var iteration = 0
    var current = batches.next()!
    var x = dataset.features(ofRows: current.rows.map { Int($0) })
    var z = training.firstLayer(x)
    while true {
      let next = batches.next()
      let (step, nextX) = sideBySide(
        { training.stepAfterFirstLayer(z: z, targets: current.targets) }, dataset, gathering: next)
      let nextZ = training.stepOfFirstLayer(gradient: step.gradient, x: x, next: nextX)
      let outcome = step.outcome
      iteration += 1
      guard outcome.loss.isFinite else { throw ClassifierTrainer.divergence(member, iteration, outcome.loss) }
      progress?(
        TrainingProgress(
          member: member, epoch: current.epoch, iteration: iteration,
          iterationsPerEpoch: batches.batchesPerEpoch, loss: outcome.loss, accuracy: outcome.accuracy))
      guard !stopping.shouldStop(epoch: current.epoch, loss: outcome.loss), let next, let nextX, let nextZ
      else { break }
      (current, x, z) = (next, nextX, nextZ)
    }
    return training.classifier
  }

  /// The result of `body`, and the features of the next batch, which other threads gather meanwhile.
  private func sideBySide<Result>(
    _ body: () -> Result, _ dataset: PixelDataset, gathering next: BatchSequence.Batch?
  ) -> (Result, Tensor?) {
    guard let next else { return (body(), nil) }
    var result: Result?
    let x = Tensor(shape: [batchSize, dataset.featureCount]) { x in
      let rowsOfPart = 4
      let parts = (batchSize + rowsOfPart - 1) / rowsOfPart
      parallelFor(1 + parts) { part in
        guard part > 0 else {
          result = body()
          return
        }
        dataset.gather(
          next.rows, (part - 1) * rowsOfPart..<min(part * rowsOfPart, batchSize), into: x)
      }
    }
    return (result!, x)
  }

  /// Trains the members `0..<memberCount` of an ensemble.
  /// - Throws: as `trainMember`; the error of the first member that fails.
  public func trainEnsemble(
    memberCount: Int = 10, on dataset: PixelDataset, random: Philox, progress: ProgressHandler? = nil
  ) throws(DataError) -> PixelEnsemble {
    guard memberCount >= 1 else {
      throw DataError(
        .invalidArgument, file: "training", item: "members", expected: "at least 1", found: "\(memberCount)")
    }
    try check(dataset)
    let results = Mutex([Result<PixelMLP, DataError>?](repeating: nil, count: memberCount))
    let handler = progress.map(OneAtATime.init)?.call
    let train = { (member: Int) in
      let result: Result<PixelMLP, DataError>
      do throws(DataError) {
        result = .success(try trainMember(member, on: dataset, random: random, progress: handler))
      } catch {
        result = .failure(error)
      }
      results.withLock { $0[member] = result }
    }
    // Whole members side by side need no waiting for each other. Members that would leave half of the
    // threads idle run one by one instead, on all threads; both ways give the same bits.
    let threads = Threads.count
    let left = memberCount % threads
    let sideBySide = left * 2 >= threads ? memberCount : memberCount - left
    parallelFor(sideBySide, train)
    for member in sideBySide..<memberCount { train(member) }
    var members: [PixelMLP] = []
    for result in results.withLock({ $0 }) { members.append(try result!.get()) }
    return try PixelEnsemble(members)
  }

  private func check(_ dataset: PixelDataset) throws(DataError) {
    guard batchSize >= 2 else {
      throw DataError(
        .invalidArgument, file: "training", item: "batch size",
        expected: "at least 2, since a batch is normalised by its own statistics", found: "\(batchSize)")
    }
    guard maxEpochs >= 1 else {
      throw DataError(
        .invalidArgument, file: "training", item: "epochs", expected: "at least 1", found: "\(maxEpochs)")
    }
    guard dataset.count >= batchSize else {
      throw DataError(
        .invalidArgument, file: "training set", item: "labelled pixels",
        expected: "at least \(batchSize), the size of a batch", found: "\(dataset.count)")
    }
  }

  private static func divergence(_ member: Int, _ iteration: Int, _ loss: Float) -> DataError {
    DataError(
      .malformed, file: "training", item: "member \(member), iteration \(iteration)",
      expected: "a finite loss", found: "\(loss)")
  }
}

/// Lets threads call a closure one after the other.
private final class OneAtATime: Sendable {
  private let body: ClassifierTrainer.ProgressHandler
  private let turn = Mutex(())

  init(_ body: @escaping ClassifierTrainer.ProgressHandler) { self.body = body }

  @Sendable func call(_ progress: TrainingProgress) {
    turn.withLock { _ in body(progress) }
  }
}
