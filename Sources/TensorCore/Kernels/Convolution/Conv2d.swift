// x: [N, H, W, C]   weight: [O, C, kh, kw]   bias: [O] or [N, O]   y: [N, Ho, Wo, O]

/// 2-D convolution (cross-correlation, as in PyTorch) of channel-last activations, with zero padding.
///
/// - Parameters:
///   - x: `[N, H, W, C]`, or what becomes of it on the way in
///   - weight: of `C` channels, with the algorithm to use
///   - bias: `[O]`, or `[N, O]` for one a sample
///   - stride: at least 1, in both directions
///   - padding: zeros around the picture
///   - dilation: pixels from tap to tap of the kernel, at least 1
///   - residual: added to the result; of its shape
///   - activation: of the sum of all that
/// - Returns: `[N, Ho, Wo, O]` with `Ho = (H + padding - dilation·(kh - 1) - 1) / stride + 1`, Wo alike
/// - Precondition: Winograd algorithms are for stride 1, padding 1 and dilation 1.
public func conv2d(
  _ x: ConvolutionInput, weight: ConvolutionWeight, bias: Tensor? = nil, stride: Int = 1,
  padding: Padding2D = 0, dilation: Int = 1, residual: Tensor? = nil,
  activation: ConvolutionActivation = .none
) -> Tensor {
  precondition(x.shape.count == 4, "2-D convolution of x \(x.shape)")
  let shape = ConvolutionShape(
    batch: x.shape[0], inChannels: x.channels, height: x.shape[1], width: x.shape[2],
    outChannels: weight.outChannels, kernelHeight: weight.kernelHeight, kernelWidth: weight.kernelWidth,
    stride: stride, padding: padding, dilation: dilation)
  precondition(
    x.channels == weight.inChannels && shape.isPossible,
    "convolution of x \(x.shape) with weight \(weight.shape), stride \(stride), padding \(padding), "
      + "dilation \(dilation)")
  return convolve(
    x, weight: weight, bias: bias, shape: shape, residual: residual, activation: activation,
    outShape: [shape.batch, shape.outHeight, shape.outWidth, shape.outChannels])
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
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Padding2D = 0,
  residual: Tensor? = nil
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
    padding: Padding2D(top: 0, left: padding, bottom: 0, right: padding))
  precondition(
    x.channels == weight.inChannels && weight.kernelHeight == 1 && shape.isPossible,
    "convolution of x \(x.shape) with weight \(weight.shape), stride \(stride), padding \(padding)")
  return convolve(
    x, weight: weight, bias: bias, shape: shape, residual: residual, activation: .none,
    outShape: [shape.batch, shape.outWidth, shape.outChannels])
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
  residual: Tensor?, activation: ConvolutionActivation, outShape: [Int]
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
  let isBiasShared = bias.rank == 1
  let shape = shape.isPointwise ? shape.asColumn : shape
  return Tensor(shape: outShape) { y in
    x.withReader(height: shape.height, width: shape.width) { input in
      withPointers(bias) { bias in
        func run(_ residual: UnsafePointer<Float>?) {
          let output = ConvolutionOutput(
            y: y, channels: shape.outChannels, bias: bias, biasStride: isBiasShared ? 0 : shape.outChannels,
            residual: residual, activation: activation)
          weight.forEachPrepared { outputs, kernel in
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
                shape: shape, input: input, weight: kernel, outputs: outputs, output: output,
                order: weight.order
              ).run()
            case .winograd4, .winograd4Remade:
              WinogradConvolution<WinogradTile4>(
                shape: shape, input: input, weight: kernel, outputs: outputs, output: output,
                order: weight.order
              ).run()
            }
          }
        }
        if let residual { withPointers(residual) { run($0) } } else { run(nil) }
      }
    }
  }
}
