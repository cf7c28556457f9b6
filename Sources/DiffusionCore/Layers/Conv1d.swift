import Checkpoints
import TensorCore

/// A 1-D convolution over positions, with its weights.
public struct Conv1d: Sendable {
  /// `[outChannels, inChannels, kernelSize]`
  public var weight: Tensor
  /// `[outChannels]`
  public var bias: Tensor

  /// Loads `weight` and `bias` from a scope.
  public init(inChannels: Int, outChannels: Int, kernelSize: Int = 1, weights: WeightScope) {
    weight = weights.tensor("weight", shape: [outChannels, inChannels, kernelSize])
    bias = weights.tensor("bias", shape: [outChannels])
  }

  /// `[N, inChannels, L]` gives `[N, outChannels, L - kernelSize + 1]`, plus `residual` of the result's shape.
  public func callAsFunction(_ x: Tensor, residual: Tensor? = nil) -> Tensor {
    conv1d(x, weight: weight, bias: bias, residual: residual)
  }
}
