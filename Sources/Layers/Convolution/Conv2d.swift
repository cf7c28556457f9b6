import Checkpoints
import TensorCore

/// A 2-D convolution of channel-last activations, with its weights.
public struct Conv2d: Sendable {
  /// Made from `[outChannels, inChannels, kernelSize, kernelSize]`.
  public var weight: ConvolutionWeight
  /// `[outChannels]`; nil for none.
  public var bias: Tensor?
  public let stride: Int
  public let padding: Padding2D
  public let dilation: Int

  /// Loads `weight` and `bias` from a scope.
  /// - Parameters:
  ///   - inChannels: channels of the input
  ///   - outChannels: channels of the result
  ///   - kernelSize: side of the kernel
  ///   - stride: pixels from output to output
  ///   - padding: zeros around the picture
  ///   - dilation: pixels from tap to tap of the kernel
  ///   - hasBias: whether there is a `bias`
  ///   - algorithm: Winograd algorithms are for 3×3 kernels, stride, padding and dilation of 1
  ///   - weights: where the parameters lie
  public init(
    inChannels: Int, outChannels: Int, kernelSize: Int, stride: Int = 1, padding: Padding2D = 0,
    dilation: Int = 1, hasBias: Bool = true, algorithm: ConvolutionAlgorithm = .im2col, weights: WeightScope
  ) {
    let shape = [outChannels, inChannels, kernelSize, kernelSize]
    weight = ConvolutionWeight(
      weights.tensor("weight", shape: shape), shape: shape, algorithm: algorithm)
    bias = hasBias ? weights.tensor("bias", shape: [outChannels]) : nil
    (self.stride, self.padding, self.dilation) = (stride, padding, dilation)
  }

  /// Loads a convolution without a bias from a scope, and folds the batch normalisation after it into its weights:
  /// `y = factor · (w * x) + offset`.
  ///
  /// For inference: there are no parameters left that gradients could be asked for.
  /// - Parameters:
  ///   - inChannels: channels of the input
  ///   - outChannels: channels of the result
  ///   - kernelSize: side of the kernel
  ///   - stride: pixels from output to output
  ///   - padding: zeros around the picture
  ///   - dilation: pixels from tap to tap of the kernel
  ///   - norm: the normalisation of the result, with its running statistics
  ///   - algorithm: as for a plain convolution
  ///   - weights: where `weight` lies
  public init(
    inChannels: Int, outChannels: Int, kernelSize: Int, stride: Int = 1, padding: Padding2D = 0,
    dilation: Int = 1, folding norm: BatchNorm2d, algorithm: ConvolutionAlgorithm = .im2col,
    weights: WeightScope
  ) {
    let shape = [outChannels, inChannels, kernelSize, kernelSize]
    let kernel = weights.tensor("weight", shape: shape)
    // A stand-in for a weight that the file lacks may have another shape; it is never used.
    let folded = kernel.shape == shape ? norm.folded(into: kernel) : kernel
    // The file's own weights are of no more use.
    kernel.discardPages()
    weight = ConvolutionWeight(folded, shape: shape, algorithm: algorithm)
    bias = norm.offset
    (self.stride, self.padding, self.dilation) = (stride, padding, dilation)
  }

  /// `[N, H, W, inChannels]` gives `[N, H', W', outChannels]`.
  /// - Parameters:
  ///   - x: the input, or what becomes of it on the way in
  ///   - offset: added to every pixel of a sample, `[N, outChannels]`
  ///   - residual: added too, of the result's shape
  ///   - activation: of the sum of all that
  ///   - tape: where to record; nil for inference
  public func callAsFunction(
    _ x: ConvolutionInput, offset: Tensor? = nil, residual: Tensor? = nil,
    activation: ConvolutionActivation = .none, tape: Tape? = nil
  ) -> Tensor {
    if tape != nil { weight.keepForTraining() }
    let y = conv2d(
      x, weight: weight, bias: total(offset), stride: stride, padding: padding, dilation: dilation,
      residual: residual, activation: activation)
    guard let tape else { return y }
    let wantsInput = tape.wantsGradient(of: x.first)
    tape.record(y) { [self] gradient, gradients, recorder in
      let gradient =
        activation == .relu ? reluBackward(gradient, output: y, tape: recorder) : gradient
      if let residual { gradients.add(gradient, to: residual) }
      if let recorder {
        precondition(
          x.isPlain && offset == nil && dilation == 1,
          "the backward rule of a dilated convolution, or of one of a normalised input, cannot be recorded")
        addRecorded(gradient, of: x.first, wantsInput: wantsInput, to: &gradients, recorder)
        return
      }
      if offset != nil || bias != nil {
        let sums = sumOfPixels(gradient)
        if let offset { gradients.add(sums, to: offset) }
        if let bias { gradients.add(sumOfRows(sums), to: bias) }
      }
      gradients.add(
        conv2dWeightGradient(
          gradient, x: x, kernelHeight: weight.kernelHeight, kernelWidth: weight.kernelWidth,
          stride: stride, padding: padding, dilation: dilation, algorithm: weight.algorithm),
        to: weight)
      guard wantsInput else { return }
      gradients.add(
        conv2dInputGradient(
          gradient, weight: weight, height: x.shape[1], width: x.shape[2], stride: stride,
          padding: padding, dilation: dilation),
        to: x)
    }
    return y
  }

  /// The same of a plain activation.
  public func callAsFunction(
    _ x: Tensor, residual: Tensor? = nil, activation: ConvolutionActivation = .none, tape: Tape? = nil
  ) -> Tensor {
    self(ConvolutionInput(x), residual: residual, activation: activation, tape: tape)
  }

  private func total(_ offset: Tensor?) -> Tensor? {
    guard let offset, let bias else { return offset ?? bias }
    return offset.addingToRows(bias)
  }

  private func addRecorded(
    _ gradient: Tensor, of x: Tensor, wantsInput: Bool, to gradients: inout Gradients, _ recorder: Tape
  ) {
    if let bias {
      let rows = gradient.reshaped([gradient.count / bias.count, bias.count])
      gradients.add(sumOfRows(rows, tape: recorder), to: bias)
    }
    gradients.add(
      conv2dWeightGradient(
        gradient, x: x, like: weight, stride: stride, padding: padding, tape: recorder), to: weight)
    guard wantsInput else { return }
    gradients.add(
      conv2dInputGradient(
        gradient, weight: weight, of: x, stride: stride, padding: padding, tape: recorder), to: x)
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
