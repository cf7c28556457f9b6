import Checkpoints
import TensorCore

/// A 1-D convolution over positions of channel-last activations, with its weights.
public struct Conv1d: Sendable {
  /// Made from `[outChannels, inChannels, kernelSize]`.
  public var weight: ConvolutionWeight
  /// `[outChannels]`
  public var bias: Tensor

  /// Loads `weight` and `bias` from a scope.
  public init(inChannels: Int, outChannels: Int, kernelSize: Int = 1, weights: WeightScope) {
    let shape = [outChannels, inChannels, kernelSize]
    weight = ConvolutionWeight(weights.tensor("weight", shape: shape), shape: shape, algorithm: .im2col)
    bias = weights.tensor("bias", shape: [outChannels])
  }

  /// `[N, L, inChannels]` gives `[N, L - kernelSize + 1, outChannels]`, plus `residual` of the result's shape.
  public func callAsFunction(
    _ x: ConvolutionInput, residual: Tensor? = nil, tape: Tape? = nil
  ) -> Tensor {
    if tape != nil { weight.keepForTraining() }
    let y = conv1d(x, weight: weight, bias: bias, residual: residual)
    tape?.record(y) { [weight, bias] gradient, gradients in
      if let residual { gradients.add(gradient, to: residual) }
      gradients.add(sumOfRows(sumOfPixels(gradient)), to: bias)
      gradients.add(
        conv1dWeightGradient(gradient, x: x, kernelWidth: weight.kernelWidth), to: weight)
      gradients.add(conv1dInputGradient(gradient, weight: weight), to: x)
    }
    return y
  }
}
