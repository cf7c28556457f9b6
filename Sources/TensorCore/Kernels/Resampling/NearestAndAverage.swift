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
            to[c] = (topLeft[c] + topRight[c] + bottomLeft[c] + bottomRight[c]) * 0.25
          }
        }
      }
    }
  }
}
