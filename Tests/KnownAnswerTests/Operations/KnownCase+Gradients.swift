import Checkpoints
import DiffusionCore
import TensorCore

extension KnownCase {
  /// The gradient of a scalar at `y`, with the channels last.
  func cotangent() throws -> Tensor { try tensor("cotangent").channelsLast }

  /// The output of a layer, and the gradients at its inputs and weights.
  /// - Parameters:
  ///   - weights: the scope that the layer was loaded from
  ///   - inputs: activations by their names, `[N, …, C]`
  ///   - y: the output, recorded on the tape
  func answers(
    tape: Tape, y: Tensor, inputs: [String: Tensor], weights: [(name: String, tensor: Tensor)]
  ) throws -> [String: Answer] {
    let gradients = tape.gradients(at: y, try cotangent())
    var answers: [String: Answer] = ["y": .tensor(y.channelsFirst)]
    for (name, input) in inputs {
      let gradient = gradients[input]
      answers["d_\(name)"] = gradient.map { .tensor($0.rank > 2 ? $0.channelsFirst : $0) }
    }
    for (name, tensor) in weights { answers["d_w.\(name)"] = gradients[tensor].map { .tensor($0) } }
    return answers
  }

  /// The inputs `w.<name>` as tensors that a layer can be loaded from and whose gradients can be asked for.
  func weightTensors() throws -> [(name: String, tensor: Tensor)] {
    try inputs.keys.filter { $0.hasPrefix("w.") }.sorted().map { (String($0.dropFirst(2)), try tensor($0)) }
  }

  func weightScope(_ tensors: [(name: String, tensor: Tensor)]) -> WeightScope {
    WeightScope(
      StateDictionary(
        tensors.map { NamedArray(name: $0.name, array: NumericArray($0.tensor)) }, file: id))
  }
}
