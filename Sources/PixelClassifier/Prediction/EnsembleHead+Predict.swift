import Features
import TensorCore

// n: pixels of a strip, some whole rows of the picture.   A: [n, h1]   second and third layer: [h2, n], [K, n]

extension EnsembleHead {
  /// Pixels of a strip, unless a row has more: one member's numbers for them stay in the second cache.
  private static let stripPixels = 256
  /// Most elements of the first layer that are held at once (128 MB).
  private static let bandElements = 1 << 25

  /// The verdict on every pixel of a picture.
  /// - Precondition: the features have as many channels as the first layer takes.
  func predict(
    _ features: FeatureMaps, withProbabilities: Bool, withVotes: Bool
  ) -> PixelPrediction {
    let (height, width) = (features.height, features.width)
    var firstLayer = NativeFirstLayer(features, outputs: memberCount * firstWidth)
    let stripRows = max(1, Self.stripPixels / width)
    let bands = (firstLayer.sumCount(height: height) + Self.bandElements - 1) / Self.bandElements
    let bandRows = max(stripRows, (height / bands + stripRows - 1) / stripRows * stripRows)
    let votes = EnsembleVotes(members: memberCount, classes: classCount)
    let planes = PixelPrediction.Planes(
      classes: classCount, hasProbabilities: withProbabilities, hasVotes: withVotes)
    return PixelPrediction(height: height, width: width, planes: planes) { output in
      for start in stride(from: 0, to: height, by: bandRows) {
        let band = start..<min(start + bandRows, height)
        firstLayer.compute(band: band, weight: first.weight)
        parallelFor(band.count, inBlocksOf: stripRows) { rows in
          let strip = start + rows.lowerBound..<start + rows.upperBound
          withScratch(count: strip.count * width * max(firstWidth, secondWidth) * 2) { scratch in
            votes.collect(pixels: strip.lowerBound * width..<strip.upperBound * width, into: output) {
              member, logits in
              self.logits(
                of: member, strip: strip, width: width, firstLayer: firstLayer, scratch: scratch, into: logits
              )
            }
          }
        }
      }
    }
  }

  /// Logits of one member for the pixels of a strip: `[K, n]`.
  private func logits(
    of member: Int, strip: Range<Int>, width: Int, firstLayer: NativeFirstLayer,
    scratch: UnsafeMutablePointer<Float>, into logits: UnsafeMutablePointer<Float>
  ) {
    let n = strip.count * width
    let (hidden1, hidden2) = (scratch, scratch + n * max(firstWidth, secondWidth))
    let outputs = member * firstWidth..<(member + 1) * firstWidth
    withPointers(first.bias) { bias in
      for (index, row) in strip.enumerated() {
        firstLayer.upsample(
          row: row, outputs: outputs, bias: bias + outputs.lowerBound,
          into: hidden1 + index * width * firstWidth)
      }
    }
    apply(second[member], Matrix(hidden1, rows: n, columns: firstWidth).transposed, into: hidden2)
    rectify(hidden2, count: secondWidth * n)
    apply(third[member], Matrix(hidden2, rows: secondWidth, columns: n), into: logits)
  }

  /// `weight · x + bias`: x `[in, n]` to y `[out, n]`.
  private func apply(_ layer: LinearParameters, _ x: Matrix, into y: UnsafeMutablePointer<Float>) {
    let (outputs, n) = (layer.weight.shape[0], x.columns)
    withPointers(layer.weight, layer.bias) { weight, bias in
      for output in 0..<outputs { (y + output * n).update(repeating: bias[output], count: n) }
      GEMM.multiply(
        Matrix(weight, rows: outputs, columns: x.rows), x, beta: 1,
        into: MutableMatrix(y, rows: outputs, columns: n))
    }
  }
}

extension NativeFirstLayer {
  /// One row of the picture after the first layer: `relu(bias + Σ upsampled sums)`, `[width, outputs.count]`.
  /// - Parameters:
  ///   - row: of the picture, inside the band computed last
  ///   - outputs: which of the O
  ///   - bias: of these outputs
  func upsample(
    row: Int, outputs: Range<Int>, bias: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>
  ) {
    let (count, width) = (outputs.count, levels[0].columns.low.count)
    for x in 0..<width { (target + x * count).update(from: bias, count: count) }
    for level in levels {
      withScratch(count: level.width * count) { blended in
        level.blend(row: row, outputs: outputs, into: blended)
        level.columns.low.withUnsafeBufferPointer { low in
          level.columns.high.withUnsafeBufferPointer { high in
            level.columns.share.withUnsafeBufferPointer { share in
              for x in 0..<width {
                let (left, right) = (blended + Int(low[x]) * count, blended + Int(high[x]) * count)
                let (second, line) = (share[x], target + x * count)
                let first = 1 - second
                for c in 0..<count { line[c] += left[c] * first + right[c] * second }
              }
            }
          }
        }
      }
    }
    rectify(target, count: width * count)
  }
}

extension NativeFirstLayer.Level {
  /// The sums between two rows of the maps, where a row of the picture lies: `[w, outputs.count]`.
  fileprivate func blend(row: Int, outputs: Range<Int>, into target: UnsafeMutablePointer<Float>) {
    let stride = sums.shape[1]
    let count = outputs.count
    let (upper, lower) = (Int(rows.low[row]) - firstRow, Int(rows.high[row]) - firstRow)
    let second = rows.share[row]
    let first = 1 - second
    withPointers(sums) { sums in
      for x in 0..<width {
        let top = sums + (upper * width + x) * stride + outputs.lowerBound
        let bottom = sums + (lower * width + x) * stride + outputs.lowerBound
        let line = target + x * count
        for c in 0..<count { line[c] = top[c] * first + bottom[c] * second }
      }
    }
  }
}

/// ReLU in place. A store for every element: one under a condition would not become vector code.
private func rectify(_ x: UnsafeMutablePointer<Float>, count: Int) {
  for i in 0..<count { x[i] = x[i] < 0 ? 0 : x[i] }
}
