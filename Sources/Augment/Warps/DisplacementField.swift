import Foundation

/// How far from its own place each pixel of an elastic warp is read: noise, smoothed.
///
/// Source: Simard et al., "Best practices for convolutional neural networks", ICDAR 2003; the arithmetic is
/// that of albumentations 1.3.1.
package struct DisplacementField: SourcePlaces {
  /// `[height, width]`, pixels.
  let dx: [Double]
  let dy: [Double]
  private let width: Int

  /// - Precondition: as many numbers in both as the picture has pixels.
  package init(dx: [Double], dy: [Double], width: Int) {
    precondition(
      dx.count == dy.count && width > 0 && dx.count % width == 0, "\(dx.count) and \(dy.count) shifts")
    (self.dx, self.dy, self.width) = (dx, dy, width)
  }

  @inline(__always)
  package func place(x: Int, y: Int) -> SIMD2<Double> {
    let pixel = y * width + x
    return SIMD2(Double(x) + dx[pixel], Double(y) + dy[pixel])
  }

  /// A smoothed field of one direction, `[height, width]`: `alpha` times the Gaussian blur of `2 u - 1`.
  package static func smoothed(
    uniform: [Float], width: Int, height: Int, sigma: Double, alpha: Double
  ) -> [Double] {
    let kernel = GaussianKernel(sigma: sigma)
    let noise = uniform.map { 2 * Double($0) - 1 }
    let down = kernel.blurredAlongColumns(noise, width: width, height: height)
    return kernel.blurredAlongRows(down, width: width, height: height).map { $0 * alpha }
  }
}

/// A Gaussian cut at four deviations, as SciPy's `gaussian_filter`; beyond the edge the picture is mirrored with
/// the pixel at the edge repeated.
private struct GaussianKernel {
  private let weights: [Double]
  private var radius: Int { weights.count / 2 }

  init(sigma: Double) {
    let radius = Int(4 * sigma + 0.5)
    let raw = (-radius...radius).map { exp(-0.5 * Double($0 * $0) / (sigma * sigma)) }
    let sum = raw.reduce(0, +)
    weights = raw.map { $0 / sum }
  }

  /// Sources of the positions -radius ..< size + radius.
  private func sources(size: Int) -> [Int] {
    (-radius..<size + radius).map { index in
      let phase = (index % (2 * size) + 2 * size) % (2 * size)
      return min(phase, 2 * size - 1 - phase)
    }
  }

  func blurredAlongColumns(_ field: [Double], width: Int, height: Int) -> [Double] {
    let sources = sources(size: height)
    var blurred = [Double](repeating: 0, count: field.count)
    blurred.withUnsafeMutableBufferPointer { blurred in
      field.withUnsafeBufferPointer { field in
        for y in 0..<height {
          for (tap, weight) in weights.enumerated() {
            let (source, target) = (sources[y + tap] * width, y * width)
            for x in 0..<width { blurred[target + x] += field[source + x] * weight }
          }
        }
      }
    }
    return blurred
  }

  func blurredAlongRows(_ field: [Double], width: Int, height: Int) -> [Double] {
    let sources = sources(size: width)
    var blurred = [Double](repeating: 0, count: field.count)
    var line = [Double](repeating: 0, count: sources.count)
    blurred.withUnsafeMutableBufferPointer { blurred in
      for y in 0..<height {
        for (place, source) in sources.enumerated() { line[place] = field[y * width + source] }
        line.withUnsafeBufferPointer { line in
          for (tap, weight) in weights.enumerated() {
            for x in 0..<width { blurred[y * width + x] += line[x + tap] * weight }
          }
        }
      }
    }
    return blurred
  }
}
