import Foundation
import TensorCore

/// Tables of positions that are added to the tokens of a vision transformer.
public enum PositionEmbedding {
  /// Sines and cosines of the places of a square grid: the first half of the channels from the column, the second from
  /// the row; of each half first all sines, then all cosines of `place · 10000^(-k / (channels / 4))`.
  /// - Parameters:
  ///   - channels: a multiple of 4
  ///   - grid: patches along each side
  ///   - hasClassToken: whether a row of zeros stands in front
  /// - Returns: `[grid² (+ 1), channels]`
  /// Source: facebookresearch/mae, `get_2d_sincos_pos_embed`.
  public static func sinCos(channels: Int, grid: Int, hasClassToken: Bool = true) -> Tensor {
    precondition(channels % 4 == 0 && channels > 0 && grid > 0, "\(channels) channels of \(grid) places")
    let quarter = channels / 4
    let frequencies = (0..<quarter).map { pow(10000, -Double($0) / Double(quarter)) }
    func half(_ place: Int) -> [Float] {
      frequencies.map { Float(sin(Double(place) * $0)) } + frequencies.map { Float(cos(Double(place) * $0)) }
    }
    let halves = (0..<grid).map(half)
    var values = [Float](repeating: 0, count: hasClassToken ? channels : 0)
    for row in 0..<grid {
      for column in 0..<grid { values += halves[column] + halves[row] }
    }
    return Tensor(values, shape: [grid * grid + (hasClassToken ? 1 : 0), channels])
  }

  /// A table for pictures of another size: the grid is resampled bicubically (coefficient -0.75, corners not aligned,
  /// without antialiasing, borders repeated), the class token's row is kept.
  ///
  /// Source: facebookresearch/mae, `interpolate_pos_embed`; other than square grids are our extension.
  /// - Parameters:
  ///   - table: `[1 + grid², channels]`
  ///   - grid: patches along each side of the table
  ///   - rows: patches along the height of the new pictures
  ///   - columns: patches along their width
  /// - Returns: `[1 + rows · columns, channels]`
  public static func resampled(_ table: Tensor, grid: Int, rows: Int, columns: Int) -> Tensor {
    let channels = table.shape[1]
    precondition(table.shape[0] == 1 + grid * grid, "positions \(table.shape) of \(grid)² patches")
    if rows == grid && columns == grid { return table }
    let (vertical, horizontal) = (taps(from: grid, to: rows), taps(from: grid, to: columns))
    return Tensor(shape: [1 + rows * columns, channels]) { y in
      withPointers(table) { table in
        y.update(from: table, count: channels)
        parallelFor(rows) { row in
          for column in 0..<columns {
            let to = y + (1 + row * columns + column) * channels
            to.update(repeating: 0, count: channels)
            for (sourceRow, down) in vertical[row] {
              for (sourceColumn, across) in horizontal[column] {
                let from = table + (1 + sourceRow * grid + sourceColumn) * channels
                for c in 0..<channels { to[c] += down * across * from[c] }
              }
            }
          }
        }
      }
    }
  }

  /// The four places that each new one depends on, with their weights (Keys 1981).
  private static func taps(from: Int, to: Int) -> [[(place: Int, weight: Float)]] {
    let a = -0.75
    return (0..<to).map { index in
      let position = (Double(index) + 0.5) * Double(from) / Double(to) - 0.5
      let first = position.rounded(.down)
      let t = position - first
      func near(_ x: Double) -> Double { ((a + 2) * x - (a + 3)) * x * x + 1 }
      func far(_ x: Double) -> Double { ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
      let weights = [far(t + 1), near(t), near(1 - t), far(2 - t)]
      return weights.enumerated().map { offset, weight in
        (min(max(0, Int(first) - 1 + offset), from - 1), Float(weight))
      }
    }
  }
}
