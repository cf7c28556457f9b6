// x: [N, H, W, C]   weight: [O, C, kh, kw]   gradient: at y, [N, Ho, Wo, O]

/// The gradient of a convolution at its input, `[N, H, W, C]`: a convolution with the kernel turned by 180°, of
/// the gradient with zeros between its pixels where there was a stride.
///
/// - Parameters:
///   - gradient: `[N, Ho, Wo, O]`
///   - weight: as given to `conv2d`, kept for training
///   - height: H
///   - width: W
///   - stride: of the convolution
///   - padding: of the convolution, on no side more than its kernel spans less one
///   - dilation: of the convolution
public func conv2dInputGradient(
  _ gradient: Tensor, weight: ConvolutionWeight, height: Int, width: Int, stride: Int = 1,
  padding: Padding2D = 0, dilation: Int = 1
) -> Tensor {
  precondition(gradient.rank == 4, "gradient \(gradient.shape) of a 2-D convolution")
  let shape = ConvolutionShape(
    batch: gradient.shape[0], inChannels: weight.inChannels, height: height, width: width,
    outChannels: weight.outChannels, kernelHeight: weight.kernelHeight, kernelWidth: weight.kernelWidth,
    stride: stride, padding: padding, dilation: dilation)
  // Zeros around the gradient, so that every input sees all outputs it had a part in.
  let around = Padding2D(
    top: shape.spanHeight - 1 - padding.top, left: shape.spanWidth - 1 - padding.left,
    bottom: shape.spanHeight - 1 - padding.bottom, right: shape.spanWidth - 1 - padding.right)
  precondition(
    gradient.shape == [shape.batch, shape.outHeight, shape.outWidth, shape.outChannels]
      && shape.isPossible && !around.isNegative,
    "gradient \(gradient.shape) of a convolution of [\(height), \(width)] with weight \(weight.shape), "
      + "stride \(stride), padding \(padding), dilation \(dilation)")
  var algorithm = ConvolutionAlgorithm.im2col
  if weight.algorithm != .im2col {
    algorithm = .fastest(
      inChannels: weight.outChannels, outChannels: weight.inChannels, height: height, width: width)
  }
  let spread =
    stride == 1
    ? gradient
    : gradient.spread(
      by: stride, height: height + padding.height - shape.spanHeight + 1,
      width: width + padding.width - shape.spanWidth + 1)
  return conv2d(
    ConvolutionInput(spread), weight: weight.flipped(algorithm: algorithm), padding: around,
    dilation: dilation)
}

/// The gradient of a convolution at its weight, `[O, C, kh, kw]`.
/// - Parameters:
///   - gradient: `[N, Ho, Wo, O]`
///   - x: as given to `conv2d`, `[N, H, W, C]`
///   - kernelHeight: kh
///   - kernelWidth: kw
///   - stride: of the convolution
///   - padding: of the convolution
///   - dilation: of the convolution
///   - algorithm: of the convolution; where it is a Winograd algorithm, the gradient is computed by one too
public func conv2dWeightGradient(
  _ gradient: Tensor, x: ConvolutionInput, kernelHeight: Int, kernelWidth: Int, stride: Int = 1,
  padding: Padding2D = 0, dilation: Int = 1, algorithm: ConvolutionAlgorithm = .im2col
) -> Tensor {
  precondition(
    gradient.rank == 4 && x.shape.count == 4, "gradient \(gradient.shape) of a convolution of \(x.shape)")
  let shape = ConvolutionShape(
    batch: x.shape[0], inChannels: x.channels, height: x.shape[1], width: x.shape[2],
    outChannels: gradient.shape[3], kernelHeight: kernelHeight, kernelWidth: kernelWidth, stride: stride,
    padding: padding, dilation: dilation)
  return weightGradient(gradient, x: x, shape: shape, algorithm: algorithm)
    .reshaped([shape.outChannels, shape.inChannels, kernelHeight, kernelWidth])
}

/// The gradient of a 1-D convolution without padding at its input, `[N, L, C]`.
/// - Parameters:
///   - gradient: `[N, L, O]`
///   - weight: as given to `conv1d`, `[O, C, 1]`
/// - Precondition: the kernel is of one position, and the weight was kept for training.
public func conv1dInputGradient(_ gradient: Tensor, weight: ConvolutionWeight) -> Tensor {
  precondition(
    gradient.rank == 3 && weight.kernelHeight == 1 && weight.kernelWidth == 1,
    "gradient \(gradient.shape) of a pointwise convolution with weight \(weight.shape)")
  return conv1d(ConvolutionInput(gradient), weight: weight.flipped(algorithm: .im2col))
}

/// The gradient of a 1-D convolution at its weight, `[O, C, k]`.
/// - Parameters:
///   - gradient: `[N, Lo, O]`
///   - x: as given to `conv1d`, `[N, L, C]`
///   - kernelWidth: k
///   - stride: of the convolution
///   - padding: of the convolution
public func conv1dWeightGradient(
  _ gradient: Tensor, x: ConvolutionInput, kernelWidth: Int = 1, stride: Int = 1, padding: Int = 0
) -> Tensor {
  precondition(
    gradient.rank == 3 && x.shape.count == 3, "gradient \(gradient.shape) of a convolution of \(x.shape)")
  let shape = ConvolutionShape(
    batch: x.shape[0], inChannels: x.channels, height: 1, width: x.shape[1], outChannels: gradient.shape[2],
    kernelHeight: 1, kernelWidth: kernelWidth, stride: stride,
    padding: Padding2D(top: 0, left: padding, bottom: 0, right: padding))
  return weightGradient(gradient, x: x, shape: shape, algorithm: .im2col)
    .reshaped([shape.outChannels, shape.inChannels, kernelWidth])
}

/// `[O, C · kh · kw]`
private func weightGradient(
  _ gradient: Tensor, x: ConvolutionInput, shape: ConvolutionShape, algorithm: ConvolutionAlgorithm
) -> Tensor {
  precondition(
    gradient.count == shape.batch * shape.outHeight * shape.outWidth * shape.outChannels,
    "gradient \(gradient.shape) of a convolution of \(x.shape) with \(shape)")
  let taps = shape.kernelHeight * shape.kernelWidth
  guard gradient.count > 0 else { return Tensor(zeros: [shape.outChannels, shape.inChannels * taps]) }
  let byPatch = Tensor(shape: [shape.patchSize, shape.outChannels]) { target in
    x.withReader(height: shape.height, width: shape.width) { input in
      if algorithm != .im2col {
        ConvolutionInput(gradient).withReader(height: shape.outHeight, width: shape.outWidth) { gradient in
          WinogradWeightGradient(shape: shape, input: input, gradient: gradient).run(into: target)
        }
      } else {
        withPointers(gradient) { gradient in
          ConvolutionWeightGradient(patches: PatchReader(shape: shape, input: input), gradient: gradient)
            .run(into: target)
        }
      }
    }
  }
  // From [taps, C, O] to [O, C, taps].
  return Tensor(shape: [shape.outChannels, shape.inChannels * taps]) { y in
    withPointers(byPatch) { from in
      parallelFor(shape.outChannels, inBlocksOf: 16) { outputs in
        for tap in 0..<taps {
          for c in 0..<shape.inChannels {
            let line = from + (tap * shape.inChannels + c) * shape.outChannels
            for o in outputs { y[(o * shape.inChannels + c) * taps + tap] = line[o] }
          }
        }
      }
    }
  }
}

/// Sum over the pixels of every channel of every sample: `[N, …, C]` to `[N, C]`.
public func sumOfPixels(_ x: Tensor) -> Tensor {
  precondition(x.rank >= 2, "sum of the pixels of \(x.shape)")
  let (batch, channels) = (x.shape[0], x.shape[x.rank - 1])
  let pixels = x.shape.dropFirst().dropLast().reduce(1, *)
  let pieceSize = 256
  let pieces = (pixels + pieceSize - 1) / pieceSize
  return Tensor(shape: [batch, channels]) { y in
    withScratch(count: batch * pieces * channels) { sums in
      withPointers(x) { x in
        parallelFor(batch * pieces) { item in
          let (n, start) = (item / pieces, item % pieces * pieceSize)
          let sum = sums + item * channels
          sum.update(repeating: 0, count: channels)
          for pixel in start..<min(pixels, start + pieceSize) {
            let line = x + (n * pixels + pixel) * channels
            for c in 0..<channels { sum[c] += line[c] }
          }
        }
      }
      for n in 0..<batch {
        let target = y + n * channels
        target.update(repeating: 0, count: channels)
        for piece in 0..<pieces {
          let sum = sums + (n * pieces + piece) * channels
          for c in 0..<channels { target[c] += sum[c] }
        }
      }
    }
  }
}

extension Tensor {
  /// The pixels of `[N, h, w, C]` `step` apart in a picture of zeros, `[N, height, width, C]`.
  fileprivate func spread(by step: Int, height: Int, width: Int) -> Tensor {
    let (rows, columns, channels) = (shape[1], shape[2], shape[3])
    var y = Tensor(zeros: [shape[0], height, width, channels])
    y.withMutablePointer { y in
      withPointers(self) { x in
        parallelFor(shape[0] * rows) { item in
          let (n, row) = (item / rows, item % rows)
          let line = y + (n * height + row * step) * width * channels
          for column in 0..<columns {
            (line + column * step * channels).update(
              from: x + (item * columns + column) * channels, count: channels)
          }
        }
      }
    }
    return y
  }
}
