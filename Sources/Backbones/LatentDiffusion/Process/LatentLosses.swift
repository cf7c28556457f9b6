import DiffusionCore
import Foundation
import TensorCore

// xStart, noise, modelOutput: [N, …]   t: N steps   losses: [N]

/// What the training of a latent diffusion model minimises.
public struct LatentLossOptions: Sendable, Equatable {
  /// How far a prediction is off.
  public enum Norm: String, Sendable, CaseIterable {
    /// Mean of absolute differences.
    case l1
    /// Mean of squared differences.
    case l2
  }

  public var norm = Norm.l2
  /// Weight of the plain loss (`l_simple_weight`).
  public var simpleWeight = 1.0
  /// Weight of the loss by the variational bound (`original_elbo_weight`).
  public var elboWeight = 0.0
  /// Logarithm of the variance that the plain loss is divided by; it is added (`logvar`).
  public var logVariance = 0.0

  public init() {}
}

/// The losses of a batch, and their gradient.
public struct LatentLosses: Sendable {
  /// `simpleWeight · (simple / e^logVariance + logVariance) + elboWeight · elbo`, one a sample.
  public var loss: [Double]
  /// Mean difference of the prediction, by the norm, one a sample.
  public var simple: [Double]
  /// The same times the weight of the step in the variational bound, one a sample.
  public var elbo: [Double]
  /// Gradient of the sum of all losses at the network's output, of its shape.
  public var outputGradient: Tensor
}

extension GaussianDiffusion {
  /// The weight of a step's loss in the variational bound (`lvlb_weights` of latent-diffusion): for noise
  /// `β² / (2 · variance · α (1 - ᾱ))`, for clean latents `½ √ᾱ / (2 - ᾱ)` as the reference has it. The first step has that
  /// of the second.
  public func variationalWeight(_ t: Int) -> Double {
    let t = min(max(t, 1), steps - 1)
    // The reference computes them from tables in single precision.
    func single(_ value: Double) -> Double { Double(Float(value)) }
    let (beta, bar) = (single(betas[t]), single(alphasCumprod[t]))
    if meanType == .startX { return 0.5 * bar.squareRoot() / (2 - bar) }
    let variance = max(single(posteriorVariance[t]), Self.smallestVariance)
    return beta * beta / (2 * variance * single(1 - betas[t]) * (1 - bar))
  }

  /// Losses of a batch (`LatentDiffusion.p_losses`).
  /// - Parameters:
  ///   - modelOutput: at the noised latents, `[N, …]`
  ///   - xStart: clean latents
  ///   - noise: that was added
  ///   - t: one step a sample
  ///   - options: what is minimised
  public func latentLosses(
    modelOutput: Tensor, xStart: Tensor, noise: Tensor, t: [Int], options: LatentLossOptions
  ) -> LatentLosses {
    let target = meanType == .startX ? xStart : noise
    precondition(
      modelOutput.shape == target.shape && xStart.shape == noise.shape && target.shape[0] == t.count
        && meanType != .previousX,
      "losses of \(modelOutput.shape) for \(xStart.shape), \(noise.shape) at \(t.count) steps, \(meanType)")
    let size = t.isEmpty ? 0 : target.count / t.count
    let weights = t.map { variationalWeight($0) }
    let perSimple = options.simpleWeight * exp(-options.logVariance)
    var simple = [Double](repeating: 0, count: t.count)
    let gradient = Tensor(shape: target.shape) { gradient in
      simple.withUnsafeMutableBufferPointer { simple in
        // Each sample writes to places of its own.
        nonisolated(unsafe) let simple = simple
        withPointers(modelOutput, target) { output, target in
          parallelFor(t.count) { n in
            let slope = (perSimple + options.elboWeight * weights[n]) / Double(size)
            simple[n] =
              options.norm.sum(
                output + n * size, target + n * size, count: size, slope: Float(slope),
                gradient: gradient + n * size)
              / Double(size)
          }
        }
      }
    }
    let elbo = zip(simple, weights).map { $0 * $1 }
    return LatentLosses(
      loss: zip(simple, elbo).map {
        perSimple * $0 + options.simpleWeight * options.logVariance + options.elboWeight * $1
      }, simple: simple, elbo: elbo, outputGradient: gradient)
  }
}

extension LatentLossOptions.Norm {
  /// The sum of differences over some numbers; writes their gradient times `slope`. Where two are equal, that of l1 is 0,
  /// as in PyTorch.
  func sum(
    _ x: UnsafePointer<Float>, _ target: UnsafePointer<Float>, count: Int, slope: Float,
    gradient: UnsafeMutablePointer<Float>
  ) -> Double {
    var sum = 0.0
    for i in 0..<count {
      let distance = x[i] - target[i]
      switch self {
      case .l1:
        sum += Double(abs(distance))
        gradient[i] = distance == 0 ? 0 : distance > 0 ? slope : -slope
      case .l2:
        sum += Double(distance * distance)
        gradient[i] = 2 * slope * distance
      }
    }
    return sum
  }
}
