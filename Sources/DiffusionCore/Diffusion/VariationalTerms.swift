import Foundation
import TensorCore

// x: [N, C, …]   modelOutput: [N, C or 2C, …]   D: numbers of a picture

/// The terms of the variational bound, in bits per dimension: `KL(q(x_{t-1} | x_t, x_0) ‖ p)` for t > 0, and
/// `-log p(x_0 | x_1)` for t = 0, of 256 grey levels (`_vb_terms_bpd` of the reference, without clipping).
///
/// In double precision: where the network predicts well, the term is a small difference of large numbers.
struct VariationalTerms {
  private let diffusion: GaussianDiffusion
  private let modelOutput: Tensor
  private let xStart: Tensor
  private let xT: Tensor
  private let t: [Int]

  init(_ diffusion: GaussianDiffusion, modelOutput: Tensor, xStart: Tensor, xT: Tensor, t: [Int]) {
    var expected = xT.shape
    if diffusion.varianceType.isLearned { expected[1] *= 2 }
    precondition(
      modelOutput.shape == expected,
      "output \(modelOutput.shape) of a network for pictures \(xT.shape), variance \(diffusion.varianceType)")
    self.diffusion = diffusion
    self.modelOutput = modelOutput
    self.xStart = xStart
    self.xT = xT
    self.t = t
  }

  /// The term of one sample; adds its gradient, times a factor, to that of the sample's output.
  /// - Parameter movesMean: whether the prediction of the mean takes part in the gradient
  func add(
    sample n: Int, factor: Double, movesMean: Bool, to gradient: UnsafeMutablePointer<Float>
  ) -> Double {
    let size = xT.count / t.count
    let step = ReverseStep(diffusion, t: t[n])
    let scale = 1 / (log(2) * Double(size))
    let isLearned = diffusion.varianceType.isLearned
    let outputSize = isLearned ? 2 * size : size
    return withPointers(modelOutput, xStart, xT) { output, xStart, xT in
      let (output, xStart, xT) = (output + n * outputSize, xStart + n * size, xT + n * size)
      var sum = 0.0
      for i in 0..<size {
        let (start, noised) = (Double(xStart[i]), Double(xT[i]))
        let mean = step.mean(prediction: Double(output[i]), xT: noised)
        let logVariance = step.logVariance(output: isLearned ? Double(output[size + i]) : 0)
        let (value, meanSlope, varianceSlope) = step.term(
          xStart: start, xT: noised, mean: mean, logVariance: logVariance)
        sum += value
        if movesMean { gradient[i] += Float(factor * scale * meanSlope * step.meanSlope) }
        if isLearned { gradient[size + i] += Float(factor * scale * varianceSlope * step.varianceSlope) }
      }
      return sum * scale
    }
  }
}

/// One step of the reverse process for single numbers, with the slopes that gradients need.
struct ReverseStep {
  private let isFirst: Bool
  private let meanType: GaussianDiffusion.MeanType
  private let varianceType: GaussianDiffusion.VarianceType
  /// `x_0 = fromXT · x_t + fromPrediction · prediction`
  private let fromXT: Double
  private let fromPrediction: Double
  private let coef1: Double
  private let coef2: Double
  private let posteriorLogVariance: Double
  /// What a fixed variance is, and the largest that an interpolated one can be.
  private let upperLogVariance: Double

  init(_ diffusion: GaussianDiffusion, t: Int) {
    isFirst = t == 0
    (meanType, varianceType) = (diffusion.meanType, diffusion.varianceType)
    (coef1, coef2) = (diffusion.posteriorMeanCoef1[t], diffusion.posteriorMeanCoef2[t])
    let bar = diffusion.alphasCumprod[t]
    switch meanType {
    case .epsilon: (fromXT, fromPrediction) = ((1 / bar).squareRoot(), -(1 / bar - 1).squareRoot())
    case .startX, .previousX: (fromXT, fromPrediction) = (0, 1)
    }
    posteriorLogVariance = diffusion.posteriorLogVarianceClipped[t]
    switch varianceType {
    case .fixedSmall: upperLogVariance = posteriorLogVariance
    case .fixedLarge: upperLogVariance = log(diffusion.fixedLargeVariance(t))
    case .learned, .learnedRange: upperLogVariance = log(diffusion.betas[t])
    }
  }

  func mean(prediction: Double, xT: Double) -> Double {
    if meanType == .previousX { return prediction }
    return coef1 * (fromXT * xT + fromPrediction * prediction) + coef2 * xT
  }

  /// Slope of the mean at the prediction.
  var meanSlope: Double { meanType == .previousX ? 1 : coef1 * fromPrediction }

  func logVariance(output: Double) -> Double {
    switch varianceType {
    case .learned: output
    case .learnedRange:
      posteriorLogVariance + (output + 1) / 2 * (upperLogVariance - posteriorLogVariance)
    case .fixedSmall, .fixedLarge: upperLogVariance
    }
  }

  /// Slope of the log-variance at the output.
  var varianceSlope: Double {
    switch varianceType {
    case .learned: 1
    case .learnedRange: (upperLogVariance - posteriorLogVariance) / 2
    case .fixedSmall, .fixedLarge: 0
    }
  }

  /// One number's term in nats, and its slopes at the mean and at the log-variance.
  func term(
    xStart: Double, xT: Double, mean: Double, logVariance: Double
  ) -> (value: Double, meanSlope: Double, varianceSlope: Double) {
    if isFirst {
      let grey = DiscretizedGaussian(x: xStart, mean: mean, logScale: 0.5 * logVariance)
      return (-grey.logLikelihood, -grey.meanSlope, -0.5 * grey.logScaleSlope)
    }
    let trueMean = coef1 * xStart + coef2 * xT
    let slopes = normalKLSlopes(
      mean1: trueMean, logVariance1: posteriorLogVariance, mean2: mean, logVariance2: logVariance)
    return (
      normalKL(
        mean1: trueMean, logVariance1: posteriorLogVariance, mean2: mean, logVariance2: logVariance),
      slopes.mean, slopes.logVariance
    )
  }
}
