import Base
import Checkpoints
import Layers
import TensorCore
import Training

/// The smallest network that learns: a line through noisy points.
struct LineObjective: Objective {
  /// Whether the network trains on a changed copy of its weight, so that no gradient reaches it.
  var copiesWeight = false
  /// Losses that were told so far.
  var told: [Float] = []

  var decaysBias = true
  /// A number that the state keeps; nil for an objective without a memory.
  var remembered: Float?

  func decays(_ name: String, shape: [Int]) -> Bool { decaysBias || name != "bias" }

  var memory: [NamedTensor] {
    remembered.map { [NamedTensor(name: "number", tensor: Tensor([$0], shape: [1]))] } ?? []
  }

  mutating func restore(from reader: StateReader) throws(DataError) {
    if remembered == nil { return }
    remembered = try reader.tensor("number", shape: [1], "a number", \.isFinite).elements[0]
    try reader.finish()
  }

  struct Batch: TrainingBatch {
    var x: Tensor
    var target: Tensor
    func part(_ range: Range<Int>) -> Batch { Batch(x: x.samples(range), target: target.samples(range)) }
  }

  func parameterShapes() -> [(name: String, shape: [Int])] {
    Self.start.map { ($0.name, $0.tensor.shape) }
  }

  func model(_ parameters: [NamedTensor]) throws(DataError) -> Linear {
    let scope = WeightScope(StateDictionary(parameters, file: "line"))
    var line = Linear(inFeatures: 2, outFeatures: 1, weights: scope)
    try scope.finish()
    if copiesWeight { line.weight = line.weight * 1 }
    return line
  }

  func batch(_ count: Int, step: Int, random: Philox) throws(DataError) -> Batch {
    var (x, target) = ([Float](), [Float]())
    for item in 0..<count {
      var random = random.split(UInt64(1 + item))
      let point = (random.uniform(), random.uniform())
      x += [point.0, point.1]
      target.append(3 * point.0 - 2 * point.1 + 1 + 0.01 * random.normalPair().0)
    }
    return Batch(x: Tensor(x, shape: [count, 2]), target: Tensor(target, shape: [count, 1]))
  }

  func loss(of model: Linear, on batch: Batch, pass: TrainingPass) -> TrainingLoss {
    let output = model(batch.x, tape: pass.tape)
    let difference = output - batch.target
    let losses = difference.elements.map { $0 * $0 / 2 }
    return TrainingLoss(
      output: output, outputGradient: difference, losses: losses,
      weights: [Float](repeating: 1, count: losses.count),
      terms: ["squares": losses.reduce(0) { $0 + Double($1) }])
  }

  mutating func note(losses: [Float], of batch: Batch) { told += losses }

  static let start = [
    NamedTensor(name: "weight", tensor: Tensor([0.1, 0.2], shape: [1, 2])),
    NamedTensor(name: "bias", tensor: Tensor([0], shape: [1])),
  ]
}
