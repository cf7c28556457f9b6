import TensorCore

/// A parameter of a network under its name.
public struct NamedTensor: Sendable {
  public var name: String
  public var tensor: Tensor

  public init(name: String, tensor: Tensor) {
    self.name = name
    self.tensor = tensor
  }
}

extension StateDictionary {
  /// Parameters in memory. A layer that is loaded from them holds these very tensors, so that gradients can be asked
  /// for by them.
  /// - Parameters:
  ///   - parameters: in the order that the network lists them
  ///   - file: for messages
  /// - Precondition: no two have the same name.
  public init(_ parameters: [NamedTensor], file: String) {
    self.init(parameters.map { NamedArray(name: $0.name, array: NumericArray($0.tensor)) }, file: file)
  }
}
