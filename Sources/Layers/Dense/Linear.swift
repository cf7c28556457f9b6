import Checkpoints
import TensorCore

/// A fully connected layer with its weights.
public struct Linear: Sendable {
  /// `[outFeatures, inFeatures]`
  public var weight: Tensor
  /// `[outFeatures]`
  public var bias: Tensor

  /// Loads `weight` and `bias` from a scope.
  public init(inFeatures: Int, outFeatures: Int, weights: WeightScope) {
    weight = weights.tensor("weight", shape: [outFeatures, inFeatures])
    bias = weights.tensor("bias", shape: [outFeatures])
  }

  /// `[N, inFeatures]` gives `[N, outFeatures]`.
  public func callAsFunction(_ x: Tensor, tape: Tape? = nil) -> Tensor {
    let y = linear(x, weight: weight, bias: bias)
    guard let tape else { return y }
    let wantsInput = tape.wantsGradient(of: x)
    tape.record(y) { [weight, bias] gradient, gradients, recorder in
      gradients.add(linearWeightGradient(gradient, x: x, tape: recorder), to: weight)
      gradients.add(sumOfRows(gradient, tape: recorder), to: bias)
      if wantsInput { gradients.add(linearInputGradient(gradient, weight: weight, tape: recorder), to: x) }
    }
    return y
  }
}
