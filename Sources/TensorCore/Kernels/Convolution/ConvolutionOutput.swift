// bias: [K] or [N, K]   residual, y: [N, H, W, K]

/// Where a convolution's products go, and what is added to them.
struct ConvolutionOutput {
  let y: UnsafeMutablePointer<Float>
  let channels: Int
  let bias: UnsafePointer<Float>
  /// From sample to sample; 0 when all samples share the bias.
  let biasStride: Int
  let residual: UnsafePointer<Float>?

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

  /// The bias of eight channels, zeros beyond the last.
  @inline(__always)
  func biasLanes(sample: Int, channel: Int) -> Lanes {
    load(bias + sample * biasStride + channel, channel: channel)
  }

  /// Writes eight channels of a pixel, or fewer at the end, with the residual added.
  @inline(__always)
  func store(_ value: Lanes, pixel: Int, channel: Int) {
    let index = pixel * channels + channel
    var value = value
    if let residual { value += load(residual + index, channel: channel) }
    if channel + Lanes.scalarCount <= channels {
      UnsafeMutableRawPointer(y + index).storeBytes(of: value, as: Lanes.self)
    } else {
      for lane in 0..<channels - channel { y[index + lane] = value[lane] }
    }
  }

  @inline(__always)
  private func load(_ base: UnsafePointer<Float>, channel: Int) -> Lanes {
    if channel + Lanes.scalarCount <= channels {
      return UnsafeRawPointer(base).loadUnaligned(as: Lanes.self)
    }
    var value = Lanes()
    for lane in 0..<channels - channel { value[lane] = base[lane] }
    return value
  }
}
