import Base
import Checkpoints
import TensorCore
import TestSupport
import Testing
import Training

struct TrainerTests {
  private func trainer(
    _ change: (inout TrainerOptions) -> Void = { _ in }, state: TrainingState? = nil
  ) throws -> Trainer<LineObjective> {
    var options = TrainerOptions()
    options.optimizer.learningRate = 0.05
    options.average.decay = 0.9
    change(&options)
    return try Trainer(
      objective: LineObjective(), options: options,
      state: state ?? TrainingState(parameters: LineObjective.start))
  }

  private func bits(_ state: TrainingState) -> [[Float]] {
    (state.parameters + state.averages).map(\.tensor.elements)
      + state.moments.flatMap { [$0.mean.elements, $0.square.elements] }
  }

  @Test func findsTheLine() throws {
    var trainer = try trainer()
    var reports: [TrainingReport] = []
    for _ in 0..<400 { reports.append(try trainer.step()) }
    #expect(reports[0].loss > 0.5 && reports[399].loss < 1e-3)
    #expect(reports.map(\.step) == Array(1...400))
    let line = trainer.averagedModel
    #expect(abs(line.weight.elements[0] - 3) < 0.05 && abs(line.weight.elements[1] + 2) < 0.05)
    #expect(abs(line.bias.elements[0] - 1) < 0.05)
  }

  @Test func reportsMeansAndTellsLosses() throws {
    var trainer = try trainer()
    let report = try trainer.step()
    #expect(trainer.objective.told.count == 16)
    let mean = trainer.objective.told.reduce(0) { $0 + Double($1) } / 16
    #expect(report.loss == mean && report.terms == ["squares": mean])
    #expect(report.gradientNorm > 0)
  }

  /// Sums over parts round in another way than the sum over all.
  @Test(arguments: [1, 3, 16])
  func micro(batch: Int) throws {
    var (whole, parts) = (try trainer(), try trainer { $0.microBatch = batch })
    for _ in 0..<5 { #expect(abs(try whole.step().loss - parts.step().loss) < 1e-6) }
    for (a, b) in zip(bits(whole.state).joined(), bits(parts.state).joined()) { #expect(abs(a - b) < 1e-5) }
  }

  @Test func goesOnToTheBit() throws {
    let folder = try TemporaryFolder()
    var all = try trainer()
    for _ in 0..<7 { _ = try all.step() }
    var first = try trainer()
    for _ in 0..<4 { _ = try first.step() }
    try first.state.write(to: folder.path("state"), metadata: ["own": "kept"])
    let shapes = LineObjective.start.map { ($0.name, $0.tensor.shape) }
    let read = try TrainingState(contentsOf: folder.path("state"), shapes: shapes)
    #expect(bits(read) == bits(first.state) && read.step == 4)
    var second = try trainer(state: read)
    for _ in 0..<3 { _ = try second.step() }
    #expect(bits(second.state) == bits(all.state))
  }

  /// Half a cosine after the warm-up, and nothing after its end.
  @Test func learningRateFallsAlongACosine() throws {
    var options = TrainerOptions()
    options.optimizer.learningRate = 2
    (options.warmUpSteps, options.cosineSteps) = (4, 12)
    let expected = [0: 0, 1: 0.5, 2: 1, 3: 1.5, 4: 2, 6: 1.707107, 7: 1.382683, 8: 1]
    for (step, rate) in expected {
      #expect(abs(options.learningRate(step: step) - rate) < 1e-5, "step \(step)")
    }
    #expect(options.learningRate(step: 12) == 0 && options.learningRate(step: 99) == 0)
    options.cosineSteps = 4
    #expect(throws: DataError.self) { try options.validate() }
  }

  /// Without gradients worth speaking of, a decay of a tenth shrinks what decays and leaves the rest.
  @Test func decayIsForThoseThatTheObjectiveNames() throws {
    func bias(decaysBias: Bool) throws -> Float {
      var options = TrainerOptions()
      options.optimizer = Adam(learningRate: 1e-3, weightDecay: 100, decay: .decoupled)
      var objective = LineObjective()
      objective.decaysBias = decaysBias
      let start = LineObjective.start.map {
        NamedTensor(name: $0.name, tensor: Tensor(repeating: 5, shape: $0.tensor.shape))
      }
      var trainer = try Trainer(
        objective: objective, options: options, state: TrainingState(parameters: start))
      _ = try trainer.step()
      #expect(abs(trainer.state.parameters[0].tensor.elements[0] - 4.499) < 1e-4)
      return trainer.state.parameters[1].tensor.elements[0]
    }
    #expect(try abs(bias(decaysBias: true) - 4.499) < 1e-4)
    #expect(try abs(bias(decaysBias: false) - 4.999) < 1e-4)
  }

  /// What an objective remembers is in the file, and a file without it is refused.
  @Test func memoryOfTheObjectiveGoesAlong() throws {
    let folder = try TemporaryFolder()
    var objective = LineObjective()
    objective.remembered = 7
    let state = TrainingState(parameters: LineObjective.start)
    let first = try Trainer(objective: objective, options: TrainerOptions(), state: state)
    try first.write(to: folder.path("state"))
    objective.remembered = 0
    let second = try Trainer(
      objective: objective, options: TrainerOptions(), contentsOf: folder.path("state"))
    #expect(second.objective.remembered == 7)
    try state.write(to: folder.path("without"))
    #expect(throws: DataError.self) {
      try Trainer(objective: objective, options: TrainerOptions(), contentsOf: folder.path("without"))
    }
  }

  @Test func warmUpAndNormLimitTheFirstStep() throws {
    var (plain, slow) = (try trainer(), try trainer { $0.warmUpSteps = 100 })
    _ = (try plain.step(), try slow.step())
    func way(_ trainer: Trainer<LineObjective>) -> Float {
      abs(trainer.state.parameters[0].tensor.elements[0] - 0.1)
    }
    #expect(abs(way(plain) - 100 * way(slow)) < 0.01 * way(plain))
    // Adam's first step does not depend on the gradient's length, but its moments do.
    var limited = try trainer { $0.largestGradientNorm = 0.01 }
    _ = try limited.step()
    let norm = squaredNorm(limited.state.moments.map(\.mean)).squareRoot()
    #expect(abs(norm - 0.001) < 1e-6)
  }

  @Test func numbersThatAreNotFiniteStopTheStep() throws {
    var start = LineObjective.start
    start[1].tensor = Tensor([.infinity], shape: [1])
    var trainer = try trainer(state: TrainingState(parameters: start))
    let error = #expect(throws: DataError.self) { try trainer.step() }
    #expect(error?.kind == .diverged && error?.item == "step 1" && error?.found.contains("inf") == true)
    #expect(trainer.state.step == 0 && trainer.objective.told.isEmpty)
  }

  @Test func parametersOfAnotherNetworkAreRefused() {
    #expect(throws: DataError.self) {
      try trainer(state: TrainingState(parameters: [LineObjective.start[0]]))
    }
  }

  /// A layer that holds a copy would never learn, and nobody would see it.
  @Test func lostGradientIsNoZero() async {
    await #expect(processExitsWith: .success) { try lineStep(copiesWeight: false) }
    await #expect(processExitsWith: .failure) { try lineStep(copiesWeight: true) }
  }
}

private func lineStep(copiesWeight: Bool) throws {
  var objective = LineObjective()
  objective.copiesWeight = copiesWeight
  var trainer = try Trainer(
    objective: objective, options: TrainerOptions(), state: TrainingState(parameters: LineObjective.start))
  _ = try trainer.step()
}
