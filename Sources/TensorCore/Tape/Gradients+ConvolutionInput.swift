extension Gradients {
  /// Takes the gradient at what a convolution reads back to the tensors behind it, and to the parameters of its
  /// normalisation.
  /// - Parameters:
  ///   - gradient: `[N, …, C]`
  ///   - input: what the convolution read, with its normalisation
  public mutating func add(_ gradient: consuming Tensor, to input: ConvolutionInput) {
    if let normalization = input.normalization {
      let parts = groupNormBackward(gradient, of: input)
      add(parts.first, to: input.first)
      if let second = input.second, let gradient = parts.second { add(gradient, to: second) }
      add(parts.weight, to: normalization.weight)
      add(parts.bias, to: normalization.bias)
      if let modulation = normalization.modulation, let gradient = parts.modulation {
        add(gradient.scale, to: modulation.scale)
        add(gradient.shift, to: modulation.shift)
      }
    } else if let second = input.second {
      let (left, right) = gradient.splittingChannels(at: input.first.shape[input.first.rank - 1])
      add(left, to: input.first)
      add(right, to: second)
    } else {
      add(gradient, to: input.first)
    }
  }
}

extension Tensor {
  /// `[…, C]` as `[…, count]` and `[…, C - count]`.
  package func splittingChannels(at count: Int) -> (Tensor, Tensor) {
    let channels = shape[rank - 1]
    precondition(count >= 0 && count <= channels, "\(count) channels of \(shape)")
    let pixels = channels > 0 ? self.count / channels : 0
    func part(_ range: Range<Int>) -> Tensor {
      Tensor(shape: shape.dropLast() + [range.count]) { y in
        withPointers(self) { x in
          parallelFor(pixels, inBlocksOf: max(1, elementwiseBlock / max(1, range.count))) { pixels in
            for pixel in pixels {
              (y + pixel * range.count).update(
                from: x + pixel * channels + range.lowerBound, count: range.count)
            }
          }
        }
      }
    }
    return (part(0..<count), part(count..<channels))
  }
}
