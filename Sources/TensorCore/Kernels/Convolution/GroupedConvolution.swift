// x: [N, H, W, C]   weight: [O, C / g, kh, kw]   y: [N, Ho, Wo, O]

/// The weights of a convolution whose channels lie in groups that do not see each other (`groups` of PyTorch's
/// `Conv2d`).
///
/// Products of a few channels are far from the speed of the machine, so neighbouring groups are computed together, with
/// zeros between them: more multiplications, in less time.
public struct GroupedConvolutionWeight: Sendable {
  /// `[O, C / g, kh, kw]`
  public let weight: Tensor
  public let groups: Int
  /// Of so many neighbouring groups each.
  let blocks: [ConvolutionWeight]

  /// Channels that a product should have.
  private static let widthOfBlocks = 32

  /// - Parameters:
  ///   - weight: `[O, C / g, kh, kw]`
  ///   - groups: g, by which O can be divided
  ///   - algorithm: Winograd algorithms are for 3×3 kernels
  public init(_ weight: Tensor, groups: Int, algorithm: ConvolutionAlgorithm = .im2col) {
    precondition(
      weight.rank == 4 && groups > 0 && weight.shape[0] % groups == 0,
      "a convolution weight \(weight.shape) of \(groups) groups")
    self.weight = weight
    self.groups = groups
    let (outputs, inputs) = (weight.shape[0] / groups, weight.shape[1])
    let together =
      (1...groups).first { groups % $0 == 0 && $0 * min(outputs, inputs) >= Self.widthOfBlocks } ?? groups
    blocks = (0..<groups / together).map { block in
      ConvolutionWeight(
        weight.spreadGroups(block * together..<(block + 1) * together, of: groups), algorithm: algorithm)
    }
  }

  /// C
  public var inChannels: Int { weight.shape[1] * groups }
  /// O
  public var outChannels: Int { weight.shape[0] }

  /// Keeps what gradients need; see `ConvolutionWeight`.
  public func keepForTraining() {
    for block in blocks { block.keepForTraining() }
  }

  /// Channels of the input that a block reads.
  fileprivate func inputs(of block: Int) -> Range<Int> {
    let width = inChannels / blocks.count
    return block * width..<(block + 1) * width
  }

  /// Channels of the result that a block writes.
  fileprivate func outputs(of block: Int) -> Range<Int> {
    let width = outChannels / blocks.count
    return block * width..<(block + 1) * width
  }

  fileprivate func check(_ x: Tensor) {
    precondition(
      x.rank == 4 && x.shape[3] == inChannels,
      "convolution of x \(x.shape) with weight \(weight.shape) of \(groups) groups")
  }
}

/// 2-D convolution of channels in groups; the same as `conv2d` within each group.
/// - Parameters:
///   - x: `[N, H, W, C]`
///   - weight: of `C` channels
///   - bias: `[O]`
///   - stride: at least 1, in both directions
///   - padding: zeros around the picture
///   - dilation: pixels from tap to tap of the kernel, at least 1
///   - residual: added to the result; of its shape
///   - activation: of the sum of all that
/// - Returns: `[N, Ho, Wo, O]`
public func groupedConv2d(
  _ x: Tensor, weight: GroupedConvolutionWeight, bias: Tensor? = nil, stride: Int = 1,
  padding: Padding2D = 0, dilation: Int = 1, residual: Tensor? = nil,
  activation: ConvolutionActivation = .none
) -> Tensor {
  weight.check(x)
  precondition(
    bias.map { $0.shape == [weight.outChannels] } ?? true,
    "bias \(bias?.shape ?? []) of a convolution with weight \(weight.weight.shape)")
  return joiningChannels(
    weight.blocks.enumerated().map { index, block in
      let outputs = weight.outputs(of: index)
      return conv2d(
        ConvolutionInput(x.channels(weight.inputs(of: index))), weight: block,
        bias: bias?.channels(outputs), stride: stride, padding: padding, dilation: dilation,
        residual: residual?.channels(outputs), activation: activation)
    })
}

/// The gradient of a convolution of groups at its input, `[N, H, W, C]`.
/// - Parameters:
///   - gradient: `[N, Ho, Wo, O]`
///   - weight: as given to `groupedConv2d`, kept for training
///   - height: H
///   - width: W
///   - stride: of the convolution
///   - padding: of the convolution, on no side more than its kernel spans less one
///   - dilation: of the convolution
public func groupedConv2dInputGradient(
  _ gradient: Tensor, weight: GroupedConvolutionWeight, height: Int, width: Int, stride: Int = 1,
  padding: Padding2D = 0, dilation: Int = 1
) -> Tensor {
  joiningChannels(
    weight.blocks.enumerated().map { index, block in
      conv2dInputGradient(
        gradient.channels(weight.outputs(of: index)), weight: block, height: height, width: width,
        stride: stride, padding: padding, dilation: dilation)
    })
}

/// The gradient of a convolution of groups at its weight, `[O, C / g, kh, kw]`.
/// - Parameters:
///   - gradient: `[N, Ho, Wo, O]`
///   - x: as given to `groupedConv2d`, `[N, H, W, C]`
///   - weight: as given to `groupedConv2d`
///   - stride: of the convolution
///   - padding: of the convolution
///   - dilation: of the convolution
public func groupedConv2dWeightGradient(
  _ gradient: Tensor, x: Tensor, weight: GroupedConvolutionWeight, stride: Int = 1,
  padding: Padding2D = 0, dilation: Int = 1
) -> Tensor {
  weight.check(x)
  var result = Tensor(zeros: weight.weight.shape)
  let together = weight.groups / weight.blocks.count
  for (index, block) in weight.blocks.enumerated() {
    let ofBlock = conv2dWeightGradient(
      gradient.channels(weight.outputs(of: index)), x: ConvolutionInput(x.channels(weight.inputs(of: index))),
      kernelHeight: block.kernelHeight, kernelWidth: block.kernelWidth, stride: stride, padding: padding,
      dilation: dilation, algorithm: block.algorithm)
    result.takeGroups(index * together..<(index + 1) * together, of: weight.groups, from: ofBlock)
  }
  return result
}

// MARK: Groups in a weight

extension Tensor {
  /// Some groups of `[O, C / g, kh, kw]` as one plain weight, with zeros between them.
  fileprivate func spreadGroups(_ range: Range<Int>, of groups: Int) -> Tensor {
    let (outputs, inputs, taps) = (shape[0] / groups, shape[1], shape[2] * shape[3])
    let row = range.count * inputs * taps
    var y = Tensor(zeros: [range.count * outputs, range.count * inputs, shape[2], shape[3]])
    y.withMutablePointer { y in
      withPointers(self) { x in
        for output in 0..<range.count * outputs {
          (y + output * row + output / outputs * inputs * taps).update(
            from: x + (range.lowerBound * outputs + output) * inputs * taps, count: inputs * taps)
        }
      }
    }
    return y
  }

  /// The other way: writes the parts of a plain weight that belong to groups into `[O, C / g, kh, kw]`.
  fileprivate mutating func takeGroups(_ range: Range<Int>, of groups: Int, from plain: Tensor) {
    let (outputs, inputs, taps) = (shape[0] / groups, shape[1], shape[2] * shape[3])
    let row = range.count * inputs * taps
    withMutablePointer { y in
      withPointers(plain) { x in
        for output in 0..<range.count * outputs {
          (y + (range.lowerBound * outputs + output) * inputs * taps).update(
            from: x + output * row + output / outputs * inputs * taps, count: inputs * taps)
        }
      }
    }
  }

  /// Some channels of `[…, C]`; the tensor itself where they are all.
  fileprivate func channels(_ range: Range<Int>) -> Tensor {
    let channels = shape[rank - 1]
    if range == 0..<channels { return self }
    let pixels = count / channels
    return Tensor(shape: shape.dropLast() + [range.count]) { y in
      withPointers(self) { x in
        parallelFor(pixels, inBlocksOf: max(1, elementwiseBlock / range.count)) { pixels in
          for pixel in pixels {
            (y + pixel * range.count).update(
              from: x + pixel * channels + range.lowerBound, count: range.count)
          }
        }
      }
    }
  }
}

/// Tensors `[…, C₁]`, `[…, C₂]`, … side by side.
private func joiningChannels(_ parts: [Tensor]) -> Tensor {
  if parts.count == 1 { return parts[0] }
  let first = parts[0]
  let widths = parts.map { $0.shape[$0.rank - 1] }
  let channels = widths.reduce(0, +)
  let pixels = first.count / widths[0]
  var y = Tensor(zeros: first.shape.dropLast() + [channels])
  y.withMutablePointer { y in
    var offset = 0
    for (part, width) in zip(parts, widths) {
      withPointers(part) { x in
        parallelFor(pixels, inBlocksOf: max(1, elementwiseBlock / width)) { pixels in
          for pixel in pixels {
            (y + pixel * channels + offset).update(from: x + pixel * width, count: width)
          }
        }
      }
      offset += width
    }
  }
  return y
}
