import PixelClassifier
import Testing

@Suite("Early stopping")
struct EarlyStoppingTests {
  /// Runs losses through the rule; gives the number of batches and the epoch of the last.
  private func run(
    _ losses: [Float], batchesPerEpoch: Int, maxEpochs: Int = 100
  ) -> (iterations: Int, epoch: Int, stopped: Bool, best: Float) {
    var stopping = EarlyStopping()
    var iteration = 0
    for epoch in 0..<maxEpochs {
      for _ in 0..<batchesPerEpoch {
        let loss = losses[iteration % losses.count]
        iteration += 1
        if stopping.shouldStop(epoch: epoch, loss: loss) { return (iteration, epoch, true, stopping.bestLoss) }
      }
    }
    return (iteration, maxEpochs - 1, false, stopping.bestLoss)
  }

  @Test("stops at the 51st batch in a row that does not improve, counted from the fifth epoch")
  func plateau() {
    // 100 batches that do not count, one that sets the best loss, 51 that do not beat it.
    let outcome = run([1], batchesPerEpoch: 25)
    #expect(outcome.iterations == 152 && outcome.epoch == 6 && outcome.stopped && outcome.best == 1)
  }

  @Test("an equal loss is no improvement, a lower one starts the count again")
  func reset() {
    var stopping = EarlyStopping(patience: 2, firstCountedEpoch: 0)
    let stops = [5, 5, 6, 4, 4, 4, 4].map { stopping.shouldStop(epoch: 0, loss: $0) }
    #expect(stops == [false, false, false, false, false, false, true])
    #expect(stopping.bestLoss == 4)
  }

  @Test("losses above 1e7 and NaN never improve")
  func hopeless() {
    var stopping = EarlyStopping(patience: 1, firstCountedEpoch: 0)
    let stops = [.nan, 2e7].map { stopping.shouldStop(epoch: 0, loss: $0) }
    #expect(stops == [false, true])
  }

  @Test("epochs before the first counted one leave no trace")
  func unarmed() {
    var stopping = EarlyStopping()
    let stops = (0..<1000).map { _ in stopping.shouldStop(epoch: 3, loss: 0) }
    #expect(!stops.contains(true))
    #expect(stopping == EarlyStopping())
  }

  @Test(
    "agrees with the reference",
    arguments: [("early_stop_noise", 20, 206, 10), ("early_stop_edge", 10, 162, 16)])
  func reference(id: String, batchesPerEpoch: Int, iterations: Int, epoch: Int) throws {
    let losses = try Golden.tensor("\(id)/in/losses").elements
    let outcome = run(losses, batchesPerEpoch: batchesPerEpoch)
    #expect(outcome.iterations == iterations && outcome.epoch == epoch && outcome.stopped)
  }
}
