import TensorCore

/// The activations of a model for one picture, every one at its own resolution.
///
/// Upsampled to the picture and laid side by side they would be the feature matrix of the reference,
/// `[height * width, channels]`; that matrix is never made. `vectors(at:)` reads single rows of it.
/// Source: Baranchuk et al., "Label-efficient semantic segmentation with diffusion models", ICLR 2022.
public struct FeatureMaps: Sendable {
  /// In ascending order of their keys.
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
  ///   - maps: in any order
  ///   - height: of the picture, in pixels
  ///   - width: of the picture, in pixels
  /// - Precondition: there is a map, the picture has a pixel, and no two maps have the same position or name.
  public init(maps: [FeatureMap], height: Int, width: Int) {
    precondition(!maps.isEmpty && height > 0 && width > 0, "\(maps.count) maps of \(height)×\(width) pixels")
    let sorted = maps.sorted { $0.key.order < $1.key.order }
    precondition(
      Set(sorted.map(\.key.order)).count == maps.count && Set(sorted.map(\.key.name)).count == maps.count,
      "maps \(sorted.map(\.key.name)) at positions \(sorted.map(\.key.order))")
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
