import Augment
import Images
import TensorCore

// K classes   side: of a tile   W: width of the canvas

/// What is said about some rows of a picture that is cut into tiles.
struct CanvasRows {
  var rows: Range<Int>
  /// `[rows, W]`
  var labels: [UInt8]
  /// `[rows, W]`
  var uncertainty: [Float]
  /// `[K, rows, W]`, where they are wanted
  var probabilities: Tensor?
}

/// Where the verdicts on tiles are blended. Only the rows of one row of tiles are in memory.
///
/// Votes, probabilities and uncertainty of a pixel are averages over the tiles that show it, weighted by the window of
/// `TileAxis`; the label is the class with most votes, the smallest of equals. Pixels of a single tile have what is said
/// about it there.
struct TileCanvas {
  private let grid: TileGrid
  private let classes: Int
  private let hasProbabilities: Bool
  /// `[planes, side, W]`: votes, uncertainty, probabilities where they are wanted.
  private var sums: Tensor
  /// Canvas row of the first that is held.
  private var top = 0

  private var width: Int { grid.columns.length }
  private var side: Int { grid.rows.side }

  init(_ grid: TileGrid, classes: Int, hasProbabilities: Bool) {
    (self.grid, self.classes, self.hasProbabilities) = (grid, classes, hasProbabilities)
    sums = Tensor(zeros: [
      classes + 1 + (hasProbabilities ? classes : 0), grid.rows.side, grid.columns.length,
    ])
  }

  /// Adds what is said about a tile of the row of tiles that is held.
  /// - Precondition: it has votes, and probabilities where they are wanted.
  mutating func add(_ opinion: Segmenter.Opinion, at tile: Tile) {
    precondition(tile.y == top, "a tile at row \(tile.y) of a canvas at \(top)")
    let (width, side, classes, window) = (width, side, classes, grid.columns.window)
    let planes = [opinion.votes!] + (hasProbabilities ? [opinion.probabilities!] : [])
    opinion.uncertainty.withUnsafeBufferPointer { uncertainty in
      sums.withMutablePointer { sums in
        parallelFor(side, inBlocksOf: 16) { rows in
          for row in rows {
            let share = grid.rows.window[row]
            func add(_ source: UnsafePointer<Float>, to plane: Int) {
              let target = sums + (plane * side + row) * width + tile.x
              for x in 0..<side { target[x] += source[x] * (share * window[x]) }
            }
            add(uncertainty.baseAddress! + row * side, to: classes)
            for (index, plane) in planes.enumerated() {
              withPointers(plane) { plane in
                for k in 0..<classes {
                  add(plane + (k * side + row) * side, to: index == 0 ? k : classes + 1 + k)
                }
              }
            }
          }
        }
      }
    }
  }

  /// The rows that no tile below the held row of tiles shows; the canvas then holds the next row of tiles.
  mutating func finish(row index: Int) -> CanvasRows {
    let starts = grid.rows.starts
    let end = index + 1 < starts.count ? starts[index + 1] : grid.rows.length
    let (count, width, side, classes) = (end - top, width, side, classes)
    let (across, down) = (grid.columns.sums, grid.rows.sums)
    var labels = [UInt8](repeating: 0, count: count * width)
    var uncertainty = [Float](repeating: 0, count: count * width)
    var probabilities: Tensor? =
      hasProbabilities ? Tensor(unsafeUninitializedShape: [classes, count, width]) { _ in } : nil
    let averages = probabilities?.withMutablePointer { $0 }
    labels.withUnsafeMutableBufferPointer { labels in
      uncertainty.withUnsafeMutableBufferPointer { uncertainty in
        withPointers(sums) { sums in
          let (labels, uncertainty) = (labels.baseAddress!, uncertainty.baseAddress!)
          parallelFor(count, inBlocksOf: 16) { rows in
            for row in rows {
              let first = sums + row * width
              let plane = side * width
              for x in 0..<width {
                var (winner, most) = (0, first[x])
                for k in 1..<max(classes, 1) where first[k * plane + x] > most {
                  (winner, most) = (k, first[k * plane + x])
                }
                labels[row * width + x] = UInt8(winner)
                let weight = 1 / (across[x] * down[top + row])
                uncertainty[row * width + x] = first[classes * plane + x] * weight
                guard let averages else { continue }
                for k in 0..<classes {
                  averages[(k * count + row) * width + x] = first[(classes + 1 + k) * plane + x] * weight
                }
              }
            }
          }
        }
      }
    }
    let rows = top..<end
    advance(by: count)
    return CanvasRows(rows: rows, labels: labels, uncertainty: uncertainty, probabilities: probabilities)
  }

  /// Moves the rows that are not finished to the top.
  private mutating func advance(by count: Int) {
    let (width, side, planes) = (width, side, sums.shape[0])
    sums.withMutablePointer { sums in
      for plane in 0..<planes {
        let base = sums + plane * side * width
        let rest = max(0, side - count) * width
        base.update(from: base + (side * width - rest), count: rest)
        (base + rest).update(repeating: 0, count: side * width - rest)
      }
    }
    top += count
  }
}
