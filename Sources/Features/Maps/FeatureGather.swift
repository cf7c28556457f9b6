import CKernels
import TensorCore

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

    /// Asks for the vectors around a position of the picture.
    func prefetch(y: Int, x: Int) {
      let (rows, columns) = (rows[y], columns[x])
      let (base, size) =
        switch numbers {
        case .floats(let floats): (UnsafeRawPointer(floats), 4)
        case .halves(let halves, _): (UnsafeRawPointer(halves), 2)
        }
      // Neighbours of a row lie beside each other.
      let bytes = (columns.high - columns.low + channels) * size
      dseg_prefetch(base + (rows.low + columns.low) * size, bytes)
      if !isFullSize { dseg_prefetch(base + (rows.high + columns.low) * size, bytes) }
    }
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
    for (index, source) in sources.enumerated() {
      // Pixels come in random order, so most of the time is spent waiting for memory.
      if index + 1 < sources.count { sources[index + 1].prefetch(y: y, x: x) }
      let (rows, columns) = (source.rows[y], source.columns[x])
      // In the order of `resizeBilinear` (and PyTorch): first along the rows, then between them.
      let corners = dseg_corners(
        left: 1 - columns.share, right: columns.share, above: 1 - rows.share, below: rows.share)
      switch source.numbers {
      case .floats(let floats):
        let (top, bottom) = (floats + rows.low, floats + rows.high)
        if source.isFullSize {
          target.update(from: top + columns.low, count: source.channels)
        } else {
          dseg_interpolate(
            corners, top + columns.low, top + columns.high, bottom + columns.low, bottom + columns.high,
            target, source.channels)
        }
      case .halves(let halves, let offsets):
        let (top, bottom) = (halves + rows.low, halves + rows.high)
        dseg_interpolate_halves(
          corners, top + columns.low, top + columns.high, bottom + columns.low, bottom + columns.high,
          offsets, target, source.channels)
      }
      target += source.channels
    }
  }
}
