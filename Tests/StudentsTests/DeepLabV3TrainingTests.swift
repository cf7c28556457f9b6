import Checkpoints
import Layers
import TensorCore
import TestSupport
import Testing

@testable import Students

struct DeepLabV3TrainingTests {
  private static func network(isBasic: Bool) -> DeepLabV3Configuration {
    DeepLabV3Configuration(
      blocks: [1, 1, 1, 1], stem: 4, isBasic: isBasic, classes: 3, poolingChannels: 8, rates: [1, 2, 3])
  }

  /// Pictures of three colours, a class each.
  private static func pictures(_ count: Int, side: Int, random: Philox) -> (x: Tensor, labels: [UInt8]) {
    var random = random
    var labels: [UInt8] = []
    var values: [Float] = []
    for _ in 0..<count {
      let (first, second) = (random.integer(below: 3), random.integer(below: 3))
      let border = side / 4 + random.integer(below: side / 2)
      for pixel in 0..<side * side {
        let label = pixel % side < border ? first : second
        labels.append(UInt8(label))
        values += (0..<3).map { ($0 == label ? 1 : -0.5) + 0.1 * random.uniform() }
      }
    }
    return (Tensor(values, shape: [count, side, side, 3]), labels)
  }

  /// Loss and gradients of a step, and what becomes of the running statistics.
  private static func step(
    _ parameters: [NamedTensor], isBasic: Bool, _ batch: (x: Tensor, labels: [UInt8]), seed: UInt64,
    dropout: Float = 0.5
  ) throws -> (loss: Float, gradients: [Tensor?], after: [Tensor?]) {
    let model = try DeepLabV3(
      state: StateDictionary(parameters, file: "memory"), rates: network(isBasic: isBasic).rates,
      use: .training)
    let (tape, statistics) = (Tape(random: Philox(seed: seed)), RunningStatistics())
    let output = model.training(
      batch.x,
      pass: DeepLabV3Pass(tape: tape, statistics: statistics, dropout: .drawn(probability: dropout)))
    let loss = DeepLabV3Loss()(of: output, labels: batch.labels, tape: tape)
    let gradients = tape.gradients(at: loss.total, Tensor([1], shape: [1]))
    return (loss.total.item, parameters.map { gradients[$0.tensor] }, parameters.map { statistics[$0.name] })
  }

  /// Every parameter is learned and every statistic moves, and the network sees what it learned in evaluation too.
  @Test(arguments: [false, true])
  func learns(isBasic: Bool) throws {
    let network = Self.network(isBasic: isBasic)
    var parameters = network.initialParameters(random: Philox(seed: 1))
    var moments = parameters.map { AdamMoments(shape: $0.tensor.shape) }
    let adam = Adam(learningRate: 5e-3)
    for number in 0..<120 {
      let batch = Self.pictures(4, side: 32, random: Philox(seed: 2).split(UInt64(number)))
      let step = try Self.step(parameters, isBasic: isBasic, batch, seed: UInt64(number))
      for place in parameters.indices {
        let name = parameters[place].name
        #expect((step.gradients[place] != nil) == DeepLabV3Configuration.isTrained(name), "\(name)")
        #expect((step.after[place] != nil) != DeepLabV3Configuration.isTrained(name), "\(name)")
        if let gradient = step.gradients[place] {
          adam.update(&parameters[place].tensor, gradient: gradient, moments: &moments[place])
        } else if let after = step.after[place] {
          parameters[place].tensor = after
        }
      }
    }
    let model = try DeepLabV3(state: StateDictionary(parameters, file: "memory"), rates: network.rates)
    let batch = Self.pictures(8, side: 32, random: Philox(seed: 3))
    let found = model(batch.x).labels
    let right = zip(found, batch.labels).count { $0 == Int($1) }
    #expect(Double(right) / Double(found.count) > 0.8)
  }

  /// The gradient of the loss is its slope along a direction in which every parameter moves.
  @Test(arguments: [false, true])
  func gradientsAreSlopes(isBasic: Bool) throws {
    let parameters = Self.network(isBasic: isBasic).initialParameters(random: Philox(seed: 4))
    let batch = Self.pictures(3, side: 24, random: Philox(seed: 5))
    func step(_ parameters: [NamedTensor]) throws -> (loss: Float, gradients: [Tensor?], after: [Tensor?]) {
      try Self.step(parameters, isBasic: isBasic, batch, seed: 6)
    }
    let gradients = try step(parameters).gradients
    let norm = gradients.reduce(0.0) { $0 + ($1.map { squaredNorm([$0]) } ?? 0) }.squareRoot()
    func loss(_ distance: Float) throws -> Double {
      let moved = zip(parameters, gradients).map { parameter, gradient in
        NamedTensor(
          name: parameter.name,
          tensor: gradient.map { parameter.tensor + $0 * (distance / Float(norm)) } ?? parameter.tensor)
      }
      return Double(try step(moved).loss)
    }
    let slope = (try loss(2e-4) - loss(-2e-4)) / 4e-4
    #expect(abs(slope / norm - 1) < 0.02)
  }

  @Test func followsFromTheSeedForAnyNumberOfThreads() throws {
    let parameters = Self.network(isBasic: false).initialParameters(random: Philox(seed: 7))
    let batch = Self.pictures(2, side: 20, random: Philox(seed: 8))
    let steps = try withThreadCounts([1, 3]) { try Self.step(parameters, isBasic: false, batch, seed: 9) }
    #expect(steps[0].loss == steps[1].loss)
    #expect(zip(steps[0].gradients, steps[1].gradients).allSatisfy { $0 == $1 })
    #expect(try Self.step(parameters, isBasic: false, batch, seed: 10).loss != steps[0].loss)
  }

  /// Older files do not count batches; those that do go on counting.
  @Test func countsBatchesWhereTheFileDoes() throws {
    var parameters = Self.network(isBasic: false).initialParameters(random: Philox(seed: 7))
    let batch = Self.pictures(2, side: 20, random: Philox(seed: 8))
    func counted() throws -> Tensor? {
      let model = try DeepLabV3(
        state: StateDictionary(parameters, file: "memory"), rates: [1, 2, 3], use: .training)
      let statistics = RunningStatistics()
      _ = model.training(batch.x, pass: DeepLabV3Pass(tape: Tape(), statistics: statistics))
      return statistics["backbone.bn1.num_batches_tracked"]
    }
    #expect(try counted() == nil)
    parameters.append(
      NamedTensor(name: "backbone.bn1.num_batches_tracked", tensor: Tensor([41], shape: [])))
    #expect(try counted()?.item == 42)
  }

  /// The form for inference, with folded normalisations, sees what the trained form sees in evaluation.
  @Test(arguments: [false, true])
  func bothFormsAgree(isBasic: Bool) throws {
    let network = Self.network(isBasic: isBasic)
    var random = Philox(seed: 11)
    let parameters = network.initialParameters(random: random).map { parameter in
      var parameter = parameter
      let noise = random.uniform(shape: parameter.tensor.shape)
      if parameter.tensor.rank == 1 { parameter.tensor = parameter.tensor + noise }
      return parameter
    }
    let x = random.normal(shape: [1, 33, 41, 3])
    let state = StateDictionary(parameters, file: "memory")
    let folded = try DeepLabV3(state: state, rates: network.rates)(x).scores
    let plain = try DeepLabV3(state: state, rates: network.rates, use: .training)(x).scores
    let largest = plain.elements.map { abs($0) }.max()!
    expectClose(folded, NaiveTensor(plain), absolute: 2e-5 * Double(largest))
  }
}
