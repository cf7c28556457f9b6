// x: [N, H, W, C]   y: [N, Ho, Wo, C]

/// The largest value of each window; outside the picture counts as minus infinity (`torch.nn.MaxPool2d`).
/// - Parameters:
///   - x: `[N, H, W, C]`
///   - kernelSize: side of the window
///   - stride: pixels from window to window
///   - padding: pixels around the picture, at most half of the window
/// - Returns: `[N, (H + 2·padding - kernelSize) / stride + 1, (W + 2·padding - kernelSize) / stride + 1, C]`
public func maxPool2d(_ x: Tensor, kernelSize: Int, stride: Int, padding: Int = 0) -> Tensor {
  let windows = PoolWindows(x, kernelSize: kernelSize, stride: stride, padding: padding)
  let channels = windows.channels
  return Tensor(shape: windows.outShape) { y in
    withPointers(x) { x in
      parallelFor(windows.rows) { row in
        for column in 0..<windows.outWidth {
          let to = y + (row * windows.outWidth + column) * channels
          to.update(repeating: -.infinity, count: channels)
          windows.forEachPixel(row: row, column: column) { place in
            let from = x + place * channels
            // A NaN wins, as in PyTorch.
            for c in 0..<channels { to[c] = from[c] > to[c] || from[c] != from[c] ? from[c] : to[c] }
          }
        }
      }
    }
  }
}

/// Gradient of `maxPool2d` at its input, from the gradient at its output: to the largest value of each window, of equal
/// ones to the first in row-major order.
/// - Parameters:
///   - gradient: `[N, Ho, Wo, C]`
///   - x: as given to `maxPool2d`, `[N, H, W, C]`
///   - kernelSize: side of the window
///   - stride: pixels from window to window
///   - padding: pixels around the picture
public func maxPool2dBackward(
  _ gradient: Tensor, x: Tensor, kernelSize: Int, stride: Int, padding: Int = 0
) -> Tensor {
  let windows = PoolWindows(x, kernelSize: kernelSize, stride: stride, padding: padding)
  precondition(
    gradient.shape == windows.outShape, "gradient \(gradient.shape) of a max pooling of \(x.shape)")
  let channels = windows.channels
  var result = Tensor(zeros: x.shape)
  result.withMutablePointer { result in
    withPointers(gradient, x) { gradient, x in
      // Windows overlap, so a sample is one thread's.
      parallelFor(windows.batch) { n in
        var (largest, places) = (
          [Float](repeating: 0, count: channels), [Int](repeating: 0, count: channels)
        )
        for row in n * windows.outHeight..<(n + 1) * windows.outHeight {
          for column in 0..<windows.outWidth {
            for c in 0..<channels { (largest[c], places[c]) = (-.infinity, -1) }
            windows.forEachPixel(row: row, column: column) { place in
              let from = x + place * channels
              for c in 0..<channels where from[c] > largest[c] || places[c] < 0 || from[c] != from[c] {
                (largest[c], places[c]) = (from[c], place)
              }
            }
            let from = gradient + (row * windows.outWidth + column) * channels
            for c in 0..<channels { result[places[c] * channels + c] += from[c] }
          }
        }
      }
    }
  }
  return result
}

/// Which pixels of the input each output depends on.
private struct PoolWindows {
  let batch: Int
  let height: Int
  let width: Int
  let channels: Int
  let kernelSize: Int
  let stride: Int
  let padding: Int

  init(_ x: Tensor, kernelSize: Int, stride: Int, padding: Int) {
    precondition(
      x.rank == 4 && stride >= 1 && padding >= 0 && 2 * padding <= kernelSize
        && min(x.shape[1], x.shape[2]) + 2 * padding >= kernelSize,
      "max pooling of \(x.shape) over \(kernelSize) pixels, stride \(stride), padding \(padding)")
    (batch, height, width, channels) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    (self.kernelSize, self.stride, self.padding) = (kernelSize, stride, padding)
  }

  var outHeight: Int { (height + 2 * padding - kernelSize) / stride + 1 }
  var outWidth: Int { (width + 2 * padding - kernelSize) / stride + 1 }
  /// Output rows of all samples.
  var rows: Int { batch * outHeight }
  var outShape: [Int] { [batch, outHeight, outWidth, channels] }

  /// The pixels of a window that lie in the picture, row by row, as numbers over all samples.
  @inline(__always)
  func forEachPixel(row: Int, column: Int, _ body: (Int) -> Void) {
    let n = row / outHeight
    let (top, left) = (row % outHeight * stride - padding, column * stride - padding)
    for y in max(0, top)..<min(height, top + kernelSize) {
      for x in max(0, left)..<min(width, left + kernelSize) { body((n * height + y) * width + x) }
    }
  }
}
