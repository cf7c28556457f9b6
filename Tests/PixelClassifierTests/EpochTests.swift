import Base
import PixelClassifier
import Synchronization
import TensorCore
import TestSupport
import Testing

@Suite("Epochs of a training")
struct EpochTests {
  private func dataset(seed: UInt64 = 1) throws -> PixelDataset {
    try PixelDataset(separablePictures(), classCount: 3, ignoreLabel: 255)
  }

  private func weights(_ ensemble: PixelEnsemble) -> [Tensor] {
    ensemble.members.flatMap { [$0.linear0.weight, $0.norm5.runningVariance, $0.linear6.bias] }
  }

  @Test("the ensemble after an epoch is that of a training of so many epochs")
  func afterEpoch() throws {
    let dataset = try dataset()
    var seen: [[Tensor]] = []
    let last = try ClassifierTrainer(maxEpochs: 3).trainEnsemble(
      memberCount: 3, random: Philox(seed: 1),
      afterEpoch: { (epoch, ensemble) in
        #expect(epoch == seen.count)
        seen.append(weights(ensemble))
      }, dataset: { _ in dataset })
    for epochs in 1...3 {
      let whole = try ClassifierTrainer(maxEpochs: epochs).trainEnsemble(
        memberCount: 3, on: dataset, random: Philox(seed: 1))
      #expect(seen[epochs - 1] == weights(whole))
    }
    #expect(weights(last) == seen[2])
  }

  @Test("epochs may have a length of their own, also beyond the pixels there are", arguments: [1, 3, 50])
  func lengths(iterations: Int) throws {
    let dataset = try dataset()
    let ends = Mutex<[Int]>([])
    let member = try ClassifierTrainer(maxEpochs: 2, iterationsPerEpoch: iterations).trainMember(
      0, on: dataset, random: Philox(seed: 2)
    ) { progress in
      #expect(progress.iterationsPerEpoch == iterations)
      if progress.iteration == (progress.epoch + 1) * iterations {
        ends.withLock { $0.append(progress.epoch) }
      }
    }
    #expect(member.batchesTracked == 2 * iterations && ends.withLock { $0 } == [0, 1])
  }

  @Test("every epoch asks for its pixels, and what goes wrong there stops the training")
  func datasets() throws {
    let dataset = try dataset()
    var asked: [Int] = []
    func pixels(_ epoch: Int) throws(DataError) -> PixelDataset {
      asked.append(epoch)
      if epoch == 2 { throw DataError(.noInput, file: "gone") }
      return dataset
    }
    let error = #expect(throws: DataError.self) {
      try ClassifierTrainer(maxEpochs: 5).trainEnsemble(
        memberCount: 2, random: Philox(seed: 3), dataset: pixels)
    }
    #expect(error?.file == "gone" && asked == [0, 1, 2])
  }

  @Test("no epoch follows after all members have stopped")
  func stopped() throws {
    let dataset = try dataset()
    var asked = 0
    _ = try ClassifierTrainer(
      optimizer: Adam(learningRate: 0), maxEpochs: 50,
      earlyStopping: EarlyStopping(patience: 0, firstCountedEpoch: 1)
    ).trainEnsemble(memberCount: 2, random: Philox(seed: 4)) { _ in
      asked += 1
      return dataset
    }
    #expect(asked == 2 || asked == 3)
  }

  @Test("the learning rate falls along half a cosine")
  func cosine() throws {
    let factors = (0...10).map { LearningRateSchedule.cosine.factor(iteration: $0, of: 10) }
    #expect(factors[0] == 1 && abs(factors[5] - 0.5) < 1e-12 && abs(factors[10]) < 1e-12)
    #expect(zip(factors, factors.dropFirst()).allSatisfy { $0 > $1 })
    #expect((0...10).allSatisfy { LearningRateSchedule.constant.factor(iteration: $0, of: 10) == 1 })
    // One iteration at the full rate is the same with both; the second of two is at half of it.
    let dataset = try dataset()
    func bias(_ schedule: LearningRateSchedule, iterations: Int) throws -> Tensor {
      try ClassifierTrainer(schedule: schedule, maxEpochs: 1, iterationsPerEpoch: iterations).trainMember(
        0, on: dataset, random: Philox(seed: 5)
      ).linear6.bias
    }
    #expect(try bias(.cosine, iterations: 1) == bias(.constant, iterations: 1))
    let first = try bias(.constant, iterations: 1)
    let (full, half) = (try bias(.constant, iterations: 2) - first, try bias(.cosine, iterations: 2) - first)
    expectClose(half * 2, NaiveTensor(full), absolute: 1e-6)
  }

  @Test("settings that make no sense are refused", arguments: [Float(-0.1), 1, .nan])
  func refused(dropout: Float) throws {
    let error = #expect(throws: DataError.self) {
      try ClassifierTrainer(dropout: dropout).trainMember(0, on: dataset(), random: Philox(seed: 0))
    }
    #expect(error?.item == "dropout")
    #expect(throws: DataError.self) {
      try ClassifierTrainer(iterationsPerEpoch: 0).trainMember(0, on: dataset(), random: Philox(seed: 0))
    }
  }
}
