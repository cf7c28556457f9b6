import Base
import Checkpoints
import DiffusionCore
import Foundation
import TensorCore
import TestSupport
import Testing
import Training

struct DiffusionTrainerTests {
  /// A network that predicts no noise at all has a loss of 1.
  @Test(arguments: [false, true])
  func lossFallsToHalfOfThatOfPredictingZero(learnsVariance: Bool) throws {
    var trainer = try DiffusionTrainer.tiny(learnsVariance: learnsVariance) {
      $0.loss = learnsVariance ? .rescaledMSE : .mse
    }
    let reports = try trainer.run(100)
    #expect(abs(reports[0].mse! - 1) < 0.1)
    #expect(reports.suffix(10).reduce(0) { $0 + $1.mse! } / 10 < 0.5)
    #expect((reports[0].variational != nil) == learnsVariance)
  }

  @Test func seedDecides() throws {
    func bits(seed: UInt64) throws -> [[Float]] {
      var trainer = try DiffusionTrainer.tiny { $0.seed = seed }
      try trainer.run(2)
      return trainer.bits
    }
    let first = try bits(seed: 1)
    #expect(try bits(seed: 1) == first)
    #expect(try bits(seed: 2) != first)
  }

  @Test func threadsDoNotChangeBits() throws {
    let runs = try withThreadCounts([1, 2, 3, 5]) {
      var trainer = try DiffusionTrainer.tiny {
        $0.dropout = 0.2
        $0.quarterTurns = true
      }
      try trainer.run(2)
      return trainer.bits
    }
    for run in runs.dropFirst() { #expect(run == runs[0]) }
  }

  /// Recomputing changes nothing; micro-batches only how sums are rounded.
  @Test func waysToSaveMemoryGiveTheSameStep() throws {
    func state(_ change: (inout DiffusionTrainingOptions) -> Void) throws -> DiffusionTrainer {
      var trainer = try DiffusionTrainer.tiny(change)
      try trainer.run(2)
      return trainer
    }
    let whole = try state { $0.dropout = 0 }
    let recomputed = try state { $0.recomputesBlocks = true }
    #expect(recomputed.bits == whole.bits)
    let dropping = try state { $0.dropout = 0.3 }
    let recomputedDropping = try state {
      $0.dropout = 0.3
      $0.recomputesBlocks = true
    }
    // Other streams, but a step all the same.
    #expect(dropping.bits != whole.bits && recomputedDropping.bits != whole.bits)
    let parts = try state { $0.microBatch = 3 }
    for (part, other) in zip(parts.state.moments, whole.state.moments) {
      let scale = Double(other.mean.elements.map { abs($0) }.max()!)
      expectClose(part.mean, NaiveTensor(other.mean), absolute: 1e-4 * scale + 1e-8)
    }
  }

  @Test(arguments: [TimestepSampling.uniform, .lossSecondMoment])
  func resumedTrainingGivesTheSameBits(sampling: TimestepSampling) throws {
    let folder = try TemporaryFolder()
    func fresh() throws -> DiffusionTrainer {
      try .tiny {
        $0.timesteps = sampling
        $0.warmUpSteps = 5
        $0.average.warmsUp = true
        $0.largestGradientNorm = 0.5
      }
    }
    var whole = try fresh()
    try whole.run(5)
    var first = try fresh()
    try first.run(3)
    try first.write(to: folder.path("state.safetensors"))
    var second = try DiffusionTrainer(
      objective: fresh().objective, options: whole.options, contentsOf: folder.path("state.safetensors"))
    #expect(second.state.step == 3)
    try second.run(2)
    #expect(second.bits == whole.bits)
  }

  @Test func stateOfAnotherNetworkIsRefused() throws {
    let folder = try TemporaryFolder()
    let trainer = try DiffusionTrainer.tiny()
    try trainer.write(to: folder.path("state.safetensors"))
    let other = try DiffusionTrainer.tiny(learnsVariance: true)
    let error = try #require(throws: DataError.self) {
      try DiffusionTrainer(
        objective: other.objective, options: other.options, contentsOf: folder.path("state.safetensors"))
    }
    #expect("\(error)".contains("out.2.weight"))
  }

  @Test func divergenceLeavesTheStateAlone() throws {
    var trainer = try DiffusionTrainer.tiny { $0.optimizer.learningRate = 1e30 }
    try trainer.run(1)
    let bits = trainer.bits
    #expect(throws: DataError.self) { try trainer.run(1) }
    #expect(trainer.bits == bits && trainer.state.step == 1)
  }

  @Test func classesAreLearnedFrom() throws {
    var trainer = try DiffusionTrainer.tiny(classes: 3)
    let table = { (trainer: DiffusionTrainer) in
      trainer.state.parameters.first { $0.name == "label_emb.weight" }!.tensor
    }
    let before = table(trainer)
    // The last layers begin as zero, so that gradients reach the table after some steps.
    try trainer.run(4, on: TinyPictures(classes: 3))
    let after = table(trainer)
    #expect((0..<3).allSatisfy { row in (0..<128).contains { before[row, $0] != after[row, $0] } })
  }

  @Test func optionsAreChecked() throws {
    let changes: [(inout DiffusionTrainingOptions) -> Void] = [
      { $0.batch = 0 }, { $0.microBatch = 9 }, { $0.microBatch = 0 }, { $0.optimizer.learningRate = -1 },
      { $0.optimizer.learningRate = .nan }, { $0.warmUpSteps = -1 }, { $0.largestGradientNorm = 0 },
      { $0.dropout = 1 }, { $0.average.decay = 1 }, { $0.optimizer.weightDecay = -0.1 },
    ]
    for change in changes { #expect(throws: DataError.self) { try DiffusionTrainer.tiny(change) } }
  }

  @Test func warmUpRisesToTheRate() {
    var options = DiffusionTrainingOptions()
    options.optimizer.learningRate = 4e-4
    options.warmUpSteps = 4
    let expected = [1e-4, 2e-4, 3e-4, 4e-4, 4e-4, 4e-4]
    for (step, rate) in expected.enumerated() {
      #expect(abs(options.learningRate(step: step) - rate) < 1e-12)
    }
  }

  /// A network that says nothing yet has the mean square of the noise as its loss.
  @Test func everyStepDrawsItsOwnNoise() throws {
    var trainer = try DiffusionTrainer.tiny {
      $0.optimizer.learningRate = 1e-12
      $0.flips = false
    }
    let losses = try trainer.run(4, on: TinyPictures(count: 1)).map(\.loss)
    #expect(Set(losses).count == 4)
  }

  /// The first moments after the first step are the gradients, shortened, times 1 - beta1.
  @Test func longGradientsAreShortened() throws {
    func norms(limit: Double?) throws -> (told: Double, used: Double) {
      var trainer = try DiffusionTrainer.tiny { $0.largestGradientNorm = limit }
      let report = try trainer.run(1)[0]
      let squares = trainer.state.moments.reduce(0) { sum, moments in
        moments.mean.elements.reduce(sum) { $0 + Double($1) * Double($1) }
      }
      return (report.gradientNorm, squares.squareRoot() / 0.1)
    }
    let free = try norms(limit: nil)
    #expect(abs(free.used / free.told - 1) < 1e-4)
    let limited = try norms(limit: free.told / 4)
    #expect(limited.told == free.told && abs(limited.used / free.told - 0.25) < 1e-4)
    let untouched = try norms(limit: free.told * 4)
    #expect(untouched.used == free.used)
  }

  /// A network whose output is not what the process expects.
  @Test(arguments: [(1, 1, false), (3, 6, false), (3, 3, true), (3, 4, true), (4, 8, true)])
  func networksThatDoNotFit(channels: (in: Int, out: Int, learned: Bool)) throws {
    var configuration = UNetConfiguration.tiny
    (configuration.inChannels, configuration.outChannels) = (channels.in, channels.out)
    let options = DiffusionTrainingOptions()
    let error = #expect(throws: DataError.self) {
      try DiffusionTrainer(
        configuration: configuration,
        diffusion: GaussianDiffusion(steps: 50, varianceType: channels.learned ? .learnedRange : .fixedLarge),
        imageSize: 16, options: options)
    }
    #expect(error?.file == "network")
  }

  /// A process of one step can be learned too.
  @Test(arguments: [false, true], DiffusionLoss.allCases)
  func oneStepOfDiffusion(learnsVariance: Bool, loss: DiffusionLoss) throws {
    let tiny = try DiffusionTrainer.tiny(learnsVariance: learnsVariance) { $0.loss = loss }
    var trainer = try DiffusionTrainer(
      configuration: tiny.configuration,
      diffusion: GaussianDiffusion(steps: 1, varianceType: learnsVariance ? .learnedRange : .fixedLarge),
      imageSize: 16, options: tiny.objective.options)
    #expect(try trainer.step(on: TinyPictures()).loss.isFinite)
  }
}
