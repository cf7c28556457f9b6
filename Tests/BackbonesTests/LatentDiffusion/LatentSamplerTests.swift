import Backbones
import Base
import DiffusionCore
import Synchronization
import TensorCore
import TestSupport
import Testing

/// Samplers with the best network that there is for numbers that are normal with a mean and a deviation: the one whose
/// noise is `sqrt(1 - ᾱ) (x - sqrt(ᾱ) m) / (ᾱ s² + 1 - ᾱ)`.
struct LatentSamplerTests {
  static let methods: [LatentSampler.Method] = [
    .ancestral(), .ddim(steps: 50), .ddim(steps: 50, eta: 1), .ddim(steps: 20, eta: 0.5, spacing: .quadratic),
    .plms(steps: 20),
  ]
  private let mean = 0.3
  private let deviation = 0.5
  private let process = try! GaussianDiffusion(.linear())

  private func network(_ latents: Tensor, _ timesteps: [Float], _ context: Tensor?) -> Tensor {
    let size = latents.count / timesteps.count
    let shifts = context.map { $0.elements.map(Double.init) }
    return Tensor(
      latents.elements.enumerated().map { place, x in
        let bar = process.alphasCumprod[Int(timesteps[place / size])]
        let scale = (1 - bar).squareRoot() / (bar * deviation * deviation + 1 - bar)
        return Float(scale * (Double(x) - bar.squareRoot() * (shifts?[place / size] ?? mean)))
      }, shape: latents.shape)
  }

  private func moments(_ x: [Float]) -> (mean: Double, deviation: Double) {
    let mean = x.reduce(0) { $0 + Double($1) } / Double(x.count)
    let variance = x.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(x.count)
    return (mean, variance.squareRoot())
  }

  @Test(arguments: [LatentSampler.Method.ancestral(), .ddim(steps: 200, eta: 1), .plms(steps: 20)])
  func findsTheDistribution(method: LatentSampler.Method) throws {
    let sampler = try LatentSampler(process, method: method)
    let numbers = Mutex([Int]())
    let latents = try sampler.sample(count: 1, shape: [1, 60, 60], seed: 3, network: network) { _, step in
      numbers.withLock { $0.append(step.number) }
    }
    let found = moments(latents.elements)
    #expect(abs(found.mean - mean) < 0.03)
    #expect(abs(found.deviation / deviation - 1) < 0.05)
    let expected = sampler.steps?.timesteps.count ?? 1000
    #expect(numbers.withLock { $0 } == Array(1...expected))
  }

  /// The path without noise is a differential equation whose solution is known: what is `d` deviations away stays so.
  @Test func plmsFollowsThePathMoreClosely() throws {
    let start = Tensor([-2, -1, 0.5, 1.5], shape: [1, 1, 2, 2])
    func worst(_ method: LatentSampler.Method) throws -> Double {
      let sampler = try LatentSampler(process, method: method)
      let end = try sampler.sample(from: start, stepNoise: { _, _ in start }, network: network)
      /// Deviations from the mean at a step.
      func place(_ x: Float, _ bar: Double) -> Double {
        (Double(x) - bar.squareRoot() * mean) / (bar * deviation * deviation + 1 - bar).squareRoot()
      }
      let first = process.alphasCumprod[sampler.steps!.timesteps.last!]
      return zip(start.elements, end.elements).map {
        abs(place($0, first) - place($1, process.alphasCumprod[0]))
      }.max()!
    }
    let (ddim, plms) = (try worst(.ddim(steps: 50)), try worst(.plms(steps: 50)))
    #expect(plms < ddim / 5, "\(plms) and \(ddim)")
    #expect(ddim < 0.2)
  }

  /// A latent depends on seed and number alone, not on batch or threads; and each has its own context.
  @Test(arguments: methods)
  func latentsOfANumber(method: LatentSampler.Method) throws {
    let method = method == .ancestral() ? .ancestral(steps: 40) : method
    let context = Tensor([-0.8, -0.4, 0, 0.4, 0.8], shape: [5, 1, 1])
    let none = Tensor([0.1], shape: [1, 1, 1])
    let condition = try LatentCondition(context: context, unconditional: none, guidanceScale: 2)
    func latents(batch: Int) throws -> Tensor {
      let sampler = try LatentSampler(process, method: method, batch: batch)
      return try sampler.sample(
        count: 5, shape: [2, 3, 4], seed: 9, condition: condition, network: network)
    }
    let expected = try latents(batch: 5)
    for batch in [1, 2, 16] {
      let all = try withThreadCounts([1, 3]) { try latents(batch: batch) }
      #expect(all.allSatisfy { $0 == expected }, "batch \(batch)")
    }
    #expect(Set((0..<5).map { expected.slice($0).elements }).count == 5)
    let one = try LatentSampler(process, method: method).sample(
      count: 1, shape: [2, 3, 4], seed: 10, condition: LatentCondition(context: none), network: network)
    #expect(one.slice(0) != expected.slice(0))
  }

  /// Guidance leads away from what the unconditional context gives, in one call with it in front.
  @Test func guidance() throws {
    let sampler = try LatentSampler(process, method: .ddim(steps: 1))
    let x = Tensor(zeros: [2, 1, 1, 1])
    func last(_ scale: Double, unconditional: Tensor?) throws -> ([Float], [Int]) {
      var batches: [Int] = []
      let condition = try LatentCondition(
        context: Tensor([3, 5], shape: [2, 1, 1]), unconditional: unconditional, guidanceScale: scale)
      let end = try sampler.sample(
        from: x, condition: condition, stepNoise: { _, _ in x },
        network: { latents, _, context in
          batches.append(latents.shape[0])
          return context!.reshaped(latents.shape)
        })
      return (end.elements, batches)
    }
    let none = Tensor([1, 2], shape: [2, 1, 1])
    let (plain, guided) = (try last(1, unconditional: none), try last(2.5, unconditional: none))
    #expect(plain.1 == [2] && guided.1 == [4])
    // The step is proportional to the noise: 3 and 5, or 1 + 2.5 · 2 and 2 + 2.5 · 3.
    #expect(abs(guided.0[0] / plain.0[0] - 6 / 3) < 1e-5 && abs(guided.0[1] / plain.0[1] - 9.5 / 5) < 1e-5)
    #expect(throws: DataError.self) { try last(2.5, unconditional: nil) }
  }

  @Test func cleanLatentsFromACodebook() throws {
    let vectors: [[Float]] = [[0.5, -0.5], [-0.5, 1]]
    for method in Self.methods {
      var sampler = try LatentSampler(process, method: method)
      sampler.codebook = Codebook(vectors: Tensor(vectors.flatMap { $0 }, shape: [2, 2]))
      var last: Tensor?
      _ = try sampler.sample(count: 1, shape: [2, 2, 2], seed: 1, network: network) { last = $1.predXStart }
      let pixels = last!.channelsLast.elements
      #expect((0..<4).allSatisfy { vectors.contains(Array(pixels[2 * $0..<2 * $0 + 2])) })
    }
  }

  @Test(arguments: methods)
  func cancelled(method: LatentSampler.Method) async throws {
    let sampler = try LatentSampler(process, method: method)
    let outcome = await Task { () -> (DataError.Kind?, Int) in
      let steps = Mutex(0)
      do throws(DataError) {
        _ = try await sampler.sample(
          count: 2, shape: [1, 2, 2], seed: 5, network: { latents, _, _ in latents },
          progress: { _, _ in
            steps.withLock { $0 += 1 }
            withUnsafeCurrentTask { $0?.cancel() }
          })
        return (nil, 0)
      } catch {
        return (error.kind, steps.withLock { $0 })
      }
    }.value
    #expect(outcome == (.cancelled, 1))
  }

  @Test func samplersThatCannotBe() throws {
    let clean = try GaussianDiffusion(.linear(), meanType: .startX)
    #expect(throws: Never.self) { try LatentSampler(clean, method: .ancestral()) }
    for method in Self.methods.dropFirst() {
      let error = #expect(throws: DataError.self) { try LatentSampler(clean, method: method) }
      #expect(error?.kind == .unsupported)
    }
    for steps in [0, -1, 1001, .min] {
      #expect(throws: DataError.self) { try LatentSampler(process, method: .ancestral(steps: steps)) }
      #expect(throws: DataError.self) { try LatentSampler(process, method: .plms(steps: steps)) }
    }
    for batch in [0, .min] {
      let error = #expect(throws: DataError.self) {
        try LatentSampler(process, method: .ancestral(), batch: batch)
      }
      #expect(error?.file == "batch")
    }
  }

  @Test func conditions() throws {
    let table = Tensor((0..<12).map(Float.init), shape: [4, 3])
    let condition = try LatentCondition(
      classes: [2, 0], embedding: table, unconditionalClass: 3, guidanceScale: 2)
    #expect(condition.context == Tensor([6, 7, 8, 0, 1, 2], shape: [2, 1, 3]))
    #expect(condition.unconditional == Tensor([9, 10, 11, 9, 10, 11], shape: [2, 1, 3]))
    for (classes, none) in [([4], 0), ([-1], 0), ([0], 4)] {
      let error = #expect(throws: DataError.self) {
        try LatentCondition(classes: classes, embedding: table, unconditionalClass: none)
      }
      #expect(error?.item == "class")
    }
    let tokens = Tensor(zeros: [2, 5, 3])
    #expect(throws: DataError.self) { try LatentCondition(context: Tensor(zeros: [2, 3])) }
    for shape in [[2, 4, 3], [3, 5, 3], [5, 3]] {
      #expect(throws: DataError.self) {
        try LatentCondition(context: tokens, unconditional: Tensor(zeros: shape))
      }
    }
    #expect(throws: DataError.self) {
      try LatentCondition(context: tokens, unconditional: tokens, guidanceScale: .nan)
    }
  }
}
