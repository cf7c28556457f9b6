// x: [N, C, h, w]   y: [N, C, H, W]

/// For each position of the longer axis, the two source positions it lies between and the share of the
/// second: bilinear interpolation without corner alignment, as `F.interpolate(align_corners=False)`.
///
/// Source position `(i + 1/2) · source / target - 1/2`, negative ones become 0, in single precision as
/// PyTorch computes them.
package struct BilinearAxis: Sendable, Equatable {
  /// First source position of each target position.
  package let low: [Int32]
  /// Second source position; equals `low` at the far end.
  package let high: [Int32]
  /// Share of `high`, 0 to 1.
  package let share: [Float]

  package init(source: Int, target: Int) {
    precondition(source > 0 && target >= 0, "interpolation from \(source) to \(target) positions")
    let scale = Float(source) / Float(max(target, 1))
    var (low, high, share) = ([Int32](), [Int32](), [Float]())
    for index in 0..<target {
      let position = max((Float(index) + 0.5) * scale - 0.5, 0)
      let below = min(Int(position), source - 1)
      low.append(Int32(below))
      high.append(Int32(min(below + 1, source - 1)))
      share.append(min(max(position - Float(below), 0), 1))
    }
    self.low = low
    self.high = high
    self.share = share
  }
}

/// Bilinear resampling to `height` × `width` without corner alignment and without antialiasing.
/// - Parameters:
///   - x: `[N, C, h, w]`
///   - height: rows of the result
///   - width: columns of the result
/// - Returns: `[N, C, height, width]`
public func resizeBilinear(_ x: Tensor, height: Int, width: Int) -> Tensor {
  precondition(x.rank == 4 && x.shape[2] > 0 && x.shape[3] > 0, "bilinear resampling of \(x.shape)")
  let (planes, sourceHeight, sourceWidth) = (x.shape[0] * x.shape[1], x.shape[2], x.shape[3])
  let rows = BilinearAxis(source: sourceHeight, target: height)
  let columns = BilinearAxis(source: sourceWidth, target: width)
  return Tensor(shape: [x.shape[0], x.shape[1], height, width]) { y in
    withPointers(x) { x in
      parallelFor(planes) { plane in
        let source = x + plane * sourceHeight * sourceWidth
        let target = y + plane * height * width
        for row in 0..<height {
          let top = source + Int(rows.low[row]) * sourceWidth
          let bottom = source + Int(rows.high[row]) * sourceWidth
          let (below, line) = (rows.share[row], target + row * width)
          for column in 0..<width {
            let (left, right) = (Int(columns.low[column]), Int(columns.high[column]))
            let share = columns.share[column]
            let upper = top[left] * (1 - share) + top[right] * share
            let lower = bottom[left] * (1 - share) + bottom[right] * share
            line[column] = upper * (1 - below) + lower * below
          }
        }
      }
    }
  }
}
