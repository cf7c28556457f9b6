import Foundation
import TensorCore

// pictures, reconstruction: [N, H, W, C]   moments: [N, h, w, 2 · embed]   losses: [N]

/// What the training of a KL-regularised autoencoder minimises: absolute differences and the divergence of the latents
/// from a standard normal distribution (Rombach et al. 2022, section 3.1; `LPIPSWithDiscriminator` of latent-diffusion
/// without its perceptual and adversarial terms).
public struct AutoencoderLoss: Sendable, Equatable {
  /// Weight of the divergence.
  public var klWeight = 1e-6
  /// Logarithm of the variance of a pixel. No optimizer of the reference moves it.
  public var logVariance = 0.0

  public init() {}

  /// The losses of a batch.
  public struct Values: Sendable {
    /// `likelihood + klWeight · divergence`, one a sample.
    public var loss: [Double]
    /// `Σ (|x - x̂| / e^logVariance + logVariance)`, one a sample.
    public var likelihood: [Double]
    /// Divergence of the latents from the standard normal distribution, one a sample.
    public var divergence: [Double]
    /// Mean absolute difference of a number, one a sample.
    public var difference: [Double]
    /// Slope of the sum of all losses at `logVariance`.
    public var logVarianceSlope: Double
    /// The losses as a tensor, `[N]`, from which the tape leads to all weights.
    public var output: Tensor
    /// `[N, H, W, C]`
    public var reconstruction: Tensor
  }

  /// Encodes pictures, draws latents and decodes them.
  /// - Parameters:
  ///   - model: an autoencoder with a normal distribution of latents
  ///   - pictures: `[N, H, W, C]` in [-1, 1], sides multiples of the factor
  ///   - noise: standard normal, `[N, h, w, embed]`
  ///   - tape: where to record; nil for the values alone
  public func callAsFunction(
    _ model: Autoencoder, pictures: Tensor, noise: Tensor, tape: Tape? = nil
  ) -> Values {
    precondition(model.configuration.bottleneck == .gaussian, "the divergence of a codebook")
    tape?.markConstant(pictures)
    let moments = model.encode(pictures, tape: tape)
    let posterior = GaussianPosterior(moments: moments)
    let latents = posterior.sample(noise: noise, moments: moments, tape: tape)
    let reconstruction = model.decode(latents, tape: tape)
    precondition(
      reconstruction.shape == pictures.shape,
      "pictures \(pictures.shape) came back as \(reconstruction.shape)")
    let count = pictures.shape[0]
    let size = pictures.count / max(1, count)
    let precision = exp(-logVariance)
    let difference = pictures.combined(with: reconstruction) { abs($0 - $1) }
    let sums: [Double] = difference.withUnsafeBufferPointer { difference in
      (0..<count).map { n in difference[n * size..<(n + 1) * size].reduce(0) { $0 + Double($1) } }
    }
    let divergence = posterior.klDivergences
    let likelihood = sums.map { precision * $0 + Double(size) * logVariance }
    let loss = zip(likelihood, divergence).map { $0 + klWeight * $1 }
    let output = Tensor(loss.map { Float($0) }, shape: [count])
    tape?.record(output) { slopes, gradients in
      let slopes = slopes.elements
      let signs = reconstruction.combined(with: pictures) { $0 == $1 ? 0 : $0 > $1 ? 1 : -1 }
      gradients.add(signs.scalingSamples(by: slopes.map { $0 * Float(precision) }), to: reconstruction)
      let toKL = posterior.klGradient(moments: moments)
      gradients.add(toKL.scalingSamples(by: slopes.map { $0 * Float(klWeight) }), to: moments)
    }
    return Values(
      loss: loss, likelihood: likelihood, divergence: divergence, difference: sums.map { $0 / Double(size) },
      logVarianceSlope: sums.reduce(0) { $0 + Double(size) - precision * $1 }, output: output,
      reconstruction: reconstruction)
  }
}

extension GaussianPosterior {
  /// A draw, which the tape leads back to the moments (Kingma and Welling 2014, section 2.4).
  func sample(noise: Tensor, moments: Tensor, tape: Tape?) -> Tensor {
    let drawn = sample(noise: noise)
    tape?.record(drawn) { gradient, gradients in
      // d/d(log variance) of e^(log variance / 2) · ε
      let toLogVariance = (gradient * noise * deviation).mapped { 0.5 * $0 }
      gradients.add(joined(gradient, toLogVariance, moments: moments), to: moments)
    }
    return drawn
  }

  /// Gradient of the sum of `klDivergences` at the moments, of their shape.
  func klGradient(moments: Tensor) -> Tensor {
    joined(mean, logVariance.mapped { 0.5 * (exp($0) - 1) }, moments: moments)
  }

  /// Gradients at mean and logarithm of the variance as one at the moments, where the logarithm was clamped 0.
  private func joined(_ toMean: Tensor, _ toLogVariance: Tensor, moments: Tensor) -> Tensor {
    let width = mean.shape[mean.rank - 1]
    return Tensor(shape: moments.shape) { y in
      withPointers(toMean, toLogVariance, moments) { toMean, toLogVariance, moments in
        parallelFor(mean.count / width, inBlocksOf: 256) { pixels in
          for pixel in pixels {
            for c in 0..<width {
              let place = pixel * 2 * width + c
              y[place] = toMean[pixel * width + c]
              let inside = (-30...20).contains(moments[place + width])
              y[place + width] = inside ? toLogVariance[pixel * width + c] : 0
            }
          }
        }
      }
    }
  }
}
