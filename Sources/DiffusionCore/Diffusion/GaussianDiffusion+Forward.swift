import Foundation
import TensorCore

// x, noise: [N, …]   t: N steps

extension GaussianDiffusion {
  /// A noised picture, `x_t = sqrt(ᾱ_t) x_0 + sqrt(1 - ᾱ_t) ε` (Ho et al. 2020, equation 4).
  /// - Parameters:
  ///   - xStart: `[N, …]`, usually in [-1, 1]
  ///   - t: one step a sample
  ///   - noise: standard normal, of the shape of `xStart`
  public func qSample(xStart: Tensor, t: [Int], noise: Tensor) -> Tensor {
    combine(
      xStart, t.map { alphasCumprod[$0].squareRoot() }, noise, t.map { (1 - alphasCumprod[$0]).squareRoot() })
  }

  /// Mean, variance and log-variance of `q(x_t | x_0)`, the last two one number a sample.
  public func qMeanVariance(xStart: Tensor, t: [Int]) -> (mean: Tensor, variance: Tensor, logVariance: Tensor)
  {
    (
      combine(xStart, t.map { alphasCumprod[$0].squareRoot() }, xStart, t.map { _ in 0 }),
      perSample(t.map { 1 - alphasCumprod[$0] }), perSample(t.map { log(1 - alphasCumprod[$0]) })
    )
  }

  /// Mean, variance and clipped log-variance of the posterior `q(x_{t-1} | x_t, x_0)` (Ho et al. 2020,
  /// equations 6 and 7), the last two one number a sample.
  public func qPosteriorMeanVariance(
    xStart: Tensor, xT: Tensor, t: [Int]
  ) -> (mean: Tensor, variance: Tensor, logVarianceClipped: Tensor) {
    (
      combine(xStart, t.map { posteriorMeanCoef1[$0] }, xT, t.map { posteriorMeanCoef2[$0] }),
      perSample(t.map { posteriorVariance[$0] }), perSample(t.map { posteriorLogVarianceClipped[$0] })
    )
  }

  /// `a · scale + b · otherScale` with one pair of scales a sample, rounded to single precision first as the
  /// reference's `_extract_into_tensor` does.
  func combine(_ a: Tensor, _ scales: [Double], _ b: Tensor, _ otherScales: [Double]) -> Tensor {
    precondition(
      a.shape == b.shape && a.rank >= 1 && a.shape[0] == scales.count,
      "\(scales.count) steps for pictures \(a.shape) and \(b.shape)")
    let size = scales.isEmpty ? 0 : a.count / scales.count
    return Tensor(shape: a.shape) { y in
      withPointers(a, b) { a, b in
        for n in scales.indices {
          let (first, second) = (Float(scales[n]), Float(otherScales[n]))
          for index in n * size..<(n + 1) * size { y[index] = a[index] * first + b[index] * second }
        }
      }
    }
  }

  private func perSample(_ values: [Double]) -> Tensor {
    Tensor(values.map { Float($0) }, shape: [values.count])
  }
}
