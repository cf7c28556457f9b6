import DiffusionSegmentation
import Features
import Foundation
import Images
import TensorCore

// One picture: [height, width, channels]

/// Vectors for the pixels of a picture that no network has seen: what a diffusion model's features have to beat.
package enum ColorFeatures {
  /// Red, green, blue and the place, all in [-1, 1]: 5 numbers.
  case colorAndPosition
  /// What can be said of a pixel's neighbourhood without learning, 164 numbers: blurred colours (σ 1, 2, 4, 8 px),
  /// local contrast (standard deviation of the brightness, σ 1, 2, 4 px), all colours of the 7×7 patch around the
  /// pixel, and the place.
  case patches

  private static let colorScales: [Float] = [1, 2, 4, 8]
  private static let contrastScales: [Float] = [1, 2, 4]
  private static let patchReach = 3

  package func maps(of image: Image) -> FeatureMaps {
    let (width, height) = (image.width, image.height)
    let colors = (0..<3).map { channel in
      Plane(width: width, height: height) { x, y in
        Float(image.pixels[3 * (y * width + x) + channel]) / 127.5 - 1
      }
    }
    var channels: [Plane] = []
    switch self {
    case .colorAndPosition: channels = colors
    case .patches:
      for scale in Self.colorScales { channels += colors.map { $0.blurred(scale) } }
      let brightness = Plane(width: width, height: height) { x, y in
        (colors[0][x, y] + colors[1][x, y] + colors[2][x, y]) / 3
      }
      let squares = Plane(width: width, height: height) { x, y in brightness[x, y] * brightness[x, y] }
      for scale in Self.contrastScales {
        let (mean, meanSquare) = (brightness.blurred(scale), squares.blurred(scale))
        channels.append(
          Plane(width: width, height: height) { x, y in
            max(meanSquare[x, y] - mean[x, y] * mean[x, y], 0).squareRoot()
          })
      }
      let reach = -Self.patchReach...Self.patchReach
      for dy in reach {
        for dx in reach {
          channels += colors.map { color in
            Plane(width: width, height: height) { x, y in color[x + dx, y + dy] }
          }
        }
      }
    }
    channels.append(Plane(width: width, height: height) { x, _ in 2 * Float(x) / Float(width) - 1 })
    channels.append(Plane(width: width, height: height) { _, y in 2 * Float(y) / Float(height) - 1 })

    let vectors = (0..<height * width).flatMap { pixel in channels.map { $0.values[pixel] } }
    let activation = Tensor(vectors, shape: [1, height, width, channels.count])
    return FeatureMaps(
      maps: [FeatureMap(FeatureKey("colors", order: 0), activation: activation)], height: height, width: width
    )
  }
}

/// One number a pixel.
private struct Plane {
  let width: Int
  let height: Int
  let values: [Float]

  init(width: Int, height: Int, _ value: (_ x: Int, _ y: Int) -> Float) {
    self.width = width
    self.height = height
    values = (0..<width * height).map { value($0 % width, $0 / width) }
  }

  /// Beyond the edge, the pixel at the edge.
  subscript(x: Int, y: Int) -> Float {
    values[min(max(y, 0), height - 1) * width + min(max(x, 0), width - 1)]
  }

  /// Convolved with a Gaussian of standard deviation `sigma` pixels.
  func blurred(_ sigma: Float) -> Plane {
    let reach = Int((3 * sigma).rounded(.up))
    var weights = (-reach...reach).map { exp(-0.5 * Float($0 * $0) / (sigma * sigma)) }
    let sum = weights.reduce(0, +)
    weights = weights.map { $0 / sum }
    let rows = Plane(width: width, height: height) { x, y in
      weights.indices.reduce(0) { $0 + weights[$1] * self[x + $1 - reach, y] }
    }
    return Plane(width: width, height: height) { x, y in
      weights.indices.reduce(0) { $0 + weights[$1] * rows[x, y + $1 - reach] }
    }
  }
}
