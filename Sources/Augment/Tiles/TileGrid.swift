import Foundation

/// A tile of a picture: a square whose side is the model's size.
public struct Tile: Sendable, Hashable {
  /// Left top pixel.
  public var x: Int
  public var y: Int

  public init(x: Int, y: Int) { (self.x, self.y) = (x, y) }
}

/// The places of tiles along one side of a picture, and the weights that blend them.
public struct TileAxis: Sendable, Hashable {
  /// Pixels of the picture, at least those of a tile.
  public let length: Int
  /// Pixels of a tile.
  public let side: Int
  /// First pixels of the tiles, in ascending order.
  public let starts: [Int]
  /// Weight of each pixel of a tile: 1 in the middle, and falling to 0 as half a period of a cosine where tiles have
  /// pixels in common, so that the weights of two neighbours add up to 1.
  public let window: [Float]

  /// - Parameters:
  ///   - length: pixels of the picture
  ///   - side: pixels of a tile, at most the length
  ///   - overlap: pixels that a tile has in common with the next one, less than the side
  ///   - shift: pixels by which all tiles but the first and the last lie further to the left
  /// - Precondition: as stated.
  init(length: Int, side: Int, overlap: Int, shift: Int = 0) {
    precondition(
      side > 0 && side <= length && overlap >= 0 && overlap < side && shift >= 0 && shift < side - overlap,
      "tiles of \(side) pixels, \(overlap) in common, along \(length), shifted by \(shift)")
    (self.length, self.side) = (length, side)
    let step = side - overlap
    var starts = [0]
    // The last tile ends with the picture.
    var next = step - shift
    while starts[starts.count - 1] < length - side {
      starts.append(min(next, length - side))
      next += step
    }
    self.starts = starts
    window = (0..<side).map { index in
      let distance = Double(min(index, side - 1 - index)) + 0.5
      return distance < Double(overlap)
        ? Float(0.5 - 0.5 * cos(.pi * distance / Double(overlap))) : 1
    }
  }

  /// Sum of the weights of all tiles at each pixel.
  public var sums: [Float] {
    var sums = [Float](repeating: 0, count: length)
    for start in starts {
      for index in 0..<side { sums[start + index] += window[index] }
    }
    return sums
  }

  /// The pixels that are nearer to the middle of a tile than to that of another, the first of equals: tiles share all
  /// pixels among them.
  public func cell(_ index: Int) -> Range<Int> {
    func border(_ left: Int) -> Int { (starts[left] + side + starts[left + 1] + 1) / 2 }
    return (index == 0 ? 0 : border(index - 1))..<(index == starts.count - 1 ? length : border(index))
  }
}

/// Overlapping tiles that cover a picture.
///
/// Rows of tiles follow each other from the top to the bottom, so that the results of the rows of pixels above a row of
/// tiles are complete before its tiles are seen.
public struct TileGrid: Sendable, Hashable {
  public let columns: TileAxis
  public let rows: TileAxis

  /// - Parameters:
  ///   - width: of the picture, in pixels
  ///   - height: of the picture, in pixels
  ///   - side: of a tile; at most either
  ///   - overlap: share of a tile that it has in common with the next one, at least 0 and below 1
  ///   - shift: pixels by which the inner tiles lie further to the left and above
  public init(width: Int, height: Int, side: Int, overlap: Double, shift: Int = 0) {
    let common = min(side - 1, Int((Double(side) * overlap).rounded()))
    columns = TileAxis(length: width, side: side, overlap: common, shift: shift)
    rows = TileAxis(length: height, side: side, overlap: common, shift: shift)
  }

  /// Number of tiles.
  public var count: Int { columns.starts.count * rows.starts.count }

  /// The tiles of one row.
  public func tiles(inRow row: Int) -> [Tile] { columns.starts.map { Tile(x: $0, y: rows.starts[row]) } }
}
