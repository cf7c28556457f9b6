import Checkpoints
import TensorCore

/// Layer normalisation over the last dimension (Ba et al. 2016).
public struct LayerNorm: Sendable {
  /// `[channels]`
  public var weight: Tensor
  /// `[channels]`
  public var bias: Tensor
  public let eps: Float

  /// Loads `weight` and `bias` from a scope.
  /// - Parameters:
  ///   - channels: size of the last dimension
  ///   - eps: added to the variance inside the root; PyTorch's default is 1e-5, vision transformers have 1e-6
  ///   - weights: where the parameters lie
  public init(channels: Int, eps: Float = 1e-5, weights: WeightScope) {
    weight = weights.tensor("weight", shape: [channels])
    bias = weights.tensor("bias", shape: [channels])
    self.eps = eps
  }

  /// `[…, channels]` gives the same shape.
  public func callAsFunction(_ x: Tensor, tape: Tape? = nil) -> Tensor {
    let y = layerNorm(x, weight: weight, bias: bias, eps: eps)
    tape?.record(y) { [weight, bias, eps] gradient, gradients in
      let found = layerNormBackward(gradient, x: x, weight: weight, eps: eps)
      gradients.add(found.x, to: x)
      gradients.add(found.weight, to: weight)
      gradients.add(found.bias, to: bias)
    }
    return y
  }
}
