import Foundation
import TensorCore

// x: [N, C, …]   t: N steps   T: steps of the process

/// The variational bound on the likelihood of pictures, taken apart.
public struct BitsPerDimension: Sendable {
  /// All terms and the prior, `[N]`.
  public var total: Tensor
  /// That the noisiest picture is not quite noise, `[N]`.
  public var prior: Tensor
  /// The terms in the order of execution, the last step first, `[N, T]`.
  public var variational: Tensor
  /// Mean squared error of the clean picture, in the same order, `[N, T]`.
  public var xStartError: Tensor
  /// Mean squared error of the noise, in the same order, `[N, T]`.
  public var noiseError: Tensor
}

extension GaussianDiffusion {
  /// The whole bound in bits per dimension (Ho et al. 2020, equation 5; `calc_bpd_loop` of the reference).
  /// - Parameters:
  ///   - xStart: `[N, C, …]`
  ///   - clipDenoised: clamp the implied clean picture to [-1, 1]
  ///   - noise: standard normal for a step, of the shape of `xStart`; called from the last step down
  ///   - network: the output at noised pictures and the times that the network sees
  public func bitsPerDimension(
    _ xStart: Tensor, clipDenoised: Bool = true, noise: (_ t: Int) -> Tensor,
    network: (_ xT: Tensor, _ timesteps: [Float]) -> Tensor
  ) -> BitsPerDimension {
    let batch = xStart.shape[0]
    var (terms, xStartErrors, noiseErrors) = ([[Float]](), [[Float]](), [[Float]]())
    for step in (0..<steps).reversed() {
      let t = [Int](repeating: step, count: batch)
      let noise = noise(step)
      let xT = qSample(xStart: xStart, t: t, noise: noise)
      let moments = pMeanVariance(
        modelOutput: network(xT, modelTimesteps(t)), xT: xT, t: t, clipDenoised: clipDenoised)
      terms.append(variationalTerms(moments, xStart: xStart, xT: xT, t: t))
      let epsilon = epsilonFromXStart(xT: xT, t: t, xStart: moments.predXStart)
      xStartErrors.append(meanPerSample(moments.predXStart, xStart) { ($0 - $1) * ($0 - $1) })
      noiseErrors.append(meanPerSample(epsilon, noise) { ($0 - $1) * ($0 - $1) })
    }
    let prior = priorBitsPerDimension(xStart)
    let total = prior.indices.map { n in prior[n] + terms.reduce(0) { $0 + $1[n] } }
    func columns(_ rows: [[Float]]) -> Tensor {
      Tensor((0..<batch).flatMap { n in rows.map { $0[n] } }, shape: [batch, steps])
    }
    return BitsPerDimension(
      total: Tensor(total, shape: [batch]), prior: Tensor(prior, shape: [batch]),
      variational: columns(terms), xStartError: columns(xStartErrors), noiseError: columns(noiseErrors))
  }

  /// `KL(q(x_{t-1} | x_t, x_0) ‖ p)` of every sample, or the likelihood of the grey levels at t = 0, in bits per
  /// dimension.
  private func variationalTerms(
    _ moments: ReverseMoments, xStart: Tensor, xT: Tensor, t: [Int]
  ) -> [Float] {
    let steps = t.map { ReverseStep(self, t: $0) }
    let size = xT.count / max(t.count, 1)
    return withPointers(moments.mean, moments.logVariance) { mean, logVariance in
      withPointers(xStart, xT) { xStart, xT in
        steps.indices.map { n in
          var sum = 0.0
          for i in n * size..<(n + 1) * size {
            sum +=
              steps[n].term(
                xStart: Double(xStart[i]), xT: Double(xT[i]), mean: Double(mean[i]),
                logVariance: Double(logVariance[i])
              ).value
          }
          return Float(sum / (Double(size) * log(2)))
        }
      }
    }
  }

  /// `KL(q(x_T | x_0) ‖ N(0, 1))` in bits per dimension.
  package func priorBitsPerDimension(_ xStart: Tensor) -> [Float] {
    let last = alphasCumprod[steps - 1]
    let logVariance = log(1 - last)
    return meanPerSample(xStart, xStart) { x, _ in
      normalKL(mean1: x * last.squareRoot(), logVariance1: logVariance, mean2: 0, logVariance2: 0) / log(2)
    }
  }
}

/// The mean over each sample of a function of two numbers.
private func meanPerSample(_ a: Tensor, _ b: Tensor, _ body: (Double, Double) -> Double) -> [Float] {
  let batch = a.shape[0]
  let size = batch > 0 ? a.count / batch : 0
  return withPointers(a, b) { a, b in
    (0..<batch).map { n in
      var sum = 0.0
      for i in n * size..<(n + 1) * size { sum += body(Double(a[i]), Double(b[i])) }
      return Float(sum / Double(size))
    }
  }
}
