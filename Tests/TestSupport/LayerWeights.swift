import Checkpoints
import TensorCore

/// Loads a layer twice: from nothing, to learn what it asks for, and then from random tensors of those shapes.
/// - Returns: the layer, and its tensors by name
public func randomLayer<Layer>(
  seed: UInt64 = 1, _ make: (WeightScope) -> Layer
) throws -> (layer: Layer, weights: [String: Tensor]) {
  let empty = WeightScope(StateDictionary([], file: "empty"))
  _ = make(empty)
  var weights: [String: Tensor] = [:]
  for (index, parameter) in empty.report.missing.enumerated() {
    var random = Philox(seed: seed).split(UInt64(index))
    weights[parameter.name] = random.normal(shape: parameter.expected ?? []) * 0.3
  }
  let arrays = weights.sorted { $0.key < $1.key }.map {
    NamedArray(name: $0.key, array: NumericArray($0.value))
  }
  let scope = WeightScope(StateDictionary(arrays, file: "random"))
  let layer = make(scope)
  try scope.finish()
  return (layer, weights)
}
