// x: [N, h, w, C]   y: [N, H, W, C]

/// Bilinear resampling of channel-last activations to `height` × `width` without corner alignment and without
/// antialiasing, with the bits of `resizeBilinear`.
/// - Parameters:
///   - x: `[N, h, w, C]`
///   - height: rows of the result
///   - width: columns of the result
/// - Returns: `[N, height, width, C]`
public func resizeBilinearChannelsLast(_ x: Tensor, height: Int, width: Int) -> Tensor {
  precondition(x.rank == 4 && x.shape[1] > 0 && x.shape[2] > 0, "bilinear resampling of \(x.shape)")
  let (batch, sourceHeight, sourceWidth, channels) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
  let rows = BilinearAxis(source: sourceHeight, target: height)
  let columns = BilinearAxis(source: sourceWidth, target: width)
  return Tensor(shape: [batch, height, width, channels]) { y in
    withPointers(x) { x in
      parallelFor(batch * height) { item in
        let (n, row) = (item / height, item % height)
        let top = x + (n * sourceHeight + Int(rows.low[row])) * sourceWidth * channels
        let bottom = x + (n * sourceHeight + Int(rows.high[row])) * sourceWidth * channels
        let below = rows.share[row]
        for column in 0..<width {
          let (left, right) = (Int(columns.low[column]) * channels, Int(columns.high[column]) * channels)
          let share = columns.share[column]
          let to = y + (item * width + column) * channels
          for c in 0..<channels {
            let upper = top[left + c] * (1 - share) + top[right + c] * share
            let lower = bottom[left + c] * (1 - share) + bottom[right + c] * share
            to[c] = upper * (1 - below) + lower * below
          }
        }
      }
    }
  }
}

/// Gradient of `resizeBilinearChannelsLast` at its input, from the gradient at its output.
///
/// Rows first and columns then, each source position with the target positions that it had a part in, so that every
/// number of threads gives the same bits.
/// - Parameters:
///   - gradient: `[N, H, W, C]`
///   - height: rows of the input, h
///   - width: columns of the input, w
/// - Returns: `[N, height, width, C]`
public func resizeBilinearChannelsLastBackward(_ gradient: Tensor, height: Int, width: Int) -> Tensor {
  precondition(
    gradient.rank == 4 && height > 0 && width > 0,
    "gradient \(gradient.shape) of the bilinear resampling of [\(height), \(width)]")
  let (batch, outHeight, outWidth) = (gradient.shape[0], gradient.shape[1], gradient.shape[2])
  let channels = gradient.shape[3]
  let rows = BilinearAxis(source: height, target: outHeight).parts(of: height)
  let columns = BilinearAxis(source: width, target: outWidth).parts(of: width)
  let line = outWidth * channels
  return Tensor(shape: [batch, height, width, channels]) { y in
    withPointers(gradient) { gradient in
      parallelFor(batch * height) { item in
        let (n, row) = (item / height, item % height)
        withScratch(count: line) { sum in
          sum.update(repeating: 0, count: line)
          for part in rows[row] {
            let from = gradient + (n * outHeight + part.target) * line
            for i in 0..<line { sum[i] += part.share * from[i] }
          }
          for column in 0..<width {
            let to = y + (item * width + column) * channels
            to.update(repeating: 0, count: channels)
            for part in columns[column] {
              let from = sum + part.target * channels
              for c in 0..<channels { to[c] += part.share * from[c] }
            }
          }
        }
      }
    }
  }
}

extension BilinearAxis {
  /// For each source position the target positions that it has a part in, and its share of each.
  fileprivate func parts(of source: Int) -> [[(target: Int, share: Float)]] {
    var parts = [[(target: Int, share: Float)]](repeating: [], count: source)
    for target in low.indices {
      parts[Int(low[target])].append((target, 1 - share[target]))
      if share[target] > 0 { parts[Int(high[target])].append((target, share[target])) }
    }
    return parts
  }
}
