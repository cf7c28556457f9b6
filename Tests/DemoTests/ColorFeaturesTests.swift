import Demo
import DiffusionSegmentation
import Foundation
import Images
import TensorCore
import TestSupport
import Testing

/// What the baselines see, number by number.
struct ColorFeaturesTests {
  /// Different colours everywhere.
  static let picture = {
    var random = Philox(seed: 3)
    return Image(
      width: 12, height: 10, pixels: (0..<360).map { _ in UInt8(random.nextWord() & 255) })
  }()

  private func color(_ x: Int, _ y: Int, _ channel: Int) -> Float {
    let (x, y) = (min(max(x, 0), 11), min(max(y, 0), 9))
    return Float(Self.picture.pixels[3 * (y * 12 + x) + channel]) / 127.5 - 1
  }

  @Test func colorAndPositionAreFiveNumbers() {
    let maps = ColorFeatures.colorAndPosition.maps(of: Self.picture)
    #expect(maps.channels == 5)
    let vector = maps.vectors(at: [4 * 12 + 9]).elements
    let place: [Float] = [2 * 9 / 12 - 1, 2 * 4 / 10 - 1]
    #expect(vector == (0..<3).map { color(9, 4, $0) } + place)
  }

  @Test(arguments: [(5, 5), (0, 0), (11, 9), (1, 8)])
  func patchesHoldBlurContrastAndNeighbours(x: Int, y: Int) {
    let maps = ColorFeatures.patches.maps(of: Self.picture)
    #expect(maps.channels == 164)
    let vector = maps.vectors(at: [y * 12 + x]).elements
    /// The mean under a Gaussian, in one sum over both directions.
    func mean(_ sigma: Double, _ value: (Int, Int) -> Double) -> Double {
      let reach = Int((3 * sigma).rounded(.up))
      var (sum, weights) = (0.0, 0.0)
      for dy in -reach...reach {
        for dx in -reach...reach {
          let weight = exp(-0.5 * Double(dx * dx + dy * dy) / (sigma * sigma))
          sum += weight * value(x + dx, y + dy)
          weights += weight
        }
      }
      return sum / weights
    }
    for (place, sigma) in [1.0, 2, 4, 8].enumerated() {
      for channel in 0..<3 {
        let expected = mean(sigma) { Double(color($0, $1, channel)) }
        #expect(abs(Double(vector[3 * place + channel]) - expected) < 1e-5, "σ \(sigma)")
      }
    }
    for (place, sigma) in [1.0, 2, 4].enumerated() {
      func brightness(_ x: Int, _ y: Int) -> Double {
        let sum: Float = color(x, y, 0) + color(x, y, 1) + color(x, y, 2)
        return Double(sum) / 3
      }
      let average = mean(sigma, brightness)
      let variance = mean(sigma) { pow(brightness($0, $1) - average, 2) }
      #expect(abs(Double(vector[12 + place]) - variance.squareRoot()) < 1e-4, "contrast, σ \(sigma)")
    }
    let patch = (-3...3).flatMap { dy in (-3...3).flatMap { dx in (0..<3).map { color(x + dx, y + dy, $0) } }
    }
    #expect(Array(vector[15..<162]) == patch)
    let place: [Float] = [2 * Float(x) / 12 - 1, 2 * Float(y) / 10 - 1]
    #expect(Array(vector[162...]) == place)
  }
}
