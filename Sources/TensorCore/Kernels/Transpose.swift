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

extension Tensor {
  /// `[N, C, …]` as `[N, …, C]`.
  public var channelsLast: Tensor {
    precondition(rank >= 2, "channels of \(shape)")
    return movingChannels(rows: shape[1], columns: shape.dropFirst(2).reduce(1, *))
      .reshaped([shape[0]] + shape.dropFirst(2) + [shape[1]])
  }

  /// `[N, …, C]` as `[N, C, …]`.
  public var channelsFirst: Tensor {
    precondition(rank >= 2, "channels of \(shape)")
    let channels = shape[rank - 1]
    return movingChannels(rows: shape.dropFirst().dropLast().reduce(1, *), columns: channels)
      .reshaped([shape[0], channels] + shape.dropFirst().dropLast())
  }

  /// `[N, rows, columns]` to `[N, columns, rows]`.
  private func movingChannels(rows: Int, columns: Int) -> Tensor {
    let batch = shape[0]
    let blocks = (columns + 255) / 256
    return Tensor(shape: [batch, columns, rows]) { y in
      withPointers(self) { x in
        parallelFor(batch * blocks) { item in
          let (n, block) = (item / blocks, item % blocks)
          let range = block * 256..<min(columns, (block + 1) * 256)
          transpose(
            x + n * rows * columns, rows: rows, columns: columns, range: range,
            into: y + (n * columns + range.lowerBound) * rows)
        }
      }
    }
  }
}
