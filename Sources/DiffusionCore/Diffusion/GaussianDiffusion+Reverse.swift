import Foundation
import TensorCore

// x, noise: [N, C, …]   modelOutput: [N, C or 2C, …]   t: N steps

extension GaussianDiffusion {
  /// What the network's output says about the step before.
  public struct ReverseMoments: Sendable {
    /// Mean of `p(x_{t-1} | x_t)`, `[N, C, …]`.
    public var mean: Tensor
    /// Its variance, `[N, C, …]`.
    public var variance: Tensor
    /// The logarithm of the variance, `[N, C, …]`.
    public var logVariance: Tensor
    /// The clean picture that the output implies, `[N, C, …]`.
    public var predXStart: Tensor
  }

  /// Moments of the reverse step, from the network's output (`p_mean_variance` of the reference).
  /// - Parameters:
  ///   - modelOutput: `[N, C, …]`, or `[N, 2C, …]` when the variance is learned
  ///   - xT: `[N, C, …]`
  ///   - t: one step a sample
  ///   - clipDenoised: clamp the implied clean picture to [-1, 1]
  public func pMeanVariance(
    modelOutput: Tensor, xT: Tensor, t: [Int], clipDenoised: Bool = true
  ) -> ReverseMoments {
    let (prediction, logVariance) = split(modelOutput, like: xT, t: t)
    var xStart: Tensor
    switch meanType {
    case .startX: xStart = prediction
    case .epsilon: xStart = xStartFromEpsilon(xT: xT, t: t, epsilon: prediction)
    case .previousX: xStart = xStartFromPrevious(xT: xT, t: t, previous: prediction)
    }
    if clipDenoised { xStart = xStart.mapped { min(max($0, -1), 1) } }
    let mean =
      meanType == .previousX ? prediction : qPosteriorMeanVariance(xStart: xStart, xT: xT, t: t).mean
    let variance: Tensor
    switch varianceType {
    case .learned, .learnedRange: variance = logVariance.mapped { exp($0) }
    case .fixedSmall: variance = broadcast(t.map { posteriorVariance[$0] }, like: xT)
    case .fixedLarge: variance = broadcast(t.map { fixedLargeVariance($0) }, like: xT)
    }
    return ReverseMoments(mean: mean, variance: variance, logVariance: logVariance, predXStart: xStart)
  }

  /// One ancestral step (Ho et al. 2020, Algorithm 2): mean plus noise of the reverse variance; no noise at
  /// step 0.
  public func pSample(
    modelOutput: Tensor, xT: Tensor, t: [Int], noise: Tensor, clipDenoised: Bool = true
  ) -> (sample: Tensor, predXStart: Tensor) {
    let moments = pMeanVariance(modelOutput: modelOutput, xT: xT, t: t, clipDenoised: clipDenoised)
    let spread = moments.logVariance.combined(with: noise) { exp(0.5 * $0) * $1 }
    let isNoisy = t.map { $0 == 0 ? 0.0 : 1 }
    return (combine(moments.mean, t.map { _ in 1 }, spread, isNoisy), moments.predXStart)
  }

  /// One DDIM step (Song et al. 2021, equations 12 and 16), with the noise derived again from the clamped
  /// clean picture as the reference does.
  /// - Parameters:
  ///   - modelOutput: `[N, C, …]`, or `[N, 2C, …]` when the variance is learned
  ///   - xT: noised pictures, `[N, C, …]`
  ///   - t: one step a sample
  ///   - noise: standard normal, `[N, C, …]`; of no effect when `eta` is 0
  ///   - eta: 0 for the deterministic process, 1 for the variance of the ancestral one
  ///   - clipDenoised: clamp the implied clean picture to [-1, 1]
  public func ddimSample(
    modelOutput: Tensor, xT: Tensor, t: [Int], noise: Tensor, eta: Double = 0, clipDenoised: Bool = true
  ) -> (sample: Tensor, predXStart: Tensor) {
    let xStart = pMeanVariance(modelOutput: modelOutput, xT: xT, t: t, clipDenoised: clipDenoised).predXStart
    let epsilon = epsilonFromXStart(xT: xT, t: t, xStart: xStart)
    let sigma = t.map { step in
      let (bar, previous) = (alphasCumprod[step], alphasCumprodPrev[step])
      return eta * ((1 - previous) / (1 - bar)).squareRoot() * (1 - bar / previous).squareRoot()
    }
    let direction = zip(t, sigma).map { step, sigma in
      max(0, 1 - alphasCumprodPrev[step] - sigma * sigma).squareRoot()
    }
    let mean = combine(xStart, t.map { alphasCumprodPrev[$0].squareRoot() }, epsilon, direction)
    let spread = zip(t, sigma).map { step, sigma in step == 0 ? 0 : sigma }
    return (combine(mean, t.map { _ in 1 }, noise, spread), xStart)
  }

  /// One step of the deterministic DDIM the other way, towards noise:
  /// `x_{t+1} = sqrt(ᾱ_{t+1}) x_0 + sqrt(1 - ᾱ_{t+1}) ε` (Song et al. 2021, section 4.3).
  public func ddimReverseSample(
    modelOutput: Tensor, xT: Tensor, t: [Int], clipDenoised: Bool = true
  ) -> (sample: Tensor, predXStart: Tensor) {
    let xStart = pMeanVariance(modelOutput: modelOutput, xT: xT, t: t, clipDenoised: clipDenoised).predXStart
    let epsilon = epsilonFromXStart(xT: xT, t: t, xStart: xStart)
    let next = t.map { alphasCumprodNext[$0] }
    return (
      combine(xStart, next.map { $0.squareRoot() }, epsilon, next.map { (1 - $0).squareRoot() }), xStart
    )
  }

  /// The clean picture, from the noise: `sqrt(1 / ᾱ) x_t - sqrt(1 / ᾱ - 1) ε`.
  public func xStartFromEpsilon(xT: Tensor, t: [Int], epsilon: Tensor) -> Tensor {
    combine(
      xT, t.map { (1 / alphasCumprod[$0]).squareRoot() }, epsilon,
      t.map { -(1 / alphasCumprod[$0] - 1).squareRoot() })
  }

  /// The noise, from the clean picture: `(sqrt(1 / ᾱ) x_t - x_0) / sqrt(1 / ᾱ - 1)`.
  public func epsilonFromXStart(xT: Tensor, t: [Int], xStart: Tensor) -> Tensor {
    let roots = t.map { (1 / alphasCumprod[$0] - 1).squareRoot() }
    return combine(
      xT, zip(t, roots).map { (1 / alphasCumprod[$0]).squareRoot() / $1 }, xStart, roots.map { -1 / $0 })
  }

  private func xStartFromPrevious(xT: Tensor, t: [Int], previous: Tensor) -> Tensor {
    combine(
      previous, t.map { 1 / posteriorMeanCoef1[$0] }, xT,
      t.map { -posteriorMeanCoef2[$0] / posteriorMeanCoef1[$0] })
  }

  // MARK: Variance

  func fixedLargeVariance(_ t: Int) -> Double {
    t > 0 ? betas[t] : steps > 1 ? posteriorVariance[1] : Self.smallestVariance
  }

  /// The prediction, `[N, C, …]`, and the log-variance of the reverse step, `[N, C, …]`.
  func split(_ modelOutput: Tensor, like xT: Tensor, t: [Int]) -> (Tensor, Tensor) {
    var expected = xT.shape
    if varianceType.isLearned { expected[1] *= 2 }
    precondition(
      modelOutput.shape == expected && xT.shape[0] == t.count,
      "output \(modelOutput.shape) of a network for pictures \(xT.shape) at \(t.count) steps, variance \(varianceType)"
    )
    switch varianceType {
    case .fixedSmall:
      return (modelOutput, broadcast(t.map { posteriorLogVarianceClipped[$0] }, like: xT))
    case .fixedLarge:
      return (modelOutput, broadcast(t.map { log(fixedLargeVariance($0)) }, like: xT))
    case .learned, .learnedRange:
      let size = xT.count / t.count
      func half(_ offset: Int) -> Tensor {
        Tensor(shape: xT.shape) { y in
          withPointers(modelOutput) { output in
            for n in t.indices { (y + n * size).update(from: output + (2 * n + offset) * size, count: size) }
          }
        }
      }
      guard varianceType == .learnedRange else { return (half(0), half(1)) }
      // log variance = frac · log β + (1 - frac) · log posterior, frac = (v + 1) / 2.
      let share = half(1).mapped { ($0 + 1) / 2 }
      let lowest = broadcast(t.map { posteriorLogVarianceClipped[$0] }, like: xT)
      let highest = broadcast(t.map { log(betas[$0]) }, like: xT)
      return (half(0), share * highest + share.mapped { 1 - $0 } * lowest)
    }
  }

  private func broadcast(_ values: [Double], like x: Tensor) -> Tensor {
    let size = values.isEmpty ? 0 : x.count / values.count
    return Tensor(shape: x.shape) { y in
      for (n, value) in values.enumerated() { (y + n * size).update(repeating: Float(value), count: size) }
    }
  }
}
