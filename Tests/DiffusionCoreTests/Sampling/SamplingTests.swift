import DiffusionCore
import Foundation
import TensorCore
import TestSupport
import Testing

/// Samplers with the best network that there is for numbers that are normal with a mean and a deviation: the one whose
/// noise is `sqrt(1 - ᾱ) (x - sqrt(ᾱ) m) / (ᾱ s² + 1 - ᾱ)`.
struct SamplingTests {
  let mean = 0.3
  let deviation = 0.2

  private func network(_ diffusion: GaussianDiffusion) -> (Tensor, [Float]) -> Tensor {
    { x, timesteps in
      let bar = diffusion.alphasCumprod[diffusion.timestepMap.firstIndex(of: Int(timesteps[0]))!]
      let scale = (1 - bar).squareRoot() / (bar * deviation * deviation + 1 - bar)
      return x.mapped { Float(scale * (Double($0) - bar.squareRoot() * mean)) }
    }
  }

  private func moments(_ x: Tensor) -> (mean: Double, deviation: Double) {
    let values = x.elements.map(Double.init)
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    return (mean, variance.squareRoot())
  }

  @Test(arguments: [SamplingMethod.ancestral, .ddim(eta: 0), .ddim(eta: 1)])
  func findsTheDistribution(method: SamplingMethod) {
    // Fewer steps would be off by themselves: a hundred by 5 to 13 %.
    let diffusion = GaussianDiffusion(steps: 1000, varianceType: .fixedSmall)
    var random = Philox(seed: 1)
    let start = random.normal(shape: [1, 1, 100, 100])
    var steps = 0
    let x = diffusion.sample(
      from: start, method: method, clipDenoised: false,
      stepNoise: { t in
        var random = Philox(seed: 2).split(UInt64(t))
        return random.normal(shape: start.shape)
      }, network: network(diffusion),
      progress: { step in
        steps += 1
        #expect(step.number == steps && step.t == diffusion.steps - steps)
      })
    let found = moments(x)
    #expect(steps == diffusion.steps)
    #expect(abs(found.mean - mean) < 0.01)
    #expect(abs(found.deviation / deviation - 1) < 0.03)
  }

  /// Noise, picture and noise again.
  @Test func inversionComesBack() throws {
    let diffusion = GaussianDiffusion(steps: 1000, varianceType: .fixedSmall)
    var random = Philox(seed: 3)
    let pictures =
      random.normal(shape: [1, 1, 20, 20]) * Float(deviation)
      + Tensor(
        repeating: Float(mean), shape: [1, 1, 20, 20])
    let noise = try diffusion.invert(pictures, clipDenoised: false, network: network(diffusion))
    #expect(abs(moments(noise).deviation - 1) < 0.1)
    let again = try diffusion.sample(
      from: noise, method: .ddim(eta: 0), clipDenoised: false, stepNoise: { _ in noise },
      network: network(diffusion))
    expectClose(again, NaiveTensor(pictures), absolute: 0.01)
  }
}
