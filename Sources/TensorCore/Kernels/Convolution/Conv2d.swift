// x: [N, H, W, C]   weight: [O, C, kh, kw]   bias: [O] or [N, O]   y: [N, Ho, Wo, O]

/// 2-D convolution (cross-correlation, as in PyTorch) of channel-last activations, with zero padding.
///
/// - Parameters:
///   - x: `[N, H, W, C]`, or what becomes of it on the way in
///   - weight: of `C` channels, with the algorithm to use
///   - bias: `[O]`, or `[N, O]` for one a sample
///   - stride: at least 1, in both directions
///   - padding: zeros on each side
///   - residual: added to the result; of its shape
/// - Returns: `[N, (H + 2·padding - kh) / stride + 1, (W + 2·padding - kw) / stride + 1, O]`
/// - Precondition: Winograd algorithms are for stride 1 and padding 1.
public func conv2d(
  _ x: ConvolutionInput, weight: ConvolutionWeight, bias: Tensor? = nil, stride: Int = 1, padding: Int = 0,
  residual: Tensor? = nil
) -> Tensor {
  precondition(x.shape.count == 4, "2-D convolution of x \(x.shape)")
  let shape = ConvolutionShape(
    batch: x.shape[0], inChannels: x.channels, height: x.shape[1], width: x.shape[2],
    outChannels: weight.outChannels, kernelHeight: weight.kernelHeight, kernelWidth: weight.kernelWidth,
    stride: stride, paddingHeight: padding, paddingWidth: padding)
  precondition(
    x.channels == weight.inChannels && stride >= 1 && padding >= 0
      && shape.height + 2 * padding >= shape.kernelHeight && shape.width + 2 * padding >= shape.kernelWidth,
    "convolution of x \(x.shape) with weight \(weight.shape), stride \(stride), padding \(padding)")
  let outShape = [shape.batch, shape.outHeight, shape.outWidth, shape.outChannels]
  return convolve(x, weight: weight, bias: bias, shape: shape, residual: residual, outShape: outShape)
}

/// The same with a plain kernel, as the definition says it, without an algorithm that rounds more.
/// - Parameters:
///   - x: `[N, H, W, C]`
///   - weight: `[O, C, kh, kw]`
///   - bias: `[O]`, or `[N, O]` for one a sample
///   - stride: at least 1, in both directions
///   - padding: zeros on each side
///   - residual: added to the result; of its shape
public func conv2d(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Int = 0, residual: Tensor? = nil
) -> Tensor {
  conv2d(
    ConvolutionInput(x), weight: ConvolutionWeight(weight, algorithm: .im2col), bias: bias, stride: stride,
    padding: padding, residual: residual)
}

/// 1-D convolution of channel-last activations, with zero padding.
///
/// - Parameters:
///   - x: `[N, L, C]`, or what becomes of it on the way in
///   - weight: of `[O, C, k]`
///   - bias: `[O]`, or `[N, O]` for one a sample
///   - stride: at least 1
///   - padding: zeros at each end
///   - residual: added to the result; of its shape
/// - Returns: `[N, (L + 2·padding - k) / stride + 1, O]`
public func conv1d(
  _ x: ConvolutionInput, weight: ConvolutionWeight, bias: Tensor? = nil, stride: Int = 1, padding: Int = 0,
  residual: Tensor? = nil
) -> Tensor {
  precondition(x.shape.count == 3, "1-D convolution of x \(x.shape)")
  let shape = ConvolutionShape(
    batch: x.shape[0], inChannels: x.channels, height: 1, width: x.shape[1],
    outChannels: weight.outChannels, kernelHeight: 1, kernelWidth: weight.kernelWidth, stride: stride,
    paddingHeight: 0, paddingWidth: padding)
  precondition(
    x.channels == weight.inChannels && weight.kernelHeight == 1 && stride >= 1
      && padding >= 0 && shape.width + 2 * padding >= shape.kernelWidth,
    "convolution of x \(x.shape) with weight \(weight.shape), stride \(stride), padding \(padding)")
  let outShape = [shape.batch, shape.outWidth, shape.outChannels]
  return convolve(x, weight: weight, bias: bias, shape: shape, residual: residual, outShape: outShape)
}

/// The same with a plain kernel.
/// - Parameters:
///   - x: `[N, L, C]`
///   - weight: `[O, C, k]`
///   - bias: `[O]`, or `[N, O]` for one a sample
///   - stride: at least 1
///   - padding: zeros at each end
///   - residual: added to the result; of its shape
public func conv1d(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Int = 0, residual: Tensor? = nil
) -> Tensor {
  conv1d(
    ConvolutionInput(x), weight: ConvolutionWeight(weight, algorithm: .im2col), bias: bias, stride: stride,
    padding: padding, residual: residual)
}

private func convolve(
  _ x: ConvolutionInput, weight: ConvolutionWeight, bias: Tensor?, shape: ConvolutionShape,
  residual: Tensor?, outShape: [Int]
) -> Tensor {
  if let bias {
    precondition(
      bias.shape == [shape.outChannels] || bias.shape == [shape.batch, shape.outChannels],
      "bias \(bias.shape) of \(shape.batch) samples with weight \(weight.shape)")
  }
  if let residual {
    precondition(residual.shape == outShape, "residual \(residual.shape) of a result \(outShape)")
  }
  guard x.shape.allSatisfy({ $0 > 0 }), shape.outChannels > 0 else { return Tensor(zeros: outShape) }
  let bias = bias ?? Tensor(zeros: [shape.outChannels])
  return Tensor(shape: outShape) { y in
    x.withReader(height: shape.height, width: shape.width) { input in
      withPointers(weight.prepared, bias) { kernel, biasPointer in
        func run(_ residual: UnsafePointer<Float>?) {
          let output = ConvolutionOutput(
            y: y, channels: shape.outChannels, bias: biasPointer,
            biasStride: bias.rank == 2 ? shape.outChannels : 0, residual: residual)
          switch weight.algorithm {
          case .im2col:
            Im2colConvolution(
              shape: shape, input: input,
              weights: PackedMatrix(
                base: kernel, rows: shape.patchSize, columns: shape.outChannels, order: weight.order),
              output: output
            ).run()
          case .winograd2:
            WinogradConvolution<WinogradTile2>(
              shape: shape, input: input, weight: kernel, output: output, order: weight.order
            ).run()
          case .winograd4:
            WinogradConvolution<WinogradTile4>(
              shape: shape, input: input, weight: kernel, output: output, order: weight.order
            ).run()
          }
        }
        if let residual { withPointers(residual) { run($0) } } else { run(nil) }
      }
    }
  }
}
