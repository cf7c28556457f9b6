import Base
import Checkpoints
import DiffusionCore
import Layers
import TensorCore
import TestSupport
import Testing

/// U-Nets that look at a context.
struct TransformerNetworkTests {
  static let configuration = UNetConfiguration(
    modelChannels: 32, outChannels: 3, levelChannels: [32, 64], residualBlocks: 1,
    levelHasAttention: [true, false], usesScaleShiftNorm: true,
    attention: AttentionSettings(heads: .count(2)),
    transformer: TransformerSettings(depth: 2, contextChannels: 5))

  private func context(tokens: Int, samples: Int = 1) -> Tensor {
    var random = Philox(seed: 8)
    return random.normal(shape: [samples, tokens, 5])
  }

  private func picture(samples: Int = 1) -> Tensor {
    var random = Philox(seed: 7)
    return random.normal(shape: [samples, 3, 4, 6])
  }

  /// Several tokens that are the same are looked at as one, which takes a shorter way.
  @Test func oneTokenIsAsSeveralEqualOnes() throws {
    let network = try randomNetwork(Self.configuration)
    let one = context(tokens: 1)
    let three = Tensor(one.elements + one.elements + one.elements, shape: [1, 3, 5])
    let (short, long) = (
      network(picture(), timesteps: [9], context: one), network(picture(), timesteps: [9], context: three)
    )
    expectClose(short, NaiveTensor(long), absolute: 2e-5)
    let other = network(picture(), timesteps: [9], context: context(tokens: 1) * 2)
    #expect(other != short)
  }

  /// A training stops at parameters that no gradient reaches.
  @Test(arguments: [1, 3])
  func gradientsReachEveryParameter(tokens: Int) throws {
    let weights = try randomNetworkTensors(Self.configuration).map {
      NamedTensor(name: $0.name, tensor: $0.array.tensor())
    }
    let network = try UNet(Self.configuration, weights: WeightScope(StateDictionary(weights, file: "")))
    let tape = Tape()
    let seen = context(tokens: tokens)
    let out = network(picture(), timesteps: [9], context: seen, training: TrainingPass(tape: tape))
    expectClose(out, NaiveTensor(network(picture(), timesteps: [9], context: seen)), absolute: 2e-5)
    let gradients = tape.gradients(at: out, Tensor(repeating: 1, shape: out.shape))
    let without = weights.filter { gradients[$0.tensor] == nil }.map(\.name)
    #expect(without == [])
  }

  @Test func samplesHaveContextsOfTheirOwn() throws {
    let network = try randomNetwork(Self.configuration)
    for tokens in [1, 3] {
      let (x, all) = (picture(samples: 2), context(tokens: tokens, samples: 2))
      let together = network(x, timesteps: [9, 400], context: all)
      for (index, t) in [Float(9), 400].enumerated() {
        let alone = network(
          x.slice(index).reshaped([1, 3, 4, 6]), timesteps: [t],
          context: all.slice(index).reshaped([1, tokens, 5]))
        expectClose(alone, NaiveTensor(together.slice(index).reshaped(alone.shape)), absolute: 1e-4)
      }
    }
  }

  /// Gradients at picture and context against differences of the output, along directions.
  @Test(arguments: [1, 3])
  func gradientsOfPictureAndContext(tokens: Int) throws {
    let network = try randomNetwork(Self.configuration)
    let (x, seen) = (picture(), context(tokens: tokens))
    var random = Philox(seed: 6)
    let cotangent = random.normal(shape: [1, 3, 4, 6])
    let tape = Tape()
    let out = network(
      x, timesteps: [9], context: seen, training: TrainingPass(tape: tape, wantsInputGradient: true))
    let gradients = tape.gradients(at: out, cotangent)
    func value(_ x: Tensor, _ context: Tensor) -> Double {
      dot(network(x, timesteps: [9], context: context), cotangent)
    }
    let step: Float = 1.0 / 256
    let (dx, dc) = (random.normal(shape: x.shape), random.normal(shape: seen.shape))
    let slopes = [
      (value(x + dx * step, seen) - value(x - dx * step, seen), gradients[x].map { dot($0, dx) }),
      (value(x, seen + dc * step) - value(x, seen - dc * step), gradients[seen].map { dot($0, dc) }),
    ]
    for (difference, slope) in slopes {
      let expected = difference / Double(2 * step)
      let found = try #require(slope)
      #expect(abs(found - expected) < 0.01 * abs(expected) + 0.01, "\(found) \(expected)")
    }
    #expect(gradients[x]?.shape == x.shape && gradients[seen]?.shape == seen.shape)
  }

  private func dot(_ a: Tensor, _ b: Tensor) -> Double {
    zip(a.elements, b.elements).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  /// Each block begins as the identity, and the whole as nothing.
  @Test func trainingStartsAtZero() throws {
    let parameters = try UNet.initialParameters(Self.configuration, random: Philox(seed: 3))
    for parameter in parameters {
      let isZero = parameter.tensor.elements.allSatisfy { $0 == 0 }
      let ends = ["out_layers.3", "proj_out", "out.2"]
      let layer = parameter.name.split(separator: ".").dropLast().joined(separator: ".")
      let isNorm = parameter.tensor.shape.count == 1 && parameter.name.hasSuffix("bias")
      #expect(isZero == ends.contains { layer.hasSuffix($0) } || (isZero && isNorm), "\(parameter.name)")
    }
    let network = try UNet(
      Self.configuration, weights: WeightScope(StateDictionary(parameters, file: "")))
    let out = network(picture(), timesteps: [9], context: context(tokens: 2))
    #expect(out.elements.allSatisfy { $0 == 0 })
  }

  @Test func headsThatDoNotFit() {
    var configuration = Self.configuration
    for heads in [AttentionSettings.Heads.count(0), .count(33), .channels(40), .channels(-1)] {
      configuration.attention.heads = heads
      let error = #expect(throws: DataError.self) { try configuration.validate() }
      #expect(error?.kind == .invalidArgument && error?.expected.contains("1 to 32") == true)
    }
    for depth in [0, 65] {
      configuration = Self.configuration
      configuration.transformer?.depth = depth
      #expect(throws: DataError.self) { try configuration.validate() }
    }
  }
}
