import DiffusionCore
import Foundation
import TensorCore
import TestSupport
import Testing

struct LangevinTests {
  /// Mean and covariance of a two-dimensional normal, from all places after the first.
  private struct Moments {
    var count = 0.0
    var sums = [0.0, 0.0]
    var squares = [0.0, 0.0, 0.0]

    mutating func add(_ x: Tensor) {
      let values = x.elements.map(Double.init)
      for n in 0..<x.shape[0] {
        let (a, b) = (values[2 * n], values[2 * n + 1])
        count += 1
        sums = [sums[0] + a, sums[1] + b]
        squares = [squares[0] + a * a, squares[1] + b * b, squares[2] + a * b]
      }
    }

    var mean: [Double] { sums.map { $0 / count } }
    /// Variances, then the covariance.
    var covariance: [Double] {
      [
        squares[0] / count - mean[0] * mean[0], squares[1] / count - mean[1] * mean[1],
        squares[2] / count - mean[0] * mean[1],
      ]
    }
  }

  /// Precision of a normal with mean (1, -2), variances 1 and 2, and covariance 0.5.
  private func normal(_ x: Tensor) -> (score: Tensor, logDensity: [Double]) {
    let determinant = 1.0 * 2 - 0.5 * 0.5
    let precision = (2 / determinant, 1 / determinant, -0.5 / determinant)
    let values = x.elements.map(Double.init)
    var (score, log) = ([Float](), [Double]())
    for n in 0..<x.shape[0] {
      let (a, b) = (values[2 * n] - 1, values[2 * n + 1] + 2)
      let (first, second) = (precision.0 * a + precision.2 * b, precision.2 * a + precision.1 * b)
      score += [Float(-first), Float(-second)]
      log.append(-0.5 * (a * first + b * second))
    }
    return (Tensor(score, shape: x.shape), log)
  }

  @Test(arguments: [false, true])
  func findsMeanAndCovariance(isCorrected: Bool) {
    let dynamics = LangevinDynamics(stepSize: 0.05)
    var moments = Moments()
    let start = Tensor(zeros: [1000, 2])
    func visit(_ step: Int, _ x: Tensor) { if step >= 300 { moments.add(x) } }
    if isCorrected {
      let (_, accepted) = dynamics.runCorrected(
        from: start, steps: 3000, random: Philox(seed: 1), density: normal, visit: visit)
      #expect(accepted > 0.9 && accepted < 1)
    } else {
      _ = dynamics.run(
        from: start, steps: 3000, random: Philox(seed: 1), score: { normal($0).score }, visit: visit)
    }
    for (found, expected) in zip(moments.mean, [1.0, -2]) { #expect(abs(found - expected) < 0.04) }
    for (found, expected) in zip(moments.covariance, [1, 2, 0.5]) { #expect(abs(found - expected) < 0.05) }
  }

  /// A large step enlarges the variance of a unit normal to 1 / (1 - κ/4); the correction takes that away.
  @Test func correctionRemovesTheBias() {
    let dynamics = LangevinDynamics(stepSize: 1)
    func density(_ x: Tensor) -> (score: Tensor, logDensity: [Double]) {
      (x * -1, x.elements.map { -0.5 * Double($0) * Double($0) })
    }
    func variance(_ run: (Tensor, (Int, Tensor) -> Void) -> Void) -> Double {
      var (sum, count) = (0.0, 0.0)
      run(Tensor(zeros: [500, 1])) { step, x in
        guard step >= 50 else { return }
        for value in x.elements { sum += Double(value) * Double(value) }
        count += Double(x.count)
      }
      return sum / count
    }
    let plain = variance { start, visit in
      _ = dynamics.run(
        from: start, steps: 1000, random: Philox(seed: 2), score: { density($0).score }, visit: visit)
    }
    let corrected = variance { start, visit in
      _ = dynamics.runCorrected(
        from: start, steps: 1000, random: Philox(seed: 2), density: density, visit: visit)
    }
    #expect(abs(plain - 1 / (1 - 0.25)) < 0.02)
    #expect(abs(corrected - 1) < 0.02)
  }

  /// Two modes, 0.3 and 0.7, near enough to go from one to the other.
  @Test func findsTheWeightsOfModes() {
    func score(_ x: Tensor) -> Tensor {
      x.mapped { x in
        let (left, right) = (0.3 * exp(-0.5 * (x + 1.5) * (x + 1.5)), 0.7 * exp(-0.5 * (x - 1.5) * (x - 1.5)))
        return (-(x + 1.5) * left - (x - 1.5) * right) / (left + right)
      }
    }
    var (right, count) = (0, 0)
    _ = LangevinDynamics(stepSize: 0.05).run(
      from: Tensor(zeros: [500, 1]), steps: 3000, random: Philox(seed: 3), score: score
    ) { step, x in
      guard step >= 1000 else { return }
      right += x.elements.filter { $0 > 0 }.count
      count += x.count
    }
    // A little of each mode lies on the other's side.
    let beyond = 0.5 * erfc(1.5 / 2.0.squareRoot())
    let expected = 0.7 * (1 - beyond) + 0.3 * beyond
    #expect(abs(Double(right) / Double(count) - expected) < 0.02)
  }

  /// With the best network for numbers of mean 0.3 and deviation 0.2.
  @Test func annealedFindsTheDistribution() throws {
    let diffusion = GaussianDiffusion(
      steps: 1000, respacing: try TimestepRespacing("100", steps: 1000), varianceType: .fixedSmall)
    var random = Philox(seed: 4)
    let x = try diffusion.annealedLangevin(
      from: random.normal(shape: [50, 1, 6, 6]), stepsPerLevel: 80, random: Philox(seed: 5),
      network: { x, timesteps in
        let bar = diffusion.alphasCumprod[diffusion.timestepMap.firstIndex(of: Int(timesteps[0]))!]
        let scale = (1 - bar).squareRoot() / (bar * 0.04 + 1 - bar)
        return x.mapped { Float(scale * (Double($0) - bar.squareRoot() * 0.3)) }
      })
    let values = x.elements.map(Double.init)
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    #expect(abs(mean - 0.3) < 0.05)
    #expect(abs(variance.squareRoot() - 0.2) < 0.03)
  }

  @Test func chainsDependOnTheirOwnNumbers() throws {
    func end(chains: Int) throws -> [Float] {
      try LangevinDynamics(stepSize: 0.1).run(
        from: Tensor(zeros: [chains, 2]), steps: 5, random: Philox(seed: 6), score: { $0 * -1 }
      ).elements
    }
    #expect(try Array(end(chains: 5).prefix(4)) == end(chains: 2))
  }
}
