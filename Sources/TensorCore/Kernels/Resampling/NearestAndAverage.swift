// x: [N, H, W, C]

/// Every pixel twice in both directions: `[N, H, W, C]` gives `[N, 2H, 2W, C]`.
public func upsampleNearest2x(_ x: Tensor) -> Tensor {
  precondition(x.rank == 4, "nearest upsampling of \(x.shape)")
  let (width, channels) = (x.shape[2], x.shape[3])
  let rows = x.shape[0] * x.shape[1]
  return Tensor(shape: [x.shape[0], 2 * x.shape[1], 2 * width, channels]) { y in
    withPointers(x) { x in
      parallelFor(rows) { row in
        let (from, to) = (x + row * width * channels, y + row * 4 * width * channels)
        for column in 0..<width {
          let pixel = from + column * channels
          (to + 2 * column * channels).update(from: pixel, count: channels)
          (to + (2 * column + 1) * channels).update(from: pixel, count: channels)
        }
        (to + 2 * width * channels).update(from: to, count: 2 * width * channels)
      }
    }
  }
}

/// Mean of every 2×2 square: `[N, H, W, C]` gives `[N, H / 2, W / 2, C]`; an odd last row or column is
/// left out.
public func averagePool2x2(_ x: Tensor) -> Tensor {
  precondition(x.rank == 4, "average pooling of \(x.shape)")
  return combineSquares(x, factor: 0.25)
}

/// Gradient of `upsampleNearest2x` with respect to its input: the sum of every 2×2 square,
/// `[N, 2H, 2W, C]` to `[N, H, W, C]`.
public func upsampleNearest2xBackward(_ gradient: Tensor) -> Tensor {
  precondition(
    gradient.rank == 4 && gradient.shape[1] % 2 == 0 && gradient.shape[2] % 2 == 0,
    "gradient \(gradient.shape) of nearest upsampling")
  return combineSquares(gradient, factor: 1)
}

/// Gradient of `averagePool2x2` with respect to its input `[N, height, width, C]`: a quarter of the gradient
/// `[N, height / 2, width / 2, C]` at each pixel of a square, and nothing at an odd last row or column.
public func averagePool2x2Backward(_ gradient: Tensor, height: Int, width: Int) -> Tensor {
  precondition(
    gradient.rank == 4 && gradient.shape[1] == height / 2 && gradient.shape[2] == width / 2,
    "gradient \(gradient.shape) of the average pooling of [\(height), \(width)]")
  let (batch, rows, columns) = (gradient.shape[0], gradient.shape[1], gradient.shape[2])
  let channels = gradient.shape[3]
  return Tensor(shape: [batch, height, width, channels]) { y in
    withPointers(gradient) { gradient in
      parallelFor(batch * height) { item in
        let (n, row) = (item / height, item % height)
        let line = y + item * width * channels
        guard row / 2 < rows else { return line.update(repeating: 0, count: width * channels) }
        let from = gradient + (n * rows + row / 2) * columns * channels
        for column in 0..<2 * columns {
          let (to, pixel) = (line + column * channels, from + column / 2 * channels)
          for c in 0..<channels { to[c] = pixel[c] * 0.25 }
        }
        if width > 2 * columns { (line + 2 * columns * channels).update(repeating: 0, count: channels) }
      }
    }
  }
}

/// The sum of every 2×2 square, times a factor.
private func combineSquares(_ x: Tensor, factor: Float) -> Tensor {
  let (batch, height, width, channels) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
  let (newHeight, newWidth) = (height / 2, width / 2)
  return Tensor(shape: [batch, newHeight, newWidth, channels]) { y in
    withPointers(x) { x in
      parallelFor(batch * newHeight) { item in
        let (n, row) = (item / newHeight, item % newHeight)
        let top = x + (n * height + 2 * row) * width * channels
        let bottom = top + width * channels
        for column in 0..<newWidth {
          let to = y + (item * newWidth + column) * channels
          let (topLeft, bottomLeft) = (top + 2 * column * channels, bottom + 2 * column * channels)
          let (topRight, bottomRight) = (topLeft + channels, bottomLeft + channels)
          for c in 0..<channels {
            to[c] = (topLeft[c] + topRight[c] + bottomLeft[c] + bottomRight[c]) * factor
          }
        }
      }
    }
  }
}
