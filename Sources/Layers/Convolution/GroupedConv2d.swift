import Checkpoints
import TensorCore

/// A 2-D convolution of channel-last activations whose channels lie in groups that do not see each other, with its
/// weights (`groups` of PyTorch's `Conv2d`).
public struct GroupedConv2d: Sendable {
  /// Made from `[outChannels, inChannels / groups, kernelSize, kernelSize]`.
  public let weight: GroupedConvolutionWeight
  /// `[outChannels]`; nil for none.
  public let bias: Tensor?
  public let stride: Int
  public let padding: Padding2D
  public let dilation: Int

  /// Loads `weight` and `bias` from a scope.
  /// - Parameters:
  ///   - inChannels: channels of the input
  ///   - outChannels: channels of the result
  ///   - kernelSize: side of the kernel
  ///   - groups: number of groups, by which both can be divided
  ///   - stride: pixels from output to output
  ///   - padding: zeros around the picture
  ///   - dilation: pixels from tap to tap of the kernel
  ///   - hasBias: whether there is a `bias`
  ///   - norm: the batch normalisation of the result, to be folded into weights without a bias, for inference
  ///   - algorithm: Winograd algorithms are for 3×3 kernels, stride, padding and dilation of 1
  ///   - weights: where the parameters lie
  public init(
    inChannels: Int, outChannels: Int, kernelSize: Int, groups: Int, stride: Int = 1, padding: Padding2D = 0,
    dilation: Int = 1, hasBias: Bool = true, folding norm: BatchNorm2d? = nil,
    algorithm: ConvolutionAlgorithm = .im2col, weights: WeightScope
  ) {
    precondition(
      groups > 0 && inChannels % groups == 0 && outChannels % groups == 0 && !(hasBias && norm != nil),
      "\(groups) groups of \(inChannels) and \(outChannels) channels")
    let shape = [outChannels, inChannels / groups, kernelSize, kernelSize]
    var kernel = weights.tensor("weight", shape: shape)
    // A stand-in for a weight that the file lacks may have another shape; it is never used.
    if kernel.shape != shape { kernel = Tensor(zeros: shape) }
    if let norm { kernel = norm.folded(into: kernel) }
    weight = GroupedConvolutionWeight(kernel, groups: groups, algorithm: algorithm)
    bias = norm?.offset ?? (hasBias ? weights.tensor("bias", shape: [outChannels]) : nil)
    (self.stride, self.padding, self.dilation) = (stride, padding, dilation)
  }

  /// `[N, H, W, inChannels]` gives `[N, H', W', outChannels]`.
  /// - Parameters:
  ///   - x: the input
  ///   - residual: added to the result, of its shape
  ///   - activation: of the sum
  ///   - tape: where to record; nil for inference
  public func callAsFunction(
    _ x: Tensor, residual: Tensor? = nil, activation: ConvolutionActivation = .none, tape: Tape? = nil
  ) -> Tensor {
    if tape != nil { weight.keepForTraining() }
    let y = groupedConv2d(
      x, weight: weight, bias: bias, stride: stride, padding: padding, dilation: dilation, residual: residual,
      activation: activation)
    guard let tape else { return y }
    let wantsInput = tape.wantsGradient(of: x)
    tape.record(y) { [self] gradient, gradients in
      let gradient = activation == .relu ? reluBackward(gradient, output: y) : gradient
      if let residual { gradients.add(gradient, to: residual) }
      if let bias { gradients.add(sumOfRows(sumOfPixels(gradient)), to: bias) }
      gradients.add(
        groupedConv2dWeightGradient(
          gradient, x: x, weight: weight, stride: stride, padding: padding, dilation: dilation),
        to: weight.weight)
      guard wantsInput else { return }
      gradients.add(
        groupedConv2dInputGradient(
          gradient, weight: weight, height: x.shape[1], width: x.shape[2], stride: stride, padding: padding,
          dilation: dilation),
        to: x)
    }
    return y
  }
}
