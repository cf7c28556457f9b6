// x: [N, C, H, W]   weight: [O, C, kh, kw]   bias: [O]   y: [N, O, Ho, Wo]

/// 2-D convolution (cross-correlation, as in PyTorch) with zero padding.
///
/// - Parameters:
///   - x: `[N, C, H, W]`
///   - weight: `[O, C, kh, kw]`
///   - bias: `[O]`
///   - stride: at least 1, in both directions
///   - padding: zeros on each side
///   - residual: added to the result; of its shape
/// - Returns: `[N, O, (H + 2·padding - kh) / stride + 1, (W + 2·padding - kw) / stride + 1]`
public func conv2d(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Int = 0, residual: Tensor? = nil
) -> Tensor {
  precondition(
    x.rank == 4 && weight.rank == 4 && x.shape[1] == weight.shape[1] && stride >= 1 && padding >= 0
      && x.shape[2] + 2 * padding >= weight.shape[2] && x.shape[3] + 2 * padding >= weight.shape[3],
    "convolution of x \(x.shape) with weight \(weight.shape), stride \(stride), padding \(padding)")
  let shape = ConvolutionShape(
    batch: x.shape[0], inChannels: x.shape[1], height: x.shape[2], width: x.shape[3],
    outChannels: weight.shape[0], kernelHeight: weight.shape[2], kernelWidth: weight.shape[3], stride: stride,
    paddingHeight: padding, paddingWidth: padding)
  let outShape = [shape.batch, shape.outChannels, shape.outHeight, shape.outWidth]
  return convolve(x, weight: weight, bias: bias, shape: shape, residual: residual, outShape: outShape)
}

/// 1-D convolution with zero padding.
///
/// - Parameters:
///   - x: `[N, C, L]`
///   - weight: `[O, C, k]`
///   - bias: `[O]`
///   - residual: added to the result; of its shape
/// - Returns: `[N, O, (L + 2·padding - k) / stride + 1]`
public func conv1d(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Int = 0, residual: Tensor? = nil
) -> Tensor {
  precondition(
    x.rank == 3 && weight.rank == 3 && x.shape[1] == weight.shape[1] && stride >= 1 && padding >= 0
      && x.shape[2] + 2 * padding >= weight.shape[2],
    "convolution of x \(x.shape) with weight \(weight.shape), stride \(stride), padding \(padding)")
  let shape = ConvolutionShape(
    batch: x.shape[0], inChannels: x.shape[1], height: 1, width: x.shape[2], outChannels: weight.shape[0],
    kernelHeight: 1, kernelWidth: weight.shape[2], stride: stride, paddingHeight: 0, paddingWidth: padding)
  let outShape = [shape.batch, shape.outChannels, shape.outWidth]
  return convolve(x, weight: weight, bias: bias, shape: shape, residual: residual, outShape: outShape)
}

private func convolve(
  _ x: Tensor, weight: Tensor, bias: Tensor?, shape: ConvolutionShape, residual: Tensor?, outShape: [Int]
) -> Tensor {
  if let bias {
    precondition(bias.shape == [shape.outChannels], "bias \(bias.shape) of weight \(weight.shape)")
  }
  if let residual {
    precondition(residual.shape == outShape, "residual \(residual.shape) of a result \(outShape)")
  }
  guard x.count > 0, weight.count > 0 else { return Tensor(zeros: outShape) }
  let zeroBias = bias ?? Tensor(zeros: [shape.outChannels])
  return Tensor(shape: outShape) { y in
    withPointers(x, weight, zeroBias) { x, weight, bias in
      func run(_ residual: UnsafePointer<Float>?) {
        let convolution = Im2colConvolution(
          shape: shape, x: x, weight: weight, bias: bias, residual: residual, y: y)
        convolution.run()
      }
      if let residual { withPointers(residual) { run($0) } } else { run(nil) }
    }
  }
}
