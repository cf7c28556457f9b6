import Base
import TensorCore

/// One member's training, epoch by epoch.
struct MemberRun {
  let member: Int
  /// Whether it has stopped early.
  private(set) var isFinished = false
  private let trainer: ClassifierTrainer
  private var training: MemberTraining
  private var batches: BatchSequence
  private var stopping: EarlyStopping
  private var iteration = 0

  /// - Parameter random: generator of the ensemble
  init(_ member: Int, trainer: ClassifierTrainer, featureCount: Int, classCount: Int, random: Philox) {
    let own = random.split(UInt64(member))
    self.member = member
    self.trainer = trainer
    training = MemberTraining(
      PixelMLP(featureCount: featureCount, classCount: classCount, random: own.split(0)),
      batch: trainer.batchSize, optimizer: trainer.optimizer, dropout: trainer.dropout, random: own.split(2))
    batches = BatchSequence(batchSize: trainer.batchSize, random: own.split(1))
    stopping = trainer.earlyStopping
  }

  /// The classifier as it stands.
  var classifier: PixelMLP { training.classifier }

  /// Iterations of an epoch, or fewer when it stops early.
  /// - Throws: `DataError` when the loss is no longer finite.
  mutating func runEpoch(
    _ epoch: Int, on dataset: PixelDataset, progress: ClassifierTrainer.ProgressHandler?
  ) throws(DataError) {
    let iterations = trainer.iterationsPerEpoch ?? dataset.count / trainer.batchSize
    var current = batches.next(from: dataset)
    var x = dataset.features(ofRows: current.rows.map { Int($0) })
    var z = training.firstLayer(x)
    for remaining in (0..<iterations).reversed() {
      training.learningRate =
        trainer.optimizer.learningRate
        * trainer.schedule.factor(iteration: iteration, of: trainer.maxEpochs * iterations)
      let next = remaining > 0 ? batches.next(from: dataset) : nil
      let (step, nextX) = sideBySide(dataset, gathering: next) {
        training.stepAfterFirstLayer(z: z, targets: current.targets)
      }
      let nextZ = training.stepOfFirstLayer(gradient: step.gradient, x: x, next: nextX)
      iteration += 1
      let outcome = step.outcome
      guard outcome.loss.isFinite else { throw divergence(outcome.loss) }
      try progress?(
        TrainingProgress(
          member: member, epoch: epoch, iteration: iteration, iterationsPerEpoch: iterations,
          loss: outcome.loss,
          accuracy: outcome.accuracy))
      if stopping.shouldStop(epoch: epoch, loss: outcome.loss) {
        isFinished = true
        return
      }
      guard let next, let nextX, let nextZ else { return }
      (current, x, z) = (next, nextX, nextZ)
    }
  }

  /// The result of `body`, and the features of the next batch, which other threads gather meanwhile.
  private func sideBySide<Result>(
    _ dataset: PixelDataset, gathering next: BatchSequence.Batch?, _ body: () -> Result
  ) -> (Result, Tensor?) {
    guard let next else { return (body(), nil) }
    let batchSize = trainer.batchSize
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

  private func divergence(_ loss: Float) -> DataError {
    DataError(
      .diverged, file: "training", item: "member \(member), iteration \(iteration)",
      expected: "a finite loss",
      found: "\(loss)")
  }
}
