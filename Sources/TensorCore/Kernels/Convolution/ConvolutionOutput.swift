// bias: [K] or [N, K]   residual, y: [N, H, W, K]

/// Where a convolution's products go, and what is added to them.
struct ConvolutionOutput {
  let y: UnsafeMutablePointer<Float>
  let channels: Int
  let bias: UnsafePointer<Float>
  /// From sample to sample; 0 when all samples share the bias.
  let biasStride: Int
  let residual: UnsafePointer<Float>?
  let activation: ConvolutionActivation

  /// The activation of the channels of some pixels, once all products are in.
  /// - Parameter first: the first pixel, counted over all samples
  func finish(first: Int, count: Int, channels range: Range<Int>) {
    guard activation == .relu else { return }
    for pixel in first..<first + count {
      let to = y + pixel * channels + range.lowerBound
      for c in 0..<range.count { to[c] = to[c] < 0 ? 0 : to[c] }
    }
  }

  /// Bias and residual in the place of some pixels of a sample, for products to be added.
  /// - Parameter first: the first pixel, counted over all samples
  func start(sample: Int, first: Int, count: Int) {
    let bias = bias + sample * biasStride
    for pixel in first..<first + count {
      let to = y + pixel * channels
      if let residual = residual.map({ $0 + pixel * channels }) {
        for c in 0..<channels { to[c] = residual[c] + bias[c] }
      } else {
        to.update(from: bias, count: channels)
      }
    }
  }
}
