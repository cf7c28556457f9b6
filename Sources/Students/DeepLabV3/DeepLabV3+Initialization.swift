import Checkpoints
import TensorCore

extension DeepLabV3Configuration {
  /// Parameters before training: convolutions of the residual network by Kaiming's normal rule over the outputs (He et al.
  /// 2015), normalisations 1 and 0, convolutions of the heads uniform up to `1 / sqrt(inputs)`, as torchvision starts them.
  /// - Parameter random: each tensor takes a stream of its own
  /// - Returns: all tensors in the order of `parameterShapes`, running means of 0 and variances of 1 among them
  public func initialParameters(random: Philox) -> [NamedTensor] {
    let shapes = parameterShapes
    let inputs = Dictionary(uniqueKeysWithValues: shapes.map { ($0.name, $0.shape.dropFirst().reduce(1, *)) })
    let ranks = Dictionary(uniqueKeysWithValues: shapes.map { ($0.name, $0.shape.count) })
    return shapes.enumerated().map { index, parameter -> NamedTensor in
      var random = random.split(UInt64(index))
      let (name, shape) = (parameter.name, parameter.shape)
      let tensor: Tensor
      switch (name.split(separator: ".").last!, shape.count) {
      case ("weight", 4) where name.hasPrefix("backbone."):
        let outputs = shape[0] * shape[2] * shape[3]
        tensor = random.normal(shape: shape) * (2 / Float(outputs)).squareRoot()
      case ("weight", 4): tensor = random.uniform(shape: shape, within: inputs[name]!)
      case ("bias", _):
        // Of a convolution, unlike that of a normalisation.
        let weight = String(name.dropLast("bias".count)) + "weight"
        tensor =
          ranks[weight] == 4 ? random.uniform(shape: shape, within: inputs[weight]!) : Tensor(zeros: shape)
      case ("weight", _), ("running_var", _): tensor = Tensor(repeating: 1, shape: shape)
      default: tensor = Tensor(zeros: shape)
      }
      return NamedTensor(name: name, tensor: tensor)
    }
  }
}

extension Philox {
  /// Uniform within `1 / sqrt(inputs)` of 0.
  fileprivate mutating func uniform(shape: [Int], within inputs: Int) -> Tensor {
    let bound = 1 / Float(inputs).squareRoot()
    return uniform(shape: shape) * (2 * bound) - Tensor(repeating: bound, shape: shape)
  }
}
