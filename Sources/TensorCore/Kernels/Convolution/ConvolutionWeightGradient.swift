// patches: [positions, kh·kw·C]   gradient: [positions, O]   result: [kh·kw·C, O]

/// The gradient of a convolution at its weight, `patchesᵀ · gradient`; the matrix of patches exists in pieces only.
struct ConvolutionWeightGradient {
  let patches: PatchReader
  /// At the output.
  let gradient: UnsafePointer<Float>

  /// Sums that run side by side, over parts of the positions that depend on the shape alone.
  private static let mostSums = 8
  /// Floats of all sums together.
  private static let largestSums = 1 << 23
  /// Floats of a strip of patches, which stays in the cache between filling and use.
  private static let stripSize = 1 << 18

  private var shape: ConvolutionShape { patches.shape }
  private var rows: Int { shape.batch * shape.outHeight }
  private var resultSize: Int { shape.patchSize * shape.outChannels }

  func run(into target: UnsafeMutablePointer<Float>) {
    let sums = min(Self.mostSums, rows, Self.largestSums / resultSize)
    if sums >= 4 {
      runSideBySide(sums, into: target)
    } else {
      runTogether(into: target)
    }
  }

  private func runSideBySide(_ count: Int, into target: UnsafeMutablePointer<Float>) {
    let rowsPerSum = (rows + count - 1) / count
    let count = (rows + rowsPerSum - 1) / rowsPerSum
    withScratch(count: resultSize * count) { sums in
      parallelFor(rows, inBlocksOf: rowsPerSum) { rows in
        let sum = sums + rows.lowerBound / rowsPerSum * resultSize
        var isFirst = true
        forEachStrip(rows) { strip, matrix in
          patches.fill(matrix, rows: strip)
          GEMM.multiply(
            patchMatrix(matrix, strip).transposed, gradientMatrix(strip), beta: isFirst ? 0 : 1,
            into: MutableMatrix(sum, rows: shape.patchSize, columns: shape.outChannels))
          isFirst = false
        }
      }
      parallelFor(resultSize, inBlocksOf: elementwiseBlock) { range in
        for i in range { target[i] = sums[i] }
        for sum in 1..<count {
          let from = sums + sum * resultSize
          for i in range { target[i] += from[i] }
        }
      }
    }
  }

  /// One strip after the other, each shared out: where the weights are most of the data.
  private func runTogether(into target: UnsafeMutablePointer<Float>) {
    var isFirst = true
    forEachStrip(0..<rows) { strip, matrix in
      parallelFor(strip.count) { row in
        let row = strip.lowerBound + row
        patches.fill(
          matrix + (row - strip.lowerBound) * shape.outWidth * shape.patchSize, rows: row..<row + 1)
      }
      GEMM.parallelMultiply(
        patchMatrix(matrix, strip).transposed, gradientMatrix(strip), beta: isFirst ? 0 : 1,
        into: MutableMatrix(target, rows: shape.patchSize, columns: shape.outChannels))
      isFirst = false
    }
  }

  private func forEachStrip(
    _ rows: Range<Int>, _ body: (_ strip: Range<Int>, _ matrix: UnsafeMutablePointer<Float>) -> Void
  ) {
    let rowSize = shape.outWidth * shape.patchSize
    let rowsPerStrip = max(1, Self.stripSize / rowSize)
    withScratch(count: rowsPerStrip * rowSize) { matrix in
      for start in stride(from: rows.lowerBound, to: rows.upperBound, by: rowsPerStrip) {
        body(start..<min(rows.upperBound, start + rowsPerStrip), matrix)
      }
    }
  }

  private func patchMatrix(_ matrix: UnsafePointer<Float>, _ strip: Range<Int>) -> Matrix {
    Matrix(matrix, rows: strip.count * shape.outWidth, columns: shape.patchSize)
  }

  private func gradientMatrix(_ strip: Range<Int>) -> Matrix {
    Matrix(
      gradient + strip.lowerBound * shape.outWidth * shape.outChannels, rows: strip.count * shape.outWidth,
      columns: shape.outChannels)
  }
}
