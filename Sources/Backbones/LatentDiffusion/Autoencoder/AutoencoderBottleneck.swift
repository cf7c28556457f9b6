import Foundation
import TensorCore

/// A normal distribution for each element of a latent (`DiagonalGaussianDistribution` of latent-diffusion).
public struct GaussianPosterior: Sendable {
  /// Of any shape.
  public let mean: Tensor
  /// Logarithm of the variance, clamped to [-30, 20]; of the mean's shape.
  public let logVariance: Tensor

  /// - Parameter moments: `[N, H, W, 2C]`: the means, then the logarithms of the variances
  public init(moments: Tensor) {
    let width = moments.shape[moments.rank - 1] / 2
    let (mean, rest) = moments.splittingChannels(at: width)
    self.mean = mean
    logVariance = rest.mapped { min(max($0, -30), 20) }
  }

  /// Standard deviations.
  public var deviation: Tensor { logVariance.mapped { exp(0.5 * $0) } }

  /// A draw: `mean + deviation · noise`.
  public func sample(noise: Tensor) -> Tensor { mean + deviation * noise }

  /// Divergence from the standard normal distribution, of each sample: `½ Σ (mean² + variance - 1 - log variance)`.
  public var klDivergences: [Double] {
    sums { _, mean, logVariance in mean * mean + exp(logVariance) - 1 - logVariance }.map { 0.5 * $0 }
  }

  /// Divergence from another distribution, of each sample.
  public func klDivergences(from other: GaussianPosterior) -> [Double] {
    let (means, variances) = (other.mean.elements, other.logVariance.elements)
    return sums { index, mean, logVariance in
      let (otherMean, otherLog) = (Double(means[index]), Double(variances[index]))
      return (mean - otherMean) * (mean - otherMean) / exp(otherLog) + exp(logVariance - otherLog) - 1
        - logVariance + otherLog
    }.map { 0.5 * $0 }
  }

  /// Negative logarithm of the density at a point, of each sample.
  public func negativeLogLikelihoods(of point: Tensor) -> [Double] {
    let elements = point.elements
    return sums { index, mean, logVariance in
      let distance = Double(elements[index]) - mean
      return log(2 * .pi) + logVariance + distance * distance / exp(logVariance)
    }.map { 0.5 * $0 }
  }

  private func sums(_ term: (_ index: Int, _ mean: Double, _ logVariance: Double) -> Double) -> [Double] {
    let (means, logVariances) = (mean.elements, logVariance.elements)
    let size = means.count / max(1, mean.shape[0])
    return (0..<mean.shape[0]).map { n in
      (n * size..<(n + 1) * size).reduce(0) {
        $0 + term($1, Double(means[$1]), Double(logVariances[$1]))
      }
    }
  }
}

/// The vectors that an autoencoder's latents are drawn to (van den Oord et al. 2017; `VectorQuantizer2` of
/// taming-transformers).
public struct Codebook: Sendable {
  /// `[codes, C]`
  public let vectors: Tensor

  /// - Parameter vectors: `[codes, C]`
  public init(vectors: Tensor) {
    precondition(vectors.rank == 2 && vectors.shape[0] > 0, "a codebook of \(vectors.shape)")
    self.vectors = vectors
  }

  /// The nearest vector of each pixel, of equally near ones the first.
  /// - Parameter z: `[N, H, W, C]`
  /// - Returns: numbers of vectors, pixel by pixel
  public func nearest(_ z: Tensor) -> [Int] {
    let (codes, width) = (vectors.shape[0], vectors.shape[1])
    precondition(z.shape[z.rank - 1] == width, "latents \(z.shape) of vectors \(vectors.shape)")
    let pixels = z.count / width
    var indices = [Int](repeating: 0, count: pixels)
    indices.withUnsafeMutableBufferPointer { indices in
      // Each pixel is written by the one call that has it.
      nonisolated(unsafe) let target = indices.baseAddress!
      withPointers(z, vectors) { z, vectors in
        // `|z|² + |e|² - 2 z·e` as the reference has it, so that near ties fall alike.
        let squares = (0..<codes).map { code -> Float in
          (0..<width).reduce(0) { $0 + vectors[code * width + $1] * vectors[code * width + $1] }
        }
        parallelFor(pixels, inBlocksOf: 64) { range in
          for pixel in range {
            let from = z + pixel * width
            var own: Float = 0
            for c in 0..<width { own += from[c] * from[c] }
            var best = (distance: Float.infinity, code: 0)
            for code in 0..<codes {
              var product: Float = 0
              for c in 0..<width { product += from[c] * vectors[code * width + c] }
              let distance = own + squares[code] - 2 * product
              if distance < best.distance { best = (distance, code) }
            }
            target[pixel] = best.code
          }
        }
      }
    }
    return indices
  }

  /// Vectors by number, `[…, C]`.
  /// - Parameters:
  ///   - indices: numbers of vectors
  ///   - shape: of the result without its channels
  public func vectors(_ indices: [Int], shape: [Int]) -> Tensor {
    let width = vectors.shape[1]
    precondition(shape.reduce(1, *) == indices.count, "\(indices.count) vectors as \(shape)")
    return Tensor(shape: shape + [width]) { y in
      withPointers(vectors) { vectors in
        for (pixel, index) in indices.enumerated() {
          (y + pixel * width).update(from: vectors + index * width, count: width)
        }
      }
    }
  }

  /// How far latents are from their vectors, with the gradients at both.
  public struct Loss: Sendable {
    /// `mean (z - e)² · (1 + commitment)`
    public var value: Double
    /// Gradient at the latents, of their shape.
    public var latents: Tensor
    /// Gradient at the vectors, `[codes, C]`.
    public var vectors: Tensor
  }

  /// The loss that draws latents and vectors together.
  /// - Parameters:
  ///   - z: `[N, H, W, C]`
  ///   - indices: their nearest vectors
  ///   - commitment: β
  ///   - isLegacy: whether β weighs what moves the vectors, as in all published models, rather than what moves the
  ///     latents
  public func loss(of z: Tensor, indices: [Int], commitment: Double, isLegacy: Bool) -> Loss {
    let width = vectors.shape[1]
    let difference = z - vectors(indices, shape: Array(z.shape.dropLast()))
    let square = squaredNorm([difference]) / Double(z.count)
    let (toLatents, toVectors) = isLegacy ? (1, commitment) : (commitment, 1)
    let slope = 2 / Double(z.count)
    var moved = Tensor(zeros: vectors.shape)
    moved.withMutablePointer { moved in
      withPointers(difference) { difference in
        for (pixel, index) in indices.enumerated() {
          for c in 0..<width {
            moved[index * width + c] -= Float(slope * toVectors) * difference[pixel * width + c]
          }
        }
      }
    }
    return Loss(
      value: square * (1 + commitment), latents: difference * Float(slope * toLatents), vectors: moved)
  }
}
