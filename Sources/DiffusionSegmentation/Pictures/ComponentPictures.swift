import Augment
import Base
import Features
import Images
import PixelClassifier
import TensorCore

/// The first three principal components of pixel features as red, green and blue: what the features tell apart has
/// different colours. All pictures share the components and the colours.
public struct ComponentPictures {
  /// Vectors in which the components are looked for. Three directions are found well enough in few.
  private static let sampleSize = 2048
  /// Share of the values below the darkest and above the brightest.
  private static let clipped = 0.01

  /// One a picture, of the size that the network sees.
  public let images: [Image]

  /// - Parameters:
  ///   - pictures: features of one or more pictures, all from the same steps and blocks
  ///   - seed: draws the vectors in which the components are looked for
  /// - Throws: `DataError` when all vectors are the same.
  /// - Precondition: there is a picture.
  public init(_ pictures: [FeatureMaps], seed: UInt64 = 0) throws(DataError) {
    precondition(!pictures.isEmpty, "components of no picture")
    let labelled = pictures.map {
      LabelledFeatures(
        name: "picture", features: $0, labels: [UInt8](repeating: 0, count: $0.pixelCount))
    }
    let dataset = try PixelDataset(labelled, classCount: 1, ignoreLabel: 255, smallestAnnotation: 0)
    let projection = try FeatureProjection(
      .principalComponents(3, whitened: false), of: dataset, random: Philox(seed: seed),
      sampleSize: Self.sampleSize)!
    let values = pictures.map { Self.project($0, projection) }
    let ranges = (0..<3).map { channel -> ClosedRange<Float> in
      let all = values.flatMap { $0[channel] }.sorted()
      let margin = Int(Double(all.count) * Self.clipped)
      return all[margin]...all[all.count - 1 - margin]
    }
    images = zip(pictures, values).map { picture, values in
      var pixels = [UInt8](repeating: 128, count: 3 * picture.pixelCount)
      for (channel, range) in ranges.enumerated() where range.lowerBound < range.upperBound {
        let factor = 255 / (range.upperBound - range.lowerBound)
        for (pixel, value) in values[channel].enumerated() {
          let level = (value - range.lowerBound) * factor
          pixels[3 * pixel + channel] = UInt8(min(max(level, 0), 255).rounded())
        }
      }
      return Image(width: picture.width, height: picture.height, pixels: pixels)
    }
  }

  /// `[3][pixels]`; components that do not exist are 0.
  private static func project(_ picture: FeatureMaps, _ projection: FeatureProjection) -> [[Float]] {
    var values = [[Float]](repeating: [Float](repeating: 0, count: picture.pixelCount), count: 3)
    let chunk = 1024
    for start in stride(from: 0, to: picture.pixelCount, by: chunk) {
      let pixels = Array(start..<min(start + chunk, picture.pixelCount))
      let y = projection.apply(picture.vectors(at: pixels)).elements
      for (row, pixel) in pixels.enumerated() {
        for channel in 0..<projection.outputCount {
          values[channel][pixel] = y[row * projection.outputCount + channel]
        }
      }
    }
    return values
  }
}
