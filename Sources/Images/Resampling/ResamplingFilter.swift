import Foundation

/// The weight that a source pixel has by its distance, as in Pillow.
public enum ResamplingFilter: Sendable, Hashable, CaseIterable {
  /// All pixels under the target pixel, equally.
  case box
  /// A triangle: linear interpolation when enlarging.
  case bilinear
  /// Cubic convolution with a = -1/2 (R. Keys, 1981).
  case bicubic
  /// A sinc of three lobes.
  case lanczos

  /// Distance, in target pixels when shrinking and source pixels when enlarging, from which on the
  /// weight is 0.
  var support: Double {
    switch self {
    case .box: 0.5
    case .bilinear: 1
    case .bicubic: 2
    case .lanczos: 3
    }
  }

  /// The weight at `x`, before the weights of a target pixel are normalised to a sum of 1.
  func weight(at x: Double) -> Double {
    let distance = abs(x)
    switch self {
    case .box:
      // Open on one side, so that a pixel half-way counts once.
      return x > -0.5 && x <= 0.5 ? 1 : 0
    case .bilinear:
      return distance < 1 ? 1 - distance : 0
    case .bicubic:
      let a = -0.5
      if distance < 1 { return ((a + 2) * distance - (a + 3)) * distance * distance + 1 }
      if distance < 2 { return (((distance - 5) * distance + 8) * distance - 4) * a }
      return 0
    case .lanczos:
      return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0
    }
  }

  private func sinc(_ x: Double) -> Double {
    x == 0 ? 1 : sin(x * .pi) / (x * .pi)
  }
}
