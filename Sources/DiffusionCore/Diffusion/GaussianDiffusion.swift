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
  /// Variance of `q(x_{t-1} | x_t, x_0)` (Ho et al. 2020, equation 7); of latent diffusion perhaps moved towards `β`.
  public let posteriorVariance: [Double]
  /// Its logarithm, with the first value (log 0) replaced by the second; of a process of one step, by that of
  /// `smallestVariance`. Of latent diffusion, at least the latter.
  public let posteriorLogVarianceClipped: [Double]
  /// Coefficient of `x_0` in the posterior mean.
  public let posteriorMeanCoef1: [Double]
  /// Coefficient of `x_t` in the posterior mean.
  public let posteriorMeanCoef2: [Double]

  /// What a process of one step has for its posterior variance of 0: the floor of Ho et al.'s own program. With its
  /// logarithm, minus infinity, a learned variance would be NaN.
  package static let smallestVariance = 1e-20

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
    let all = schedule.betas(steps: steps)
    precondition(
      all.allSatisfy { $0 > 0 && $0 <= 1 },
      "a \(schedule) schedule of \(steps) steps has variances outside 0 to 1")
    let original = Self.cumulativeProduct(all.map { 1 - $0 })
    var last = 1.0
    let kept = respacing.timesteps.map { step in
      defer { last = original[step] }
      return 1 - original[step] / last
    }
    self.init(
      betas: respacing.timesteps.count == steps ? all : kept, timestepMap: respacing.timesteps,
      originalSteps: steps, meanType: meanType, varianceType: varianceType,
      rescaleTimesteps: rescaleTimesteps, betaShare: 0
    ) { variance in
      variance.indices.map { log(variance.count > 1 ? variance[max($0, 1)] : Self.smallestVariance) }
    }
  }

  /// A process of given variances with a fixed reverse variance between posterior and `β`, as latent diffusion has it
  /// (`DDPM.register_schedule` of latent-diffusion).
  ///
  /// Here the logarithm of the posterior variance is that of 1e-20 where it is less, rather than that of the second step.
  /// - Parameters:
  ///   - betas: `β_t`, above 0 and below 1 each
  ///   - meanType: what the network predicts
  ///   - betaShare: v from 0 to 1: the reverse variance is `(1 - v) β̃ + v β`
  public init(betas: [Double], meanType: MeanType = .epsilon, betaShare: Double = 0) {
    precondition(
      !betas.isEmpty && betas.allSatisfy { $0 > 0 && $0 < 1 } && (0...1).contains(betaShare),
      "\(betas.count) variances outside 0 to 1, or a share \(betaShare) of them")
    self.init(
      betas: betas, timestepMap: Array(betas.indices), originalSteps: betas.count, meanType: meanType,
      varianceType: .fixedSmall, rescaleTimesteps: false, betaShare: betaShare
    ) { variance in
      variance.map { log(max($0, Self.smallestVariance)) }
    }
  }

  private init(
    betas: [Double], timestepMap: [Int], originalSteps: Int, meanType: MeanType, varianceType: VarianceType,
    rescaleTimesteps: Bool, betaShare: Double, logVariance: (_ variance: [Double]) -> [Double]
  ) {
    self.meanType = meanType
    self.varianceType = varianceType
    self.rescaleTimesteps = rescaleTimesteps
    self.timestepMap = timestepMap
    self.originalSteps = originalSteps
    self.betas = betas
    let alphas = betas.map { 1 - $0 }
    let cumulative = Self.cumulativeProduct(alphas)
    let previous = [1] + cumulative.dropLast()
    let terms = zip(betas, zip(cumulative, previous))
    let posterior = terms.map { beta, bars in beta * (1 - bars.1) / (1 - bars.0) }
    let variance =
      betaShare == 0 ? posterior : zip(posterior, betas).map { (1 - betaShare) * $0 + betaShare * $1 }
    alphasCumprod = cumulative
    alphasCumprodPrev = previous
    alphasCumprodNext = cumulative.dropFirst() + [0]
    posteriorVariance = variance
    posteriorLogVarianceClipped = logVariance(variance)
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
