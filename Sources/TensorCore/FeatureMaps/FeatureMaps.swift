/// What a diffusion network says about one picture: for each step and each chosen block one activation,
/// every one at its own resolution.
///
/// Upsampled to the picture and laid side by side they would be the feature matrix of the reference,
/// `[height * width, channels]`; that matrix is never made. `vectors(at:)` reads single rows of it.
/// Source: Baranchuk et al., "Label-efficient semantic segmentation with diffusion models", ICLR 2022.
public struct FeatureMaps: Sendable {
  /// Step by step in the order given, the blocks of a step in ascending order.
  public let maps: [FeatureMap]
  /// Height of the picture in pixels.
  public let height: Int
  /// Width of the picture in pixels.
  public let width: Int
  /// Length of a pixel's vector: the channels of all maps.
  public let channels: Int
  private let plan: FeatureGather

  /// Number of pixels of the picture.
  public var pixelCount: Int { height * width }
  /// Bytes of all maps.
  public var byteCount: Int { maps.reduce(0) { $0 + $1.byteCount } }

  /// - Parameters:
  ///   - maps: in any order; those of one step are sorted by block, the steps stay as they first appear
  ///   - height: of the picture, in pixels
  ///   - width: of the picture, in pixels
  /// - Precondition: there is a map, the picture has a pixel, and no step has a block twice.
  public init(maps: [FeatureMap], height: Int, width: Int) {
    precondition(!maps.isEmpty && height > 0 && width > 0, "\(maps.count) maps of \(height)×\(width) pixels")
    var steps: [Int] = []
    for map in maps where !steps.contains(map.step) { steps.append(map.step) }
    let sorted = steps.flatMap { step in
      maps.filter { $0.step == step }.sorted { $0.block < $1.block }
    }
    for (map, next) in zip(sorted, sorted.dropFirst()) {
      precondition(
        map.step != next.step || map.block != next.block, "block \(map.block) of step \(map.step) twice")
    }
    self.maps = sorted
    self.height = height
    self.width = width
    channels = sorted.reduce(0) { $0 + $1.channels }
    plan = FeatureGather(maps: sorted, height: height, width: width)
  }

  /// The vectors of some pixels, as bilinear upsampling of all maps to the picture would give them.
  ///
  /// - Parameter pixels: `row * width + column`
  /// - Returns: `[pixels.count, channels]`
  public func vectors(at pixels: [Int]) -> Tensor {
    for pixel in pixels {
      precondition(pixel >= 0 && pixel < pixelCount, "pixel \(pixel) of \(height)×\(width)")
    }
    return Tensor(shape: [pixels.count, channels]) { rows in
      parallelFor(pixels.count, inBlocksOf: 16) { range in
        for index in range { plan.read(pixel: pixels[index], into: rows + index * channels) }
      }
    }
  }

  /// Writes the vector of one pixel, `channels` floats.
  package func gather(pixel: Int, into row: UnsafeMutablePointer<Float>) {
    precondition(pixel >= 0 && pixel < pixelCount, "pixel \(pixel) of \(height)×\(width)")
    plan.read(pixel: pixel, into: row)
  }
}
