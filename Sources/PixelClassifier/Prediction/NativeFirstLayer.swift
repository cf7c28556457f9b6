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

  /// Rows and outputs of a tile: its sum stays in the second cache while the maps pass by.
  private static let tileRows = 512
  private static let tileOutputs = 256

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
    var inputs: [[Tensor]] = []
    for index in levels.indices {
      let level = levels[index]
      let rows = Int(level.rows.low[band.lowerBound])..<Int(level.rows.high[band.upperBound - 1]) + 1
      let pixels = rows.count * level.width
      levels[index].firstRow = rows.lowerBound
      levels[index].sums = Tensor(unsafeUninitializedShape: [pixels, outputs]) { _ in }
      inputs.append(level.maps.map { $0.map.vectors(ofRows: rows) })
      for pixel in stride(from: 0, to: pixels, by: Self.tileRows) {
        for output in stride(from: 0, to: outputs, by: Self.tileOutputs) {
          tiles.append(
            Tile(
              level: index, pixels: pixel..<min(pixel + Self.tileRows, pixels),
              outputs: output..<min(output + Self.tileOutputs, outputs)))
        }
      }
    }
    // The pointers stay valid: `levels` keeps the sums, and nobody copies them before this returns.
    let targets = levels.indices.map { index in levels[index].sums.withMutablePointer { $0 } }
    parallelFor(tiles.count) { number in
      let tile = tiles[number]
      multiply(tile, inputs[tile.level], weight: weight, into: targets[tile.level])
    }
  }

  private struct Tile {
    var level: Int
    var pixels: Range<Int>
    var outputs: Range<Int>
  }

  /// One tile of a level's sum: over its maps, `[pixels, C] · [C, outputs]`.
  private func multiply(
    _ tile: Tile, _ inputs: [Tensor], weight: Tensor, into sums: UnsafeMutablePointer<Float>
  ) {
    let features = weight.shape[1]
    let target = MutableMatrix(
      sums + tile.pixels.lowerBound * outputs + tile.outputs.lowerBound, rows: tile.pixels.count,
      columns: tile.outputs.count, stride: outputs)
    for (index, (map, offset)) in levels[tile.level].maps.enumerated() {
      withPointers(inputs[index], weight) { x, weight in
        GEMM.multiply(
          Matrix(x + tile.pixels.lowerBound * map.channels, rows: tile.pixels.count, columns: map.channels),
          Matrix(
            weight + tile.outputs.lowerBound * features + offset, rows: tile.outputs.count,
            columns: map.channels, stride: features
          ).transposed,
          beta: index == 0 ? 0 : 1, into: target)
      }
    }
  }
}
