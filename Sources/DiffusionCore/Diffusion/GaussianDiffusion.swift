import Foundation
import TensorCore

/// The forward and reverse process of a DDPM: tables over the steps, in double precision.
///
/// Steps are numbered 0 ..< `steps`, of the shortened process when there is a respacing. Source: Ho et al.
/// 2020; Nichol and Dhariwal 2021; guided-diffusion `gaussian_diffusion.py` and `respace.py`.
public struct GaussianDiffusion: Sendable {
  /// What the network predicts.
  public enum MeanType: String, Sendable, CaseIterable {
    /// The added noise.
    case epsilon
    /// The clean picture.
    case startX = "start_x"
    /// The mean of the step before.
    case previousX = "previous_x"
  }

  /// Where the variance of the reverse process comes from.
  public enum VarianceType: String, Sendable, CaseIterable {
    /// The posterior's, a lower bound.
    case fixedSmall = "fixed_small"
    /// `β`, an upper bound (the first step takes the posterior's of the second).
    case fixedLarge = "fixed_large"
    /// Half of the output channels are its logarithm.
    case learned
    /// Half of the output channels interpolate between the bounds, in the logarithm.
    case learnedRange = "learned_range"

    /// Whether the network has twice the channels of the picture.
    public var isLearned: Bool { self == .learned || self == .learnedRange }
  }

  public let meanType: MeanType
  public let varianceType: VarianceType
  /// Whether the network sees time scaled to 0 ..< 1000.
  public let rescaleTimesteps: Bool
  /// Original step of each step.
  public let timestepMap: [Int]
  /// Steps of the process before respacing.
  public let originalSteps: Int

  public let betas: [Double]
  /// `ᾱ_t = Π (1 - β)`.
  public let alphasCumprod: [Double]
  /// `ᾱ` of the step before; 1 at the first.
  public let alphasCumprodPrev: [Double]
  /// `ᾱ` of the step after; 0 at the last.
  public let alphasCumprodNext: [Double]
  /// Variance of `q(x_{t-1} | x_t, x_0)` (Ho et al. 2020, equation 7).
  public let posteriorVariance: [Double]
  /// Its logarithm, with the first value (log 0) replaced by the second; of a process of one step, by that of
  /// `smallestVariance`.
  public let posteriorLogVarianceClipped: [Double]
  /// Coefficient of `x_0` in the posterior mean.
  public let posteriorMeanCoef1: [Double]
  /// Coefficient of `x_t` in the posterior mean.
  public let posteriorMeanCoef2: [Double]

  /// What a process of one step has for its posterior variance of 0: the floor of Ho et al.'s own program. With its
  /// logarithm, minus infinity, a learned variance would be NaN.
  static let smallestVariance = 1e-20

  /// Number of steps.
  public var steps: Int { betas.count }
  /// `sqrt(ᾱ_t)`.
  public var sqrtAlphasCumprod: [Double] { alphasCumprod.map { $0.squareRoot() } }
  /// `sqrt(1 - ᾱ_t)`.
  public var sqrtOneMinusAlphasCumprod: [Double] { alphasCumprod.map { (1 - $0).squareRoot() } }
  /// `ln(1 - ᾱ_t)`.
  public var logOneMinusAlphasCumprod: [Double] { alphasCumprod.map { log(1 - $0) } }
  /// `sqrt(1 / ᾱ_t)`.
  public var sqrtRecipAlphasCumprod: [Double] { alphasCumprod.map { (1 / $0).squareRoot() } }
  /// `sqrt(1 / ᾱ_t - 1)`.
  public var sqrtRecipm1AlphasCumprod: [Double] { alphasCumprod.map { (1 / $0 - 1).squareRoot() } }

  /// A process of `steps` steps, or of those that `respacing` keeps of them.
  ///
  /// The shortened process has `β' = 1 - ᾱ_i / ᾱ_last` over the kept steps, so that it passes through the
  /// same noise levels.
  public init(
    schedule: NoiseSchedule = .linear, steps: Int = 1000, respacing: TimestepRespacing? = nil,
    meanType: MeanType = .epsilon, varianceType: VarianceType = .learnedRange, rescaleTimesteps: Bool = false
  ) {
    let respacing = respacing ?? TimestepRespacing(all: steps)
    precondition(
      respacing.originalSteps == steps,
      "a respacing of \(respacing.originalSteps) steps for a process of \(steps)")
    self.meanType = meanType
    self.varianceType = varianceType
    self.rescaleTimesteps = rescaleTimesteps
    timestepMap = respacing.timesteps
    originalSteps = steps

    let original = Self.cumulativeProduct(schedule.betas(steps: steps).map { 1 - $0 })
    var last = 1.0
    let betas = respacing.timesteps.map { step in
      defer { last = original[step] }
      return 1 - original[step] / last
    }
    precondition(
      schedule.betas(steps: steps).allSatisfy { $0 > 0 && $0 <= 1 },
      "a \(schedule) schedule of \(steps) steps has variances outside 0 to 1")
    self.betas = respacing.timesteps.count == steps ? schedule.betas(steps: steps) : betas
    let alphas = self.betas.map { 1 - $0 }
    let cumulative = Self.cumulativeProduct(alphas)
    let previous = [1] + cumulative.dropLast()
    let terms = zip(self.betas, zip(cumulative, previous))
    let variance = terms.map { beta, bars in beta * (1 - bars.1) / (1 - bars.0) }
    alphasCumprod = cumulative
    alphasCumprodPrev = previous
    alphasCumprodNext = cumulative.dropFirst() + [0]
    posteriorVariance = variance
    posteriorLogVarianceClipped = variance.indices.map {
      log(variance.count > 1 ? variance[max($0, 1)] : Self.smallestVariance)
    }
    posteriorMeanCoef1 = terms.map { beta, bars in beta * bars.1.squareRoot() / (1 - bars.0) }
    posteriorMeanCoef2 = zip(alphas, zip(cumulative, previous)).map { alpha, bars in
      (1 - bars.1) * alpha.squareRoot() / (1 - bars.0)
    }
  }

  /// The time that the network sees at each of the given steps.
  public func modelTimesteps(_ t: [Int]) -> [Float] {
    t.map { step in
      let original = Float(timestepMap[step])
      return rescaleTimesteps ? original * (1000 / Float(originalSteps)) : original
    }
  }

  private static func cumulativeProduct(_ values: [Double]) -> [Double] {
    var product = 1.0
    return values.map {
      product *= $0
      return product
    }
  }
}
