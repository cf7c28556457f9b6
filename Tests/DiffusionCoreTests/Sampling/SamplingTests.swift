import Base
import DiffusionCore
import Foundation
import Synchronization
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
    let again = diffusion.sample(
      from: noise, method: .ddim(eta: 0), clipDenoised: false, stepNoise: { _ in noise },
      network: network(diffusion))
    expectClose(again, NaiveTensor(pictures), absolute: 0.01)
  }

  /// A process of one step is one too: nothing in it is infinite.
  @Test(arguments: GaussianDiffusion.VarianceType.allCases, GaussianDiffusion.MeanType.allCases)
  func oneStep(variance: GaussianDiffusion.VarianceType, mean: GaussianDiffusion.MeanType) throws {
    for respacing in try [nil, TimestepRespacing("1", steps: 1000)] {
      let process = GaussianDiffusion(
        steps: respacing == nil ? 1 : 1000, respacing: respacing, meanType: mean, varianceType: variance)
      var random = Philox(seed: 6)
      let (x, noise) = (random.normal(shape: [2, 3, 4, 4]), random.normal(shape: [2, 3, 4, 4]))
      let output = random.normal(shape: [2, variance.isLearned ? 6 : 3, 4, 4])
      for method in [SamplingMethod.ancestral, .ddim(eta: 0), .ddim(eta: 1)] {
        let sample = process.sample(
          from: noise, method: method, stepNoise: { _ in x }, network: { _, _ in output })
        #expect(sample.elements.allSatisfy { $0.isFinite })
      }
      let start = x * 0.3
      let xT = process.qSample(xStart: start, t: [0, 0], noise: noise)
      for loss in DiffusionLoss.allCases {
        let losses = process.trainingLosses(
          modelOutput: output, xStart: start, xT: xT, noise: noise, t: [0, 0], loss: loss)
        #expect(losses.loss.elements.allSatisfy { $0.isFinite })
        #expect(losses.outputGradient.elements.allSatisfy { $0.isFinite })
      }
    }
  }

  /// Pictures of other channels than three; and networks that predict no noise at all.
  @Test(arguments: [(1, 1), (1, 2), (4, 4), (5, 10), (3, 4), (4, 3), (3, 9), (2, 1)])
  func channelsOfTheNetwork(channels: (in: Int, out: Int)) throws {
    var configuration = UNetConfiguration.tiny
    (configuration.inChannels, configuration.outChannels) = (channels.in, channels.out)
    let network = try randomNetwork(configuration)
    let options = DiffusionOptions(imageSize: 8)
    guard [1, 2].contains(Double(channels.out) / Double(channels.in)) else {
      let error = #expect(throws: DataError.self) {
        try DiffusionSampler(network: network, options: options, steps: 2)
      }
      #expect(error?.item == "output channels" && error?.isAboutContent == true)
      return
    }
    let sampler = try DiffusionSampler(network: network, options: options, steps: 1, batch: 2)
    let pictures = try sampler.sample(count: 3, seed: 1)
    #expect(pictures.shape == [3, channels.in, 8, 8] && pictures.elements.allSatisfy { $0.isFinite })
  }

  @Test func samplingOnAThreadOfItsOwn() async throws {
    let network = try randomNetwork(.tiny)
    let sampler = try DiffusionSampler(network: network, options: DiffusionOptions(imageSize: 8), steps: 3)
    func here() throws -> Tensor { try sampler.sample(count: 2, seed: 5) }
    #expect(try await sampler.sample(count: 2, seed: 5) == here())
    let cancelled = await Task { () -> (DataError.Kind?, Int) in
      let steps = Mutex(0)
      do throws(DataError) {
        _ = try await sampler.sample(count: 2, seed: 5) { _, _ in
          steps.withLock { $0 += 1 }
          withUnsafeCurrentTask { $0?.cancel() }
        }
        return (nil, 0)
      } catch {
        return (error.kind, steps.withLock { $0 })
      }
    }.value
    #expect(cancelled == (.cancelled, 1))
  }

  @Test func aBatchThatIsTooLargeIsRefused() throws {
    let sampler = try DiffusionSampler(
      network: try randomNetwork(.tiny), options: DiffusionOptions(imageSize: 8), steps: 1, batch: 4000)
    let error = MemoryBudget.withBytes(64 << 20) {
      #expect(throws: DataError.self) { try sampler.sample(count: 4000, seed: 0) }
    }
    #expect(error?.file == "batch" && error?.expected.contains("the memory budget") == true)
  }

  @Test(arguments: [0, -1, .min])
  func samplersOfNoPictures(batch: Int) throws {
    let error = #expect(throws: DataError.self) {
      try DiffusionSampler(
        network: try randomNetwork(.tiny), options: DiffusionOptions(imageSize: 8), batch: batch)
    }
    #expect(error?.kind == .invalidArgument)
  }
}
