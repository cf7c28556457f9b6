// x: [N, H, W, C]   patches: [positions, kh·kw·C]

/// The matrix of the patches that the outputs of a convolution depend on, in pieces.
struct PatchReader {
  let shape: ConvolutionShape
  let input: BandReader

  /// Writes the patches of some output rows, over all samples, `[positions, kh, kw, C]`.
  func fill(_ patches: UnsafeMutablePointer<Float>, rows: Range<Int>) {
    var target = patches
    forEachSample(rows, rowsPerSample: shape.outHeight) { sample, rows in
      if shape.isPointwise {
        let pixels = rows.lowerBound * shape.width..<rows.upperBound * shape.width
        input.read(sample: sample, pixels: pixels, into: target, stride: shape.inChannels)
      } else {
        fill(target, sample: sample, rows: rows)
      }
      target += rows.count * shape.outWidth * shape.patchSize
    }
  }

  private func fill(_ patches: UnsafeMutablePointer<Float>, sample: Int, rows: Range<Int>) {
    let top = rows.lowerBound * shape.stride - shape.padding.top
    let bandRows = top..<top + (rows.count - 1) * shape.stride + shape.spanHeight
    let bandColumns = -shape.padding.left..<shape.width + shape.padding.right
    let rowSize = bandColumns.count * shape.inChannels
    // Taps side by side lie together, unless they are dilated.
    let (pieces, pieceSize) =
      shape.dilation == 1
      ? (1, shape.kernelWidth * shape.inChannels) : (shape.kernelWidth, shape.inChannels)
    let pieceStep = shape.dilation * shape.inChannels
    withScratch(count: bandRows.count * rowSize) { band in
      input.fill(band, sample: sample, rows: bandRows, columns: bandColumns, stride: shape.inChannels)
      var target = patches
      for row in 0..<rows.count {
        for column in 0..<shape.outWidth {
          var source = band + row * shape.stride * rowSize + column * shape.stride * shape.inChannels
          for _ in 0..<shape.kernelHeight {
            for piece in 0..<pieces {
              target.update(from: source + piece * pieceStep, count: pieceSize)
              target += pieceSize
            }
            source += shape.dilation * rowSize
          }
        }
      }
    }
  }
}
