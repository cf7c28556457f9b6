import Checkpoints
import Layers
import TensorCore
import TestSupport

extension KnownCase {
  /// Output, gradients and running statistics of a layer in training, from the case's `cotangent`.
  /// - Parameters:
  ///   - weights: that the layer was loaded from
  ///   - x: channels last
  ///   - run: calls the layer with x
  func trainingAnswers(
    _ weights: [NamedTensor], x: Tensor, run: (Tape, RunningStatistics) throws -> Tensor
  ) throws -> [String: Answer] {
    let (tape, statistics) = (Tape(), RunningStatistics())
    let y = try run(tape, statistics)
    let gradients = tape.gradients(at: y, try tensor("cotangent").channelsLast)
    var answers: [String: Answer] = ["y": .tensor(y.channelsFirst)]
    answers["d_x"] = gradients[x].map { .tensor($0.channelsFirst) }
    for weight in weights {
      answers["d_w.\(weight.name)"] = gradients[weight.tensor].map { .tensor($0) }
      answers["after.\(weight.name)"] = statistics[weight.name].map { .tensor($0) }
    }
    return answers
  }

  /// The inputs `w.<name>` as tensors that a layer can be loaded from and whose gradients can be asked for.
  func weightTensors() throws -> [NamedTensor] {
    try inputs.keys.filter { $0.hasPrefix("w.") }.sorted().map {
      NamedTensor(name: String($0.dropFirst(2)), tensor: try tensor($0))
    }
  }

  /// Output and gradients of a layer of channel-last activations, from the case's `cotangent`.
  /// - Parameters:
  ///   - inputs: that the case has, `[N, C, …]` each
  ///   - load: makes the layer from the case's weights, and gives what calls it with the inputs, channels last
  func layerAnswers(
    inputs names: [String] = ["x"],
    load: (WeightScope) throws -> (_ inputs: [Tensor], _ tape: Tape?) -> Tensor
  ) throws -> [String: Answer] {
    let weights = try weightTensors()
    let scope = WeightScope(StateDictionary(weights, file: id))
    let layer = try load(scope)
    try scope.finish()
    let inputs = try names.map { try tensor($0).rank > 2 ? tensor($0).channelsLast : tensor($0) }
    guard has("cotangent") else { return ["y": .tensor(layer(inputs, nil).channelsFirst)] }
    let tape = Tape()
    let y = layer(inputs, tape)
    let gradients = tape.gradients(at: y, try tensor("cotangent").channelsLast)
    var answers: [String: Answer] = ["y": .tensor(y.channelsFirst)]
    for (name, input) in zip(names, inputs) {
      answers["d_\(name)"] = gradients[input].map { .tensor($0.rank > 2 ? $0.channelsFirst : $0) }
    }
    for weight in weights {
      answers["d_w.\(weight.name)"] = gradients[weight.tensor].map { .tensor($0) }
    }
    return answers
  }
}
