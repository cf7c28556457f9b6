// x: [N, C, H, W]

/// Every pixel twice in both directions: `[N, C, H, W]` gives `[N, C, 2H, 2W]`.
public func upsampleNearest2x(_ x: Tensor) -> Tensor {
  precondition(x.rank == 4, "nearest upsampling of \(x.shape)")
  let (planes, height, width) = (x.shape[0] * x.shape[1], x.shape[2], x.shape[3])
  return Tensor(shape: [x.shape[0], x.shape[1], 2 * height, 2 * width]) { y in
    withPointers(x) { x in
      parallelFor(planes, inBlocksOf: planesPerBlock(4 * height * width)) { planes in
        for row in planes.lowerBound * height..<planes.upperBound * height {
          let (from, to) = (x + row * width, y + row * 4 * width)
          for column in 0..<width {
            to[2 * column] = from[column]
            to[2 * column + 1] = from[column]
          }
          (to + 2 * width).update(from: to, count: 2 * width)
        }
      }
    }
  }
}

/// Mean of every 2×2 square: `[N, C, H, W]` gives `[N, C, H / 2, W / 2]`; an odd last row or column is
/// left out.
public func averagePool2x2(_ x: Tensor) -> Tensor {
  precondition(x.rank == 4, "average pooling of \(x.shape)")
  let (planes, height, width) = (x.shape[0] * x.shape[1], x.shape[2], x.shape[3])
  let (newHeight, newWidth) = (height / 2, width / 2)
  return Tensor(shape: [x.shape[0], x.shape[1], newHeight, newWidth]) { y in
    withPointers(x) { x in
      parallelFor(planes, inBlocksOf: planesPerBlock(height * width)) { planes in
        for plane in planes {
          for row in 0..<newHeight {
            let top = x + (plane * height + 2 * row) * width
            let bottom = top + width
            let to = y + (plane * newHeight + row) * newWidth
            for column in 0..<newWidth {
              to[column] =
                (top[2 * column] + top[2 * column + 1] + bottom[2 * column] + bottom[2 * column + 1]) * 0.25
            }
          }
        }
      }
    }
  }
}

private func planesPerBlock(_ planeSize: Int) -> Int {
  max(1, elementwiseBlock / max(planeSize, 1))
}
