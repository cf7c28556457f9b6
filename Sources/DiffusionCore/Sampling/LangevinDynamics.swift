import Foundation
import TensorCore

// x: [N, …], N chains

/// Samples of a density that is known by its score, the gradient of its logarithm:
/// `x ← x + κ/2 ∇ log p(x) + √κ ε` (Rossky et al. 1978; Welling and Teh 2011).
///
/// Steps of finite size shift the density: a unit normal comes out with the variance `1 / (1 - κ/4)`. With the
/// correction of Metropolis and Hastings (Roberts and Tweedie 1996, "MALA") it comes out as it is.
public struct LangevinDynamics: Sendable, Equatable {
  /// κ, the variance of the noise of a step.
  public var stepSize: Double

  /// - Precondition: the step is above 0.
  public init(stepSize: Double) {
    precondition(stepSize > 0, "Langevin dynamics with steps of \(stepSize)")
    self.stepSize = stepSize
  }

  /// Runs all chains side by side.
  /// - Parameters:
  ///   - start: where the chains begin, `[N, …]`
  ///   - steps: of every chain
  ///   - random: each chain has a stream of its own
  ///   - score: `∇ log p` at every chain's place, of the shape of `start`
  ///   - visit: called after every step
  /// - Returns: where the chains end
  public func run(
    from start: Tensor, steps: Int, random: Philox, score: (Tensor) throws -> Tensor,
    visit: (_ step: Int, _ x: Tensor) throws -> Void = { _, _ in }
  ) rethrows -> Tensor {
    var generators = streams(random, chains: start.shape[0])
    var x = start
    for step in 0..<steps {
      x = proposal(from: x, score: try score(x), noise: noise(like: x, &generators))
      try visit(step, x)
    }
    return x
  }

  /// Runs all chains side by side, each step accepted or not.
  /// - Parameters:
  ///   - start: where the chains begin, `[N, …]`
  ///   - steps: of every chain, accepted or not
  ///   - random: each chain has a stream of its own
  ///   - density: score and logarithm of the density, up to a constant, at every chain's place
  ///   - visit: called after every step
  /// - Returns: where the chains end, and the share of steps that were accepted
  public func runCorrected(
    from start: Tensor, steps: Int, random: Philox,
    density: (Tensor) throws -> (score: Tensor, logDensity: [Double]),
    visit: (_ step: Int, _ x: Tensor) throws -> Void = { _, _ in }
  ) rethrows -> (x: Tensor, accepted: Double) {
    let chains = start.shape[0]
    var generators = streams(random, chains: chains)
    var x = start
    var here = try density(x)
    var accepted = 0
    for step in 0..<steps {
      let proposed = proposal(from: x, score: here.score, noise: noise(like: x, &generators))
      let there = try density(proposed)
      // Toward a place and back again: the proposals are not symmetric.
      let forward = logProposal(proposed, from: x, score: here.score)
      let backward = logProposal(x, from: proposed, score: there.score)
      let accepts = (0..<chains).map { n in
        let ratio = there.logDensity[n] - here.logDensity[n] + backward[n] - forward[n]
        return log(Double(generators[n].uniform())) < ratio
      }
      accepted += accepts.filter { $0 }.count
      x = choose(accepts, proposed, x)
      here.score = choose(accepts, there.score, here.score)
      for n in 0..<chains where accepts[n] { here.logDensity[n] = there.logDensity[n] }
      try visit(step, x)
    }
    return (x, Double(accepted) / Double(max(1, steps * chains)))
  }

  // MARK: Parts

  private func streams(_ random: Philox, chains: Int) -> [Philox] {
    (0..<chains).map { random.split(UInt64($0)) }
  }

  private func noise(like x: Tensor, _ generators: inout [Philox]) -> Tensor {
    let size = x.count / max(1, generators.count)
    return Tensor(shape: x.shape) { noise in
      for n in generators.indices { generators[n].fillNormal(noise + n * size, count: size) }
    }
  }

  private func proposal(from x: Tensor, score: Tensor, noise: Tensor) -> Tensor {
    precondition(score.shape == x.shape, "score \(score.shape) of \(x.shape)")
    let (drift, spread) = (Float(stepSize / 2), Float(stepSize.squareRoot()))
    return x + score * drift + noise * spread
  }

  /// `log q(y | x)` of every chain, up to a constant.
  private func logProposal(_ y: Tensor, from x: Tensor, score: Tensor) -> [Double] {
    let chains = x.shape[0]
    let size = x.count / max(1, chains)
    return withPointers(y, x, score) { y, x, score in
      (0..<chains).map { n in
        var sum = 0.0
        for i in n * size..<(n + 1) * size {
          let distance = Double(y[i]) - Double(x[i]) - stepSize / 2 * Double(score[i])
          sum += distance * distance
        }
        return -sum / (2 * stepSize)
      }
    }
  }

  /// The chains of one tensor where they were accepted, else those of the other.
  private func choose(_ accepts: [Bool], _ yes: Tensor, _ no: Tensor) -> Tensor {
    let size = yes.count / max(1, accepts.count)
    return Tensor(shape: yes.shape) { y in
      withPointers(yes, no) { yes, no in
        for n in accepts.indices {
          (y + n * size).update(from: (accepts[n] ? yes : no) + n * size, count: size)
        }
      }
    }
  }
}

extension GaussianDiffusion {
  /// Pictures by Langevin dynamics with the network's score, `-ε̂ / sqrt(1 - ᾱ)`, from much noise to little (Song and
  /// Ermon 2019, Algorithm 1; the noise levels are those of this process).
  /// - Parameters:
  ///   - start: `[N, C, …]`
  ///   - stepsPerLevel: at every step of the process; the last levels, of little noise, need many
  ///   - stepFactor: κ of a level is this times `1 - ᾱ`
  ///   - random: each level, and in it each chain, has a stream of its own
  ///   - network: the predicted noise at noisy pictures and the times that the network sees
  ///   - progress: called after every level
  /// - Precondition: the network predicts the noise.
  public func annealedLangevin(
    from start: Tensor, stepsPerLevel: Int = 1, stepFactor: Double = 0.1, random: Philox,
    network: (_ x: Tensor, _ timesteps: [Float]) throws -> Tensor,
    progress: (_ t: Int, _ x: Tensor) throws -> Void = { _, _ in }
  ) rethrows -> Tensor {
    precondition(meanType == .epsilon, "a score from a network that predicts \(meanType)")
    var x = start
    for step in (0..<steps).reversed() {
      let t = [Int](repeating: step, count: x.shape[0])
      let variance = 1 - alphasCumprod[step]
      x = try LangevinDynamics(stepSize: stepFactor * variance).run(
        from: x, steps: stepsPerLevel, random: random.split(UInt64(step)),
        score: { x in
          let (noise, _) = split(try network(x, modelTimesteps(t)), like: x, t: t)
          return noise * Float(-1 / variance.squareRoot())
        }, visit: { _, _ in })
      try progress(step, x)
    }
    return x
  }
}
