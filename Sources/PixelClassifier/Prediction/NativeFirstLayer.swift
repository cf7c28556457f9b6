import Features
import TensorCore

// Level: maps of one resolution, h × w.   C: channels of a map   O = M · h1: outputs of all first layers

/// The first layers of all members at the resolutions of the feature maps, for a band of rows of the
/// picture. Maps of one resolution share their sum.
struct NativeFirstLayer {
  /// The maps of one resolution and their sum over a band.
  struct Level {
    /// How positions of the picture lie between those of the maps.
    let rows: BilinearAxis
    let columns: BilinearAxis
    let width: Int
    /// First row of the maps that `sums` holds.
    var firstRow = 0
    /// `[rows held · w, O]`
    var sums = Tensor(zeros: [0])
    fileprivate let maps: [(map: FeatureMap, offset: Int)]
    fileprivate var channels: Int { maps.reduce(0) { $0 + $1.map.channels } }
  }

  private(set) var levels: [Level]
  private let outputs: Int

  /// Pixels of a tile. All outputs of a tile are computed together, so that halves are widened once.
  private static let tilePixels = 256
  /// Channels that are multiplied at once: the widened vectors of a tile stay in the second cache.
  private static let tileChannels = 512

  init(_ features: FeatureMaps, outputs: Int) {
    self.outputs = outputs
    var maps: [[Int]: [(map: FeatureMap, offset: Int)]] = [:]
    var offset = 0
    for map in features.maps {
      maps[[map.height, map.width], default: []].append((map, offset))
      offset += map.channels
    }
    levels = maps.map { size, maps in
      Level(
        rows: BilinearAxis(source: size[0], target: features.height),
        columns: BilinearAxis(source: size[1], target: features.width), width: size[1], maps: maps)
    }
    // In a fixed order, and the longest products first, so that no thread is left with one at the end.
    levels.sort { ($1.channels, $0.width, $0.maps[0].offset) < ($0.channels, $1.width, $1.maps[0].offset) }
  }

  /// Elements of all sums of a picture of this many rows.
  func sumCount(height: Int) -> Int {
    levels.reduce(0) { $0 + (Int($1.rows.high[height - 1]) + 1) * $1.width * outputs }
  }

  /// Computes the sums that a band of rows of the picture needs.
  /// - Parameters:
  ///   - band: rows of the picture
  ///   - weight: `[O, D]`
  mutating func compute(band: Range<Int>, weight: Tensor) {
    var tiles: [Tile] = []
    for index in levels.indices {
      let level = levels[index]
      let rows = Int(level.rows.low[band.lowerBound])..<Int(level.rows.high[band.upperBound - 1]) + 1
      let pixels = rows.lowerBound * level.width..<rows.upperBound * level.width
      levels[index].firstRow = rows.lowerBound
      levels[index].sums = Tensor(unsafeUninitializedShape: [pixels.count, outputs]) { _ in }
      for start in stride(from: pixels.lowerBound, to: pixels.upperBound, by: Self.tilePixels) {
        tiles.append(
          Tile(level: index, pixels: start..<min(start + Self.tilePixels, pixels.upperBound)))
      }
    }
    // The pointers stay valid: `levels` keeps the sums, and nobody copies them before this returns.
    let targets = levels.indices.map { index in levels[index].sums.withMutablePointer { $0 } }
    parallelFor(tiles.count) { number in
      let tile = tiles[number]
      let firstPixel = levels[tile.level].firstRow * levels[tile.level].width
      multiply(
        tile, weight: weight,
        into: targets[tile.level] + (tile.pixels.lowerBound - firstPixel) * outputs)
    }
  }

  private struct Tile {
    var level: Int
    /// Pixels of the maps.
    var pixels: Range<Int>
  }

  /// One tile of a level's sum, `[pixels, O]`: over its maps, `[pixels, C] · [C, O]`.
  private func multiply(_ tile: Tile, weight: Tensor, into sums: UnsafeMutablePointer<Float>) {
    let features = weight.shape[1]
    let target = MutableMatrix(sums, rows: tile.pixels.count, columns: outputs)
    withScratch(count: tile.pixels.count * Self.tileChannels) { scratch in
      var isFirst = true
      for (map, offset) in levels[tile.level].maps {
        for start in stride(from: 0, to: map.channels, by: Self.tileChannels) {
          let channels = start..<min(start + Self.tileChannels, map.channels)
          withPointers(weight) { weight in
            GEMM.multiply(
              map.vectors(ofPixels: tile.pixels, channels: channels, scratch: scratch),
              Matrix(weight + offset + start, rows: outputs, columns: channels.count, stride: features)
                .transposed,
              beta: isFirst ? 0 : 1, into: target)
          }
          isFirst = false
        }
      }
    }
  }
}
