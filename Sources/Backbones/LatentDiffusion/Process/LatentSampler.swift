import Base
import DiffusionCore
import TensorCore

// latents: [N, C, h, w]

/// Makes latents with a latent diffusion model (`DDIMSampler`, `PLMSSampler` and `p_sample_loop` of latent-diffusion).
/// Nothing is clipped.
public struct LatentSampler: Sendable {
  /// How latents are made from noise.
  public enum Method: Sendable, Equatable {
    /// Step by step along the reverse process (Ho et al. 2020, Algorithm 2).
    /// - Parameter steps: of the process, the last that are undone; nil for all. Fewer are for latents that were noised
    ///   no further.
    case ancestral(steps: Int? = nil)
    /// In fewer steps with less noise, or none (Song et al. 2021).
    case ddim(steps: Int, eta: Double = 0, spacing: DDIMSteps.Spacing = .uniform)
    /// The same without noise, along predictions of several steps (Liu et al. 2022, "Pseudo numerical methods").
    case plms(steps: Int, spacing: DDIMSteps.Spacing = .uniform)
  }

  /// The network's prediction: noise, or with the ancestral method perhaps clean latents.
  /// - Parameters:
  ///   - latents: `[N, C, h, w]`
  ///   - timesteps: one a sample
  ///   - context: `[N, tokens, channels]`; nil without a condition
  public typealias Network =
    (_ latents: Tensor, _ timesteps: [Float], _ context: Tensor?) throws(DataError) -> Tensor

  public let diffusion: GaussianDiffusion
  public let method: Method
  /// Those of DDIM and PLMS.
  public let steps: DDIMSteps?
  /// Latents that are computed together.
  public let batch: Int
  /// Factor of the noise of each step.
  public var temperature = 1.0
  /// What the clean latents of each step are drawn to, `[codes, C]`; nil for nothing.
  public var codebook: Codebook?

  /// - Parameters:
  ///   - diffusion: the process that the network was trained for
  ///   - method: how latents are made
  ///   - batch: latents that are computed together, at least 1
  ///   - notices: told when there will be another number of steps than was asked for
  /// - Throws: `DataError` when there cannot be so many steps or such an η, or DDIM and PLMS are asked of a network that
  ///   predicts no noise.
  public init(
    _ diffusion: GaussianDiffusion, method: Method, batch: Int = 16, notices: Notices = Notices()
  ) throws(DataError) {
    guard batch > 0 else {
      throw DataError(.invalidArgument, file: "batch", expected: "1 or more", found: "\(batch)")
    }
    precondition(!diffusion.varianceType.isLearned, "latents of a process with a learned variance")
    (self.diffusion, self.method, self.batch) = (diffusion, method, batch)
    switch method {
    case .ancestral(let count):
      guard (1...diffusion.steps).contains(count ?? 1) else {
        throw DataError(
          .invalidArgument, file: "sampling steps", expected: "1 to \(diffusion.steps)", found: "\(count!)")
      }
      steps = nil
    case .ddim(let count, let eta, let spacing):
      steps = try DDIMSteps(diffusion, count: count, spacing: spacing, eta: eta, notices: notices)
    case .plms(let count, let spacing):
      steps = try DDIMSteps(diffusion, count: count, spacing: spacing, notices: notices)
    }
    guard steps == nil || diffusion.meanType == .epsilon else {
      throw DataError(
        .unsupported, file: "sampling method",
        expected: "ancestral for a network that predicts clean latents",
        found: "\(method)")
    }
  }

  /// The steps in the order of execution.
  private var order: [Int] {
    if let steps { return steps.timesteps.reversed() }
    guard case .ancestral(let count) = method else { preconditionFailure("\(method) without steps") }
    return (0..<(count ?? diffusion.steps)).reversed()
  }

  /// Latents from noise.
  /// - Parameters:
  ///   - noise: where to begin, `[N, C, h, w]`
  ///   - condition: what the pictures should show, N of them
  ///   - stepNoise: standard normal of the shape of `noise` for a step that adds some; given the number of the step in the
  ///     order of execution, from 0, and the time that it undoes
  ///   - network: the prediction at noisy latents
  ///   - progress: called after every step
  /// - Throws: `DataError` of kind `.cancelled` when the task was cancelled, or what `network` and `progress` throw.
  /// - Returns: `[N, C, h, w]`
  public func sample(
    from noise: Tensor, condition: LatentCondition? = nil,
    stepNoise: (_ number: Int, _ t: Int) -> Tensor, network: Network,
    progress: (SamplingStep) throws(DataError) -> Void = { _ in }
  ) throws(DataError) -> Tensor {
    precondition(
      noise.rank == 4 && condition.map { $0.context.shape[0] == noise.shape[0] } ?? true,
      "latents \(noise.shape) of contexts \(condition?.context.shape ?? [])")
    let order = order
    var x = noise
    /// Predictions of the steps before, the last first.
    var earlier: [Tensor] = []
    for (number, t) in order.enumerated() {
      try Cancellation.check()
      let prediction = try predict(x, t: t, condition, network)
      let result: (sample: Tensor, predXStart: Tensor)
      if let steps {
        let index = order.count - 1 - number
        var epsilon = prediction
        if case .plms = method {
          epsilon = try along(earlier, prediction) { () throws(DataError) in
            let trial = steps.step(index, x: x, epsilon: prediction, noise: nil, replacing: quantized).sample
            return try predict(trial, t: order[min(number + 1, order.count - 1)], condition, network)
          }
          earlier = [prediction] + earlier.prefix(2)
        }
        result = steps.step(
          index, x: x, epsilon: epsilon, noise: steps.sigmas[index] > 0 ? stepNoise(number, t) : nil,
          temperature: temperature, replacing: quantized)
      } else {
        result = ancestralStep(prediction, x: x, t: t, noise: t > 0 ? stepNoise(number, t) : nil)
      }
      x = result.sample
      try progress(SamplingStep(number: number + 1, t: t, sample: x, predXStart: result.predXStart))
    }
    return x
  }

  /// The prediction that a step of PLMS follows: that of Heun's method at first, then of Adams and Bashforth's of as many
  /// steps as there are, up to four.
  /// - Parameter next: the prediction where a step along the first would end
  private func along(
    _ earlier: [Tensor], _ prediction: Tensor, next: () throws(DataError) -> Tensor
  ) throws(DataError) -> Tensor {
    func sum(_ factors: [Float], over divisor: Float) -> Tensor {
      var total = prediction * factors[0]
      for (factor, tensor) in zip(factors.dropFirst(), earlier) {
        total = total.combined(with: tensor) { $0 + factor * $1 }
      }
      return total.mapped { $0 / divisor }
    }
    switch earlier.count {
    case 0: return try prediction.combined(with: next()) { ($0 + $1) / 2 }
    case 1: return sum([3, -1], over: 2)
    case 2: return sum([23, -16, 5], over: 12)
    default: return sum([55, -59, 37, -9], over: 24)
    }
  }

  private func ancestralStep(
    _ prediction: Tensor, x: Tensor, t: Int, noise: Tensor?
  ) -> (sample: Tensor, predXStart: Tensor) {
    let times = [Int](repeating: t, count: x.shape[0])
    let moments = diffusion.pMeanVariance(modelOutput: prediction, xT: x, t: times, clipDenoised: false)
    let xStart = quantized(moments.predXStart)
    let mean =
      codebook == nil
      ? moments.mean : diffusion.qPosteriorMeanVariance(xStart: xStart, xT: x, t: times).mean
    guard let noise else { return (mean, xStart) }
    let scale = Float(diffusion.posteriorVariance[t].squareRoot() * temperature)
    return (mean.combined(with: noise) { $0 + scale * $1 }, xStart)
  }

  /// The prediction, led away from that without a condition (Ho and Salimans 2022): one call with both, the unconditional
  /// one first.
  private func predict(
    _ x: Tensor, t: Int, _ condition: LatentCondition?, _ network: Network
  ) throws(DataError) -> Tensor {
    let count = x.shape[0]
    let times = diffusion.modelTimesteps([Int](repeating: t, count: count))
    guard let condition, let unconditional = condition.unconditional, condition.guidanceScale != 1 else {
      return try network(x, times, condition?.context)
    }
    func joined(_ a: Tensor, _ b: Tensor) -> Tensor {
      stack([a, b]).reshaped([2 * a.shape[0]] + a.shape.dropFirst())
    }
    let both = try network(joined(x, x), times + times, joined(unconditional, condition.context))
    let scale = Float(condition.guidanceScale)
    return both.samples(0..<count).combined(with: both.samples(count..<2 * count)) { $0 + scale * ($1 - $0) }
  }

  private func quantized(_ latents: Tensor) -> Tensor {
    guard let codebook else { return latents }
    let last = latents.channelsLast
    return codebook.vectors(codebook.nearest(last), shape: Array(last.shape.dropLast())).channelsFirst
  }
}
