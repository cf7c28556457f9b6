import TensorCore

// pictures: [N, H, W, C]   patches: [N, L, P·P·C]

/// Patches of pictures as rows, and the loss of a masked autoencoder.
public enum MAELoss {
  /// Each patch's pixels by row, column and channel, patches row by row.
  /// - Parameters:
  ///   - pictures: `[N, H, W, C]`, sides multiples of the patch size
  ///   - patchSize: side of a patch, in pixels
  /// - Returns: `[N, (H / patchSize) · (W / patchSize), patchSize² · C]`
  public static func patchify(_ pictures: Tensor, patchSize: Int) -> Tensor {
    let grid = PatchGrid(pictures.shape, patchSize: patchSize)
    return Tensor(shape: [grid.samples, grid.rows * grid.columns, grid.patch]) { y in
      withPointers(pictures) { x in
        grid.forEachLine { inPicture, inPatch, count in
          (y + inPatch).update(from: x + inPicture, count: count)
        }
      }
    }
  }

  /// Pictures of patches, `[N, height, width, C]`.
  /// - Parameters:
  ///   - patches: `[N, L, patchSize² · C]`
  ///   - patchSize: side of a patch, in pixels
  ///   - height: of the pictures
  ///   - width: of the pictures
  public static func unpatchify(_ patches: Tensor, patchSize: Int, height: Int, width: Int) -> Tensor {
    let channels = patches.shape[2] / (patchSize * patchSize)
    let shape = [patches.shape[0], height, width, channels]
    let grid = PatchGrid(shape, patchSize: patchSize)
    precondition(
      patches.shape == [grid.samples, grid.rows * grid.columns, grid.patch],
      "patches \(patches.shape) of a picture of \(height)×\(width)")
    return Tensor(shape: shape) { y in
      withPointers(patches) { x in
        grid.forEachLine { inPicture, inPatch, count in
          (y + inPicture).update(from: x + inPatch, count: count)
        }
      }
    }
  }

  /// Mean over the removed patches of the mean squared difference to the patch, perhaps normalised.
  /// - Parameters:
  ///   - prediction: `[N, L, patchSize² · C]`
  ///   - pictures: `[N, H, W, C]`
  ///   - patchSize: side of a patch, in pixels
  ///   - masks: one a picture
  ///   - normalizesPatches: whether each patch is compared less its mean and over its deviation (`norm_pix_loss`:
  ///     variance with n - 1, plus 1e-6)
  /// - Returns: the mean over each picture's removed patches, and the gradient of their mean over all at `prediction`,
  ///   each sample's part times N
  public static func loss(
    _ prediction: Tensor, pictures: Tensor, patchSize: Int, masks: [TokenMask], normalizesPatches: Bool
  ) -> (losses: [Float], gradient: Tensor) {
    var target = patchify(pictures, patchSize: patchSize)
    precondition(
      prediction.shape == target.shape && masks.count == target.shape[0],
      "prediction \(prediction.shape) of patches \(target.shape)")
    if normalizesPatches { target = normalized(target) }
    let (samples, tokens, width) = (target.shape[0], target.shape[1], target.shape[2])
    let removed = masks.map(\.removed)
    let count = removed.map { $0.reduce(0, +) }.reduce(0, +)
    var losses = [Double](repeating: 0, count: samples)
    // The loss is a mean over the removed patches of the whole batch; the trainer takes a mean over the samples.
    let scale = count > 0 ? Float(samples) / (count * Float(width)) : 0
    let gradient = Tensor(shape: target.shape) { y in
      withPointers(prediction, target) { prediction, target in
        for n in 0..<samples {
          for token in 0..<tokens {
            let start = (n * tokens + token) * width
            let weight = removed[n][token] * scale
            for i in start..<start + width {
              let difference = prediction[i] - target[i]
              y[i] = 2 * weight * difference
              losses[n] += Double(weight * difference * difference)
            }
          }
        }
      }
    }
    return (losses.map { Float($0) }, gradient)
  }

  /// Each patch less its mean, over `sqrt(variance + 1e-6)`, the variance with n - 1.
  static func normalized(_ patches: Tensor) -> Tensor {
    let width = patches.shape[2]
    return Tensor(shape: patches.shape) { y in
      withPointers(patches) { x in
        parallelFor(patches.count / width) { row in
          let (from, to) = (x + row * width, y + row * width)
          let (mean, deviation) = moments(from, count: width)
          for i in 0..<width { to[i] = Float((Double(from[i]) - mean) * (1 / deviation)) }
        }
      }
    }
  }

  /// Mean of a patch, and `sqrt(variance + 1e-6)`, the variance with n - 1.
  static func moments(
    _ patch: UnsafePointer<Float>, count: Int
  ) -> (mean: Double, deviation: Double) {
    var (sum, squares) = (0.0, 0.0)
    for i in 0..<count { sum += Double(patch[i]) }
    let mean = sum / Double(count)
    for i in 0..<count { squares += (Double(patch[i]) - mean) * (Double(patch[i]) - mean) }
    return (mean, (squares / Double(max(1, count - 1)) + 1e-6).squareRoot())
  }
}

extension Tensor {
  /// `[N, 1 + L, C]` without the class token's row, `[N, L, C]`.
  package var withoutFirstToken: Tensor {
    let (samples, tokens, width) = (shape[0], shape[1], shape[2])
    return Tensor(shape: [samples, tokens - 1, width]) { y in
      withPointers(self) { x in
        for n in 0..<samples {
          (y + n * (tokens - 1) * width).update(
            from: x + (n * tokens + 1) * width, count: (tokens - 1) * width)
        }
      }
    }
  }

  /// `[N, L, C]` with a row of zeros in front of each sample, `[N, 1 + L, C]`.
  package var withZeroFirstToken: Tensor {
    let (samples, tokens, width) = (shape[0], shape[1], shape[2])
    var y = Tensor(zeros: [samples, tokens + 1, width])
    y.withMutablePointer { y in
      withPointers(self) { x in
        for n in 0..<samples {
          (y + (n * (tokens + 1) + 1) * width).update(from: x + n * tokens * width, count: tokens * width)
        }
      }
    }
    return y
  }
}

/// Where the lines of patches lie in pictures.
private struct PatchGrid {
  let samples: Int
  let rows: Int
  let columns: Int
  let channels: Int
  let patchSize: Int
  var patch: Int { patchSize * patchSize * channels }

  init(_ shape: [Int], patchSize: Int) {
    precondition(
      shape.count == 4 && patchSize > 0 && shape[1] % patchSize == 0 && shape[2] % patchSize == 0,
      "patches of \(patchSize) pixels of \(shape)")
    (samples, rows, columns) = (shape[0], shape[1] / patchSize, shape[2] / patchSize)
    (channels, self.patchSize) = (shape[3], patchSize)
  }

  func forEachLine(_ body: (_ inPicture: Int, _ inPatch: Int, _ count: Int) -> Void) {
    let (line, width) = (patchSize * channels, columns * patchSize * channels)
    for n in 0..<samples {
      for row in 0..<rows {
        for column in 0..<columns {
          for y in 0..<patchSize {
            body(
              ((n * rows + row) * patchSize + y) * width + column * line,
              ((n * rows + row) * columns + column) * patch + y * line, line)
          }
        }
      }
    }
  }
}
