import CKernels

// x: [N, H, W, C], C = C1 + C2   band: [rows, bandWidth, stride], stride ≥ C

/// Copies pieces of a convolution's input to where they stay in the cache. On the way it joins two
/// inputs, normalises and applies SiLU, as the input asks.
struct BandReader {
  /// Where the values of some channels come from: `[N, H, W, channels]`.
  struct Part {
    let base: UnsafePointer<Float>
    let channels: Int
    /// First of them among all channels.
    let offset: Int
  }

  /// `(x - mean) · factor + offset`, `[N, C]` each.
  struct Affine {
    let mean: UnsafePointer<Float>
    let factor: UnsafePointer<Float>
    let offset: UnsafePointer<Float>
  }

  let first: Part
  let second: Part?
  let height: Int
  let width: Int
  let affine: Affine?
  let appliesSiLU: Bool

  var channels: Int { first.channels + (second?.channels ?? 0) }
  var parts: [Part] { second.map { [first, $0] } ?? [first] }

  /// Whether products can read the input where it is stored.
  var isStored: Bool { affine == nil }

  /// A rectangle of a picture with zeros where it reaches outside, `[rows.count, columns.count, stride]`.
  /// - Parameters:
  ///   - rows: also outside the picture
  ///   - columns: also outside the picture
  ///   - stride: floats from pixel to pixel; those beyond the channels are zero
  func fill(
    _ band: UnsafeMutablePointer<Float>, sample n: Int, rows: Range<Int>, columns: Range<Int>, stride: Int
  ) {
    let inside = columns.clamped(to: 0..<width)
    let left = (inside.lowerBound - columns.lowerBound) * stride
    for (index, row) in rows.enumerated() {
      let line = band + index * columns.count * stride
      guard row >= 0 && row < height && !inside.isEmpty else {
        line.update(repeating: 0, count: columns.count * stride)
        continue
      }
      line.update(repeating: 0, count: left)
      read(
        sample: n, pixels: row * width + inside.lowerBound..<row * width + inside.upperBound,
        into: line + left, stride: stride)
      (line + left + inside.count * stride)
        .update(repeating: 0, count: (columns.upperBound - inside.upperBound) * stride)
    }
  }

  /// Consecutive pixels of one sample, `[pixels.count, stride]`.
  func read(sample n: Int, pixels: Range<Int>, into target: UnsafeMutablePointer<Float>, stride: Int) {
    read(first, sample: n, pixels: pixels, into: target, stride: stride)
    if let second { read(second, sample: n, pixels: pixels, into: target, stride: stride) }
    guard stride > channels else { return }
    for pixel in 0..<pixels.count {
      (target + pixel * stride + channels).update(repeating: 0, count: stride - channels)
    }
  }

  private func read(
    _ part: Part, sample n: Int, pixels: Range<Int>, into target: UnsafeMutablePointer<Float>, stride: Int
  ) {
    let count = part.channels
    var from = part.base + (n * height * width + pixels.lowerBound) * count
    var to = target + part.offset
    guard let affine else {
      if count == stride { return to.update(from: from, count: pixels.count * count) }
      for _ in pixels {
        to.update(from: from, count: count)
        from += count
        to += stride
      }
      return
    }
    let parameters = n * channels + part.offset
    let (mean, factor, offset) = (
      affine.mean + parameters, affine.factor + parameters, affine.offset + parameters
    )
    dseg_normalize(
      from, mean, factor, offset, appliesSiLU ? 1 : 0, to, pixels.count, count, stride)
  }
}
