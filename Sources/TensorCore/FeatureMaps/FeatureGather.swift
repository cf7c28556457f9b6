// One picture of H × W pixels; map i: [h_i, w_i, C_i] channel-last; row: [C_0 + C_1 + …]

/// The plan by which the vector of a pixel is read out of feature maps: the values that bilinear
/// upsampling of every map to the size of the picture would have there, without the upsampling.
///
/// Holds plain pointers, so that reading a pixel touches no reference counts but its own.
final class FeatureGather: @unchecked Sendable {
  // @unchecked: nothing is written once `init` has returned.

  /// Where a position of the picture lies between two positions of a map.
  private struct Taps {
    /// Elements before the first and the second neighbour.
    var low: Int
    var high: Int
    /// Share of the second.
    var share: Float
  }

  private struct Source {
    var numbers: FeatureStorage.Numbers
    var channels: Int
    var rows: UnsafeMutablePointer<Taps>
    var columns: UnsafeMutablePointer<Taps>
    /// As large as the picture, so that every pixel has its own vector.
    var isFullSize: Bool
  }

  private let storages: [FeatureStorage]
  private let sources: UnsafeMutableBufferPointer<Source>
  private let width: Int

  init(maps: [FeatureMap], height: Int, width: Int) {
    storages = maps.map(\.storage)
    self.width = width
    sources = .allocate(capacity: maps.count)
    for (index, map) in maps.enumerated() {
      sources.initializeElement(
        at: index,
        to: Source(
          numbers: map.storage.numbers, channels: map.channels,
          rows: Self.taps(source: map.height, target: height, elements: map.width * map.channels),
          columns: Self.taps(source: map.width, target: width, elements: map.channels),
          isFullSize: map.height == height && map.width == width))
    }
  }

  deinit {
    for source in sources {
      source.rows.deallocate()
      source.columns.deallocate()
    }
    sources.deallocate()
  }

  private static func taps(source: Int, target: Int, elements: Int) -> UnsafeMutablePointer<Taps> {
    let axis = BilinearAxis(source: source, target: target)
    let taps = UnsafeMutablePointer<Taps>.allocate(capacity: target)
    for index in 0..<target {
      (taps + index).initialize(
        to: Taps(
          low: Int(axis.low[index]) * elements, high: Int(axis.high[index]) * elements,
          share: axis.share[index]))
    }
    return taps
  }

  /// Writes the vector of one pixel, all maps one after the other.
  func read(pixel: Int, into row: UnsafeMutablePointer<Float>) {
    let (y, x) = (pixel / width, pixel % width)
    var target = row
    for source in sources {
      let (rows, columns) = (source.rows[y], source.columns[x])
      switch source.numbers {
      case .floats(let floats):
        if source.isFullSize {
          target.update(from: floats + rows.low + columns.low, count: source.channels)
        } else {
          interpolate(
            floats + rows.low, floats + rows.high, columns, below: rows.share, count: source.channels,
            into: target)
        }
      case .halves(let halves, let offsets):
        interpolate(
          halves + rows.low, halves + rows.high, columns, below: rows.share, offsets: offsets,
          count: source.channels, into: target)
      }
      target += source.channels
    }
  }

  /// In the order of `resizeBilinear` (and PyTorch): first along the rows, then between them.
  private func interpolate(
    _ top: UnsafePointer<Float>, _ bottom: UnsafePointer<Float>, _ columns: Taps, below: Float, count: Int,
    into target: UnsafeMutablePointer<Float>
  ) {
    let (topLeft, topRight) = (top + columns.low, top + columns.high)
    let (bottomLeft, bottomRight) = (bottom + columns.low, bottom + columns.high)
    let (right, left, above) = (columns.share, 1 - columns.share, 1 - below)
    for c in 0..<count {
      let upper = topLeft[c] * left + topRight[c] * right
      let lower = bottomLeft[c] * left + bottomRight[c] * right
      target[c] = upper * above + lower * below
    }
  }

  /// The same from halves. The weights carry the factor that `scaledHalf` leaves out: powers of two change
  /// no rounding. They sum to 1, so the offset can be added at the end.
  private func interpolate(
    _ top: UnsafePointer<UInt16>, _ bottom: UnsafePointer<UInt16>, _ columns: Taps, below: Float,
    offsets: UnsafePointer<Float>, count: Int, into target: UnsafeMutablePointer<Float>
  ) {
    let (topLeft, topRight) = (top + columns.low, top + columns.high)
    let (bottomLeft, bottomRight) = (bottom + columns.low, bottom + columns.high)
    let (right, left, above) = (columns.share * 0x1p112, (1 - columns.share) * 0x1p112, 1 - below)
    for c in 0..<count {
      let upper = scaledHalf(topLeft[c]) * left + scaledHalf(topRight[c]) * right
      let lower = scaledHalf(bottomLeft[c]) * left + scaledHalf(bottomRight[c]) * right
      target[c] = upper * above + lower * below + offsets[c]
    }
  }
}

/// A finite half times 2^-112: its fields moved into their place in a float.
@inline(__always)
func scaledHalf(_ half: UInt16) -> Float {
  let word = Int32(bitPattern: UInt32(half) << 16) >> 3
  return Float(bitPattern: UInt32(bitPattern: word) & 0x8FFF_E000)
}
