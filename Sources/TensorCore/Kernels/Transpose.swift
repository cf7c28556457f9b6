// x: [rows, columns]   y: [columns, rows]

/// Side of the square tiles: the 64-byte lines of source and target that a tile touches stay in the
/// first cache together.
private let tileSide = 16

/// A range of rows of the transpose of `x`, on the calling thread: `y[c - first, r] = x[r, c]`.
///
/// - Parameters:
///   - x: `[rows, columns]`
///   - range: columns of `x` to take
///   - y: `[range.count, rows]`
package func transpose(
  _ x: UnsafePointer<Float>, rows: Int, columns: Int, range: Range<Int>, into y: UnsafeMutablePointer<Float>
) {
  for firstColumn in stride(from: range.lowerBound, to: range.upperBound, by: tileSide) {
    let lastColumn = min(firstColumn + tileSide, range.upperBound)
    for firstRow in stride(from: 0, to: rows, by: tileSide) {
      let count = min(tileSide, rows - firstRow)
      for column in firstColumn..<lastColumn {
        let source = x + firstRow * columns + column
        let line = y + (column - range.lowerBound) * rows + firstRow
        for r in 0..<count { line[r] = source[r &* columns] }
      }
    }
  }
}

/// The transpose of a matrix: `[rows, columns]` gives `[columns, rows]`.
package func transposed(_ x: Tensor) -> Tensor {
  precondition(x.rank == 2, "transpose of \(x.shape)")
  let (rows, columns) = (x.shape[0], x.shape[1])
  return Tensor(shape: [columns, rows]) { y in
    withPointers(x) { x in
      parallelFor(columns, inBlocksOf: 256) { range in
        transpose(x, rows: rows, columns: columns, range: range, into: y + range.lowerBound * rows)
      }
    }
  }
}
