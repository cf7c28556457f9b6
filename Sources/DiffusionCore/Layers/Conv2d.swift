import Checkpoints
import TensorCore

/// A 2-D convolution with its weights.
public struct Conv2d: Sendable {
  /// `[outChannels, inChannels, kernelSize, kernelSize]`
  public var weight: Tensor
  /// `[outChannels]`
  public var bias: Tensor
  public let stride: Int
  public let padding: Int

  /// Loads `weight` and `bias` from a scope.
  public init(
    inChannels: Int, outChannels: Int, kernelSize: Int, stride: Int = 1, padding: Int = 0,
    weights: WeightScope
  ) {
    weight = weights.tensor("weight", shape: [outChannels, inChannels, kernelSize, kernelSize])
    bias = weights.tensor("bias", shape: [outChannels])
    self.stride = stride
    self.padding = padding
  }

  /// `[N, inChannels, H, W]` gives `[N, outChannels, H', W']`, plus `residual` of the result's shape.
  public func callAsFunction(_ x: Tensor, residual: Tensor? = nil) -> Tensor {
    conv2d(x, weight: weight, bias: bias, stride: stride, padding: padding, residual: residual)
  }
}
