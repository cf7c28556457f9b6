import Checkpoints
import TensorCore

/// A fully connected layer for each token of a sequence, as a product with packed weights.
///
/// The same as `Linear`, which is for a few rows at a time, for many tokens and at the speed of a convolution.
public struct TokenLinear: Sendable {
  /// Made from `[outFeatures, inFeatures]`.
  public var weight: ConvolutionWeight
  /// `[outFeatures]`; nil for none.
  public var bias: Tensor?

  /// Loads `weight` and `bias` from a scope.
  /// - Parameters:
  ///   - inFeatures: numbers of a token
  ///   - outFeatures: numbers of a token of the result
  ///   - hasBias: whether there is a `bias`
  ///   - isPointwiseConvolution: whether the weight lies in the file as that of a 1×1 convolution,
  ///     `[outFeatures, inFeatures, 1, 1]`
  ///   - weights: where the parameters lie
  public init(
    inFeatures: Int, outFeatures: Int, hasBias: Bool = true, isPointwiseConvolution: Bool = false,
    weights: WeightScope
  ) {
    let shape = [outFeatures, inFeatures] + (isPointwiseConvolution ? [1, 1] : [])
    weight = ConvolutionWeight(
      weights.tensor("weight", shape: shape), shape: [outFeatures, inFeatures, 1], algorithm: .im2col)
    bias = hasBias ? weights.tensor("bias", shape: [outFeatures]) : nil
  }

  /// `[N, T, inFeatures]` gives `[N, T, outFeatures]`.
  public func callAsFunction(_ x: Tensor, residual: Tensor? = nil, tape: Tape? = nil) -> Tensor {
    self(ConvolutionInput(x), residual: residual, tape: tape)
  }

  /// `[N, T, inFeatures]` gives `[N, T, outFeatures]`.
  /// - Parameters:
  ///   - x: the tokens, perhaps normalised on the way in
  ///   - residual: added, of the result's shape
  ///   - tape: where to record; nil for inference
  public func callAsFunction(
    _ x: ConvolutionInput, residual: Tensor? = nil, tape: Tape? = nil
  ) -> Tensor {
    if tape != nil { weight.keepForTraining() }
    let y = conv1d(x, weight: weight, bias: bias, residual: residual)
    guard let tape else { return y }
    let wantsInput = tape.wantsGradient(of: x.first)
    tape.record(y) { [weight, bias] gradient, gradients in
      if let residual { gradients.add(gradient, to: residual) }
      if let bias { gradients.add(sumOfRows(sumOfPixels(gradient)), to: bias) }
      gradients.add(conv1dWeightGradient(gradient, x: x), to: weight)
      if wantsInput { gradients.add(conv1dInputGradient(gradient, weight: weight), to: x) }
    }
    return y
  }
}
