/// A convolution as products with the column matrix, which exists in pieces only.
///
/// columns: `[C·kh·kw, positions]`, weight: `[O, C·kh·kw]`, y of one sample: `[O, Ho·Wo]`.
/// How the work is cut depends on the shape alone, so every number of threads gives the same bits.
struct Im2colConvolution {
  let shape: ConvolutionShape
  let x: UnsafePointer<Float>
  let weight: UnsafePointer<Float>
  let bias: UnsafePointer<Float>
  let residual: UnsafePointer<Float>?
  let y: UnsafeMutablePointer<Float>

  /// Floats in one strip of the column matrix: large enough for an efficient product, small enough to
  /// stay in the cache between filling and use.
  private static let stripSize = 1 << 20
  /// Below so many strips there is too little to share out, and the product is cut by channels instead.
  private static let fewestStrips = 4

  private var weights: Matrix { Matrix(weight, rows: shape.outChannels, columns: shape.columnRows) }

  func run() {
    let rowsPerStrip = stripRows
    let strips = (shape.outHeight + rowsPerStrip - 1) / rowsPerStrip
    if strips * shape.batch >= Self.fewestStrips {
      parallelFor(strips * shape.batch) { item in
        let (n, strip) = (item / strips, item % strips)
        let rows = strip * rowsPerStrip..<min(shape.outHeight, (strip + 1) * rowsPerStrip)
        runStrip(sample: n, outRows: rows)
      }
    } else {
      runByChannels()
    }
  }

  /// Output rows of one strip: as many as fit `stripSize`, and at most a quarter of the plane if that
  /// leaves wide enough products.
  private var stripRows: Int {
    let fitting = Self.stripSize / (shape.columnRows * shape.outWidth)
    let quarter = (shape.outHeight + 3) / 4
    let wideEnough = (255 + shape.outWidth) / shape.outWidth
    return max(1, min(fitting, max(quarter, wideEnough), shape.outHeight))
  }

  // MARK: Strips of output rows

  private func runStrip(sample n: Int, outRows: Range<Int>) {
    let positions = outRows.count * shape.outWidth
    let offset = n * shape.outChannels * shape.outPlane + outRows.lowerBound * shape.outWidth
    let output = MutableMatrix(
      y + offset, rows: shape.outChannels, columns: positions, stride: shape.outPlane)
    startOutput(output, residual: residual.map { $0 + offset })
    if shape.isPointwise {
      let input = x + n * shape.inChannels * shape.outPlane + outRows.lowerBound * shape.outWidth
      let columns = Matrix(input, rows: shape.inChannels, columns: positions, stride: shape.outPlane)
      GEMM.multiply(weights, columns, beta: 1, into: output)
    } else {
      withScratch(count: shape.columnRows * positions) { columns in
        fillColumns(columns, stride: positions, sample: n, channels: 0..<shape.inChannels, outRows: outRows)
        GEMM.multiply(
          weights, Matrix(columns, rows: shape.columnRows, columns: positions), beta: 1, into: output)
      }
    }
  }

  // MARK: Small planes

  /// The columns of the whole batch at once, the product in blocks of output channels: weights, which
  /// are most of the data here, are read once for the whole batch.
  private func runByChannels() {
    let plane = shape.outPlane
    let positions = shape.batch * plane
    let channelBlock = max(32, (shape.outChannels / 8 + 15) & ~15)
    withColumnsOfBatch { columns in
      parallelFor(shape.outChannels, inBlocksOf: channelBlock) { channels in
        withScratch(count: channels.count * positions) { products in
          GEMM.multiply(
            weights.rows(channels), columns,
            into: MutableMatrix(products, rows: channels.count, columns: positions))
          for (row, channel) in channels.enumerated() {
            for n in 0..<shape.batch {
              let offset = (n * shape.outChannels + channel) * plane
              let (from, to) = (products + row * positions + n * plane, y + offset)
              if let residual = residual.map({ $0 + offset }) {
                for index in 0..<plane { to[index] = from[index] + bias[channel] + residual[index] }
              } else {
                for index in 0..<plane { to[index] = from[index] + bias[channel] }
              }
            }
          }
        }
      }
    }
  }

  private func withColumnsOfBatch(_ body: (Matrix) -> Void) {
    let positions = shape.batch * shape.outPlane
    if shape.isPointwise && shape.batch == 1 {
      return body(Matrix(x, rows: shape.inChannels, columns: positions))
    }
    withScratch(count: shape.columnRows * positions) { columns in
      parallelFor(shape.inChannels, inBlocksOf: 16) { channels in
        for n in 0..<shape.batch {
          fillColumns(
            columns + n * shape.outPlane, stride: positions, sample: n, channels: channels,
            outRows: 0..<shape.outHeight)
        }
      }
      body(Matrix(columns, rows: shape.columnRows, columns: positions))
    }
  }

  // MARK: Parts

  /// Bias and residual, to which the product is added.
  private func startOutput(_ output: MutableMatrix, residual: UnsafePointer<Float>?) {
    for channel in 0..<output.rows {
      let line = output.base + channel * output.stride
      let value = bias[channel]
      if let residual = residual.map({ $0 + channel * output.stride }) {
        for index in 0..<output.columns { line[index] = residual[index] + value }
      } else {
        line.update(repeating: value, count: output.columns)
      }
    }
  }

  /// Writes the rows of the column matrix that belong to `channels`, for the given output rows.
  private func fillColumns(
    _ columns: UnsafeMutablePointer<Float>, stride rowStride: Int, sample n: Int, channels: Range<Int>,
    outRows: Range<Int>
  ) {
    for channel in channels {
      let plane = x + (n * shape.inChannels + channel) * shape.height * shape.width
      for ky in 0..<shape.kernelHeight {
        for kx in 0..<shape.kernelWidth {
          let row = (channel * shape.kernelHeight + ky) * shape.kernelWidth + kx
          var to = columns + row * rowStride
          for outRow in outRows {
            fillLine(to, from: plane, inRow: outRow * shape.stride + ky - shape.paddingHeight, kx: kx)
            to += shape.outWidth
          }
        }
      }
    }
  }

  /// One output row of one row of the column matrix: `plane[inRow, ox·stride + kx - padding]`, zero outside.
  @inline(__always)
  private func fillLine(
    _ to: UnsafeMutablePointer<Float>, from plane: UnsafePointer<Float>, inRow: Int, kx: Int
  ) {
    guard inRow >= 0 && inRow < shape.height else {
      to.update(repeating: 0, count: shape.outWidth)
      return
    }
    let line = plane + inRow * shape.width
    let shift = kx - shape.paddingWidth
    // Output columns whose source lies inside the picture.
    let first = min(shape.outWidth, shift < 0 ? (-shift + shape.stride - 1) / shape.stride : 0)
    let limit = shape.width - shift
    let end = max(first, min(shape.outWidth, limit > 0 ? (limit + shape.stride - 1) / shape.stride : 0))
    to.update(repeating: 0, count: first)
    if shape.stride == 1 {
      (to + first).update(from: line + first + shift, count: end - first)
    } else {
      for column in first..<end { to[column] = line[column * shape.stride + shift] }
    }
    (to + end).update(repeating: 0, count: shape.outWidth - end)
  }
}
