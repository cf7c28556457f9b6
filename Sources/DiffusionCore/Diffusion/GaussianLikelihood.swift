import Foundation

/// KL divergence of two normal distributions of one number, in nats:
/// `½ (-1 + l₂ - l₁ + exp(l₁ - l₂) + (m₁ - m₂)² exp(-l₂))`.
public func normalKL(mean1: Double, logVariance1: Double, mean2: Double, logVariance2: Double) -> Double {
  let distance = mean1 - mean2
  return 0.5
    * (logVariance2 - logVariance1 - 1 + exp(logVariance1 - logVariance2)
      + distance * distance * exp(-logVariance2))
}

/// Slopes of `normalKL` at the second mean and log-variance.
func normalKLSlopes(
  mean1: Double, logVariance1: Double, mean2: Double, logVariance2: Double
) -> (mean: Double, logVariance: Double) {
  let (distance, precision) = (mean2 - mean1, exp(-logVariance2))
  return (
    distance * precision,
    0.5 * (1 - exp(logVariance1 - logVariance2) - distance * distance * precision)
  )
}

/// Log-likelihood of a grey level, one of 256 between -1 and 1, under a normal distribution: that of the interval
/// of half width 1 / 255 around it, open at the ends.
///
/// The distribution function is the approximation `½ (1 + tanh(√(2/π) (x + 0.044715 x³)))`, and every probability
/// is at least 1e-12 before its logarithm, as in the reference.
/// Source: Ho et al. 2020, equation 13; guided-diffusion `losses.py`.
/// - Parameters:
///   - x: in [-1, 1]
///   - mean: of the normal distribution
///   - logScale: logarithm of the standard deviation
public func discretizedGaussianLogLikelihood(x: Double, mean: Double, logScale: Double) -> Double {
  DiscretizedGaussian(x: x, mean: mean, logScale: logScale).logLikelihood
}

struct DiscretizedGaussian {
  let logLikelihood: Double
  /// Slopes of the logarithm.
  let meanSlope: Double
  let logScaleSlope: Double

  private static let smallest = 1e-12

  init(x: Double, mean: Double, logScale: Double) {
    let inverse = exp(-logScale)
    let (upper, lower) = (inverse * (x - mean + 1 / 255), inverse * (x - mean - 1 / 255))
    let (above, below) = (Self.distribution(upper), Self.distribution(lower))
    // The probability, and what each end contributes to its slopes.
    let probability: Double
    let (upperShare, lowerShare): (Double, Double)
    if x < -0.999 {
      (probability, upperShare, lowerShare) = (above.value, above.slope, 0)
    } else if x > 0.999 {
      (probability, upperShare, lowerShare) = (1 - below.value, 0, below.slope)
    } else {
      (probability, upperShare, lowerShare) = (above.value - below.value, above.slope, below.slope)
    }
    logLikelihood = log(max(probability, Self.smallest))
    // Where the probability was raised to the smallest, it does not depend on anything.
    let scale = probability >= Self.smallest ? 1 / probability : 0
    meanSlope = scale * inverse * (lowerShare - upperShare)
    logScaleSlope = scale * (lowerShare * lower - upperShare * upper)
  }

  private static func distribution(_ x: Double) -> (value: Double, slope: Double) {
    let factor = (2 / Double.pi).squareRoot()
    let wave = tanh(factor * (x + 0.044715 * x * x * x))
    return (0.5 * (1 + wave), 0.5 * (1 - wave * wave) * factor * (1 + 3 * 0.044715 * x * x))
  }
}
