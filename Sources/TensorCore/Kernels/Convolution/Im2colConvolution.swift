// x: [N, H, W, C]   patches: [positions, kh·kw·C]   weights: [kh·kw·C, O]   y: [positions, O]

/// A convolution as products with the matrix of all patches, which exists in pieces only.
///
/// Positions are those of the output, over all samples. How the work is cut depends on the shape alone, so every
/// number of threads gives the same bits.
struct Im2colConvolution {
  let shape: ConvolutionShape
  let input: BandReader
  /// `[kh·kw·C, O]`
  let weights: PackedMatrix
  let output: ConvolutionOutput

  private var patches: PatchReader { PatchReader(shape: shape, input: input) }

  /// Floats in one strip of the matrix of patches: large enough for an efficient product, small enough to
  /// stay in the cache between filling and use.
  private static let stripSize = 1 << 20
  /// Most positions of a strip.
  private static let longestStrip = 1024
  /// Below so many strips there is too little to share out, and the product is cut by channels instead.
  private static let fewestStrips = 4

  /// Output rows of all samples.
  private var rows: Int { shape.batch * shape.outHeight }
  private var positions: Int { rows * shape.outWidth }
  /// Whether the products read the input where it is stored, without a matrix of patches.
  private var readsStored: Bool { shape.isPointwise && input.isStored }

  func run() {
    let rowsPerStrip = stripRows
    if rows > (Self.fewestStrips - 1) * rowsPerStrip {
      parallelFor(rows, inBlocksOf: rowsPerStrip) { runStrip($0) }
    } else {
      runByChannels()
    }
  }

  /// Output rows of one strip: as many as fit, and at most a quarter of all if that leaves enough positions
  /// for efficient products.
  private var stripRows: Int {
    let fitting = min(Self.stripSize / shape.patchSize, Self.longestStrip) / shape.outWidth
    let quarter = (rows + Self.fewestStrips - 1) / Self.fewestStrips
    let longEnough = (255 + shape.outWidth) / shape.outWidth
    return max(1, min(fitting, max(quarter, longEnough)))
  }

  // MARK: Strips of output rows

  private func runStrip(_ rows: Range<Int>) {
    let first = rows.lowerBound * shape.outWidth
    let count = rows.count * shape.outWidth
    startOutput(rows)
    let target = MutableMatrix(
      output.y + first * shape.outChannels, rows: count, columns: shape.outChannels)
    if readsStored {
      multiplyStored(positions: first..<first + count, outChannels: 0..<shape.outChannels, into: target)
    } else {
      withScratch(count: count * shape.patchSize) { matrix in
        patches.fill(matrix, rows: rows)
        weights.multiply(
          Matrix(matrix, rows: count, columns: shape.patchSize), adding: true, into: target)
      }
    }
    output.finish(first: first, count: count, channels: 0..<shape.outChannels)
  }

  // MARK: Few positions

  /// All patches at once, the product in blocks of output channels: weights, which are most of the data
  /// here, are read once.
  private func runByChannels() {
    let channelBlock = max(32, (shape.outChannels / 8 + 31) & ~31)
    let rowBlock = (rows + 7) / 8
    let target = MutableMatrix(output.y, rows: positions, columns: shape.outChannels)
    parallelFor(rows, inBlocksOf: rowBlock) { startOutput($0) }
    if readsStored {
      parallelFor(shape.outChannels, inBlocksOf: channelBlock) { channels in
        multiplyStored(
          positions: 0..<positions, outChannels: channels, into: target.columns(channels))
        output.finish(first: 0, count: positions, channels: channels)
      }
    } else {
      withScratch(count: positions * shape.patchSize) { matrix in
        parallelFor(rows, inBlocksOf: rowBlock) { rows in
          patches.fill(matrix + rows.lowerBound * shape.outWidth * shape.patchSize, rows: rows)
        }
        parallelFor(shape.outChannels, inBlocksOf: channelBlock) { channels in
          weights.multiply(
            Matrix(matrix, rows: positions, columns: shape.patchSize), rows: 0..<shape.patchSize,
            columns: channels, adding: true, into: target.columns(channels))
          output.finish(first: 0, count: positions, channels: channels)
        }
      }
    }
  }

  // MARK: Parts

  private func startOutput(_ rows: Range<Int>) {
    forEachSample(rows, rowsPerSample: shape.outHeight) { sample, rows in
      output.start(
        sample: sample, first: (sample * shape.outHeight + rows.lowerBound) * shape.outWidth,
        count: rows.count * shape.outWidth)
    }
  }

  /// The product of a pointwise convolution with each part of the input.
  private func multiplyStored(positions: Range<Int>, outChannels: Range<Int>, into target: MutableMatrix) {
    for part in input.parts {
      let x = Matrix(
        part.base + positions.lowerBound * part.channels, rows: positions.count, columns: part.channels)
      weights.multiply(
        x, rows: part.offset..<part.offset + part.channels, columns: outChannels, adding: true, into: target)
    }
  }
}
