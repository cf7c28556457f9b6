import Checkpoints
import TensorCore

/// A 2-D convolution of channel-last activations, with its weights.
public struct Conv2d: Sendable {
  /// Made from `[outChannels, inChannels, kernelSize, kernelSize]`.
  public var weight: ConvolutionWeight
  /// `[outChannels]`
  public var bias: Tensor
  public let stride: Int
  public let padding: Int

  /// Loads `weight` and `bias` from a scope.
  public init(
    inChannels: Int, outChannels: Int, kernelSize: Int, stride: Int = 1, padding: Int = 0,
    algorithm: ConvolutionAlgorithm = .im2col, weights: WeightScope
  ) {
    let shape = [outChannels, inChannels, kernelSize, kernelSize]
    weight = ConvolutionWeight(
      weights.tensor("weight", shape: shape), shape: shape, algorithm: algorithm)
    bias = weights.tensor("bias", shape: [outChannels])
    self.stride = stride
    self.padding = padding
  }

  /// `[N, H, W, inChannels]` gives `[N, H', W', outChannels]`.
  /// - Parameters:
  ///   - x: `[N, H, W, inChannels]`, or what becomes of it on the way in
  ///   - offset: added to every pixel of a sample, `[N, outChannels]`
  ///   - residual: added too, of the result's shape
  ///   - tape: records the gradients of input, weights, bias, offset and residual; nil for evaluation
  public func callAsFunction(
    _ x: ConvolutionInput, offset: Tensor? = nil, residual: Tensor? = nil, tape: Tape? = nil
  ) -> Tensor {
    if tape != nil { weight.keepForTraining() }
    let y = conv2d(
      x, weight: weight, bias: offset.map { $0.addingToRows(bias) } ?? bias, stride: stride,
      padding: padding, residual: residual)
    guard let tape else { return y }
    let wantsInput = tape.wantsGradient(of: x.first)
    tape.record(y) { [weight, bias, stride, padding] gradient, gradients, recorder in
      if let recorder {
        precondition(
          x.isPlain && offset == nil,
          "the backward rule of a convolution of a normalised input cannot be recorded")
        if let residual { gradients.add(gradient, to: residual) }
        let rows = gradient.reshaped([gradient.count / bias.count, bias.count])
        gradients.add(sumOfRows(rows, tape: recorder), to: bias)
        gradients.add(
          conv2dWeightGradient(
            gradient, x: x.first, like: weight, stride: stride, padding: padding, tape: recorder), to: weight)
        guard wantsInput else { return }
        gradients.add(
          conv2dInputGradient(
            gradient, weight: weight, of: x.first, stride: stride, padding: padding, tape: recorder),
          to: x.first)
        return
      }
      if let residual { gradients.add(gradient, to: residual) }
      let sums = sumOfPixels(gradient)
      if let offset { gradients.add(sums, to: offset) }
      gradients.add(sumOfRows(sums), to: bias)
      gradients.add(
        conv2dWeightGradient(
          gradient, x: x, kernelHeight: weight.kernelHeight, kernelWidth: weight.kernelWidth,
          stride: stride, padding: padding, algorithm: weight.algorithm),
        to: weight)
      guard wantsInput else { return }
      gradients.add(
        conv2dInputGradient(
          gradient, weight: weight, height: x.shape[1], width: x.shape[2], stride: stride,
          padding: padding),
        to: x)
    }
    return y
  }

  /// The same of a plain activation.
  public func callAsFunction(_ x: Tensor, residual: Tensor? = nil, tape: Tape? = nil) -> Tensor {
    self(ConvolutionInput(x), residual: residual, tape: tape)
  }
}

extension Tensor {
  /// `[N, C]` plus `[C]`.
  fileprivate func addingToRows(_ row: Tensor) -> Tensor {
    precondition(rank == 2 && row.shape == [shape[1]], "\(row.shape) added to the rows of \(shape)")
    return Tensor(shape: shape) { y in
      withPointers(self, row) { x, row in
        for n in 0..<shape[0] {
          for c in 0..<shape[1] { y[n * shape[1] + c] = x[n * shape[1] + c] + row[c] }
        }
      }
    }
  }
}
