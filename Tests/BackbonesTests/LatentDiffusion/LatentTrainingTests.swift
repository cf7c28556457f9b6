import Backbones
import Base
import Checkpoints
import DiffusionCore
import Foundation
import TensorCore
import TestSupport
import Testing
import Training

struct LatentTrainingTests {
  private static let unet = UNetConfiguration(
    inChannels: 2, modelChannels: 32, outChannels: 2, levelChannels: [32], residualBlocks: 1,
    levelHasAttention: [false], usesScaleShiftNorm: true, attention: AttentionSettings(heads: .channels(32)))

  private static func options(rate: Double) -> TrainerOptions {
    var options = TrainerOptions()
    options.batch = 6
    options.microBatch = 4
    options.optimizer.learningRate = rate
    options.seed = 7
    return options
  }

  /// Mean of the first and of the last losses.
  private static func ends(_ reports: [TrainingReport]) -> (first: Double, last: Double) {
    func mean(_ part: ArraySlice<TrainingReport>) -> Double {
      part.reduce(0) { $0 + $1.loss } / Double(part.count)
    }
    return (mean(reports.prefix(3)), mean(reports.suffix(3)))
  }

  @Test func anAutoencoderLearns() throws {
    let start = TrainingState(parameters: try tinyAutoencoder().parameters)
    let reports = try zip([1, 2], [3, 16]).map { threads, steps in
      var trainer = try Trainer(
        objective: AutoencoderObjective(configuration: .tiny, imageSize: 8, seed: 7),
        options: Self.options(rate: 2e-3), state: start)
      return try Threads.withCount(threads) {
        try (0..<steps).map { _ in try trainer.step(on: TinySquares()) }
      }
    }
    let ends = Self.ends(reports[1])
    #expect(ends.last < 0.75 * ends.first, "\(ends)")
    #expect(reports[0].map(\.loss) == reports[1].prefix(3).map(\.loss))
    #expect(reports[0].map(\.gradientNorm) == reports[1].prefix(3).map(\.gradientNorm))
    let last = reports[1][15]
    let parts = (last.terms["likelihood"] ?? 0) + 1e-6 * (last.terms["divergence"] ?? 0)
    #expect(abs(last.loss - parts) < 1e-3)
    #expect(abs((last.terms["difference"] ?? 0) * 3 * 64 - (last.terms["likelihood"] ?? 1)) < 1e-3)
  }

  @Test(arguments: zip(LatentLossOptions.Norm.allCases, [GaussianDiffusion.MeanType.epsilon, .startX]))
  func latentDiffusionLearns(norm: LatentLossOptions.Norm, mean: GaussianDiffusion.MeanType) throws {
    var options = LatentTrainingOptions()
    options.loss.norm = norm
    options.loss.elboWeight = 0.01
    options.seed = 7
    let model = try tinyAutoencoder().model
    let parameters = try UNet.initialParameters(Self.unet, random: Philox(seed: 2))
    let reports = try zip([1, 2], [3, 16]).map { threads, steps in
      var trainer = try Trainer(
        objective: LatentDiffusionObjective(
          configuration: Self.unet,
          diffusion: GaussianDiffusion(.sqrtLinear(from: 0.1, to: 0.4), steps: 20, meanType: mean),
          autoencoder: model, scale: 1.5, imageSize: 8, options: options),
        options: Self.options(rate: 3e-3), state: TrainingState(parameters: parameters))
      return try Threads.withCount(threads) {
        try (0..<steps).map { _ in try trainer.step(on: TinySquares()) }
      }
    }
    let ends = Self.ends(reports[1])
    #expect(ends.last < 0.8 * ends.first, "\(ends)")
    #expect(reports[0].map(\.loss) == reports[1].prefix(3).map(\.loss))
    let last = reports[1][15]
    let parts = (last.terms["simple"] ?? 0) + 0.01 * (last.terms["elbo"] ?? 0)
    #expect(abs(last.loss - parts) < 1e-5)
  }

  /// Gradients of the losses, by differences.
  @Test(arguments: LatentLossOptions.Norm.allCases, [GaussianDiffusion.MeanType.epsilon, .startX])
  func gradientsOfLosses(norm: LatentLossOptions.Norm, mean: GaussianDiffusion.MeanType) throws {
    let process = try GaussianDiffusion(.linear(), meanType: mean)
    var random = Philox(seed: 1)
    let shape = [3, 2, 2, 2]
    let (output, start, noise) = (
      random.normal(shape: shape), random.normal(shape: shape), random.normal(shape: shape)
    )
    var options = LatentLossOptions()
    (options.norm, options.elboWeight, options.simpleWeight, options.logVariance) = (norm, 0.3, 0.7, 0.4)
    func losses(_ output: Tensor) -> LatentLosses {
      process.latentLosses(
        modelOutput: output, xStart: start, noise: noise, t: [0, 400, 999], options: options)
    }
    let gradient = losses(output).outputGradient.elements
    for place in [0, 5, 11, 23] {
      var (above, below) = (output.elements, output.elements)
      above[place] += 0.01
      below[place] -= 0.01
      let slope =
        (losses(Tensor(above, shape: shape)).loss.reduce(0, +)
          - losses(Tensor(below, shape: shape)).loss.reduce(0, +)) / Double(above[place] - below[place])
      #expect(abs(slope - Double(gradient[place])) < 1e-4 + 1e-3 * abs(slope), "\(place)")
    }
    let ones = losses(mean == .startX ? start : noise)
    #expect(ones.simple == [0, 0, 0] && ones.outputGradient.elements.allSatisfy { $0 == 0 })
    #expect(ones.loss.allSatisfy { abs($0 - 0.28) < 1e-12 })
  }

  /// Where the logarithm of a variance is clamped, it does not move.
  @Test(arguments: [(Float(-10), true), (-40, false)])
  func clampedVariances(logVariance: Float, moves: Bool) throws {
    let (model, parameters) = try tinyAutoencoder { parameter in
      if parameter.name == "quant_conv.weight" { parameter.tensor = Tensor(zeros: parameter.tensor.shape) }
      if parameter.name == "quant_conv.bias" {
        parameter.tensor = Tensor([0.1, 0.2, logVariance, logVariance], shape: [4])
      }
    }
    var random = Philox(seed: 5)
    let pictures = random.uniform(shape: [2, 8, 8, 3])
    var loss = AutoencoderLoss()
    loss.klWeight = 1
    let tape = Tape()
    let found = loss(model, pictures: pictures, noise: random.normal(shape: [2, 4, 4, 2]), tape: tape)
    let gradients = tape.gradients(at: found.output, Tensor([1, 1], shape: [2]))
    let bias = parameters.first { $0.name == "quant_conv.bias" }!.tensor
    let slopes = try #require(gradients[bias]).elements
    #expect(slopes[0] != 0 && slopes[1] != 0)
    #expect((slopes[2] != 0) == moves && (slopes[3] != 0) == moves)
    // Where the divergence is all that counts: of 32 latents of each channel, mean and ½ (variance - 1).
    loss.klWeight = 1e7
    let other = Tape()
    let heavy = loss(model, pictures: pictures, noise: Tensor(zeros: [2, 4, 4, 2]), tape: other)
    let pulls = try #require(other.gradients(at: heavy.output, Tensor([1, 1], shape: [2]))[bias]).elements
    let pull = moves ? 16 * (exp(Double(logVariance)) - 1) : 0
    for (slope, expected) in zip(pulls, [3.2, 6.4, pull, pull]) {
      #expect(abs(Double(slope) / 1e7 - expected) < 1e-4)
    }
  }

  @Test func theScaleOfAFirstBatch() {
    let latents = Tensor([1, 3, 5, 7], shape: [1, 2, 2, 1])
    #expect(
      Autoencoder.standardizingScale(of: latents).map { abs($0 - 1 / (20.0 / 3).squareRoot()) < 1e-12 }
        == true)
    #expect(Autoencoder.standardizingScale(of: latents * 0) == nil)
  }

  @Test func trainingsThatCannotBe() throws {
    func autoencoder(_ change: (inout AutoencoderConfiguration) -> Void, imageSize: Int = 8) -> DataError? {
      var configuration = AutoencoderConfiguration.tiny
      change(&configuration)
      return #expect(throws: DataError.self) {
        try AutoencoderObjective(
          configuration: configuration, imageSize: imageSize)
      }
    }
    #expect(autoencoder({ $0.bottleneck = .codebook(8) })?.item == "bottleneck")
    #expect(autoencoder({ $0.inChannels = 1 })?.item == "channels")
    #expect(autoencoder({ _ in }, imageSize: 9)?.item == "size")

    let model = try tinyAutoencoder().model
    func diffusion(
      _ change: (inout UNetConfiguration) -> Void, scale: Double = 1, imageSize: Int = 8
    ) -> DataError? {
      var configuration = Self.unet
      change(&configuration)
      return #expect(throws: DataError.self) {
        try LatentDiffusionObjective(
          configuration: configuration, diffusion: GaussianDiffusion(.linear()), autoencoder: model,
          scale: scale, imageSize: imageSize)
      }
    }
    #expect(diffusion({ $0.inChannels = 3 })?.item == "input channels")
    #expect(diffusion({ $0.outChannels = 4 })?.item == "output channels")
    #expect(diffusion({ $0.classCount = 5 })?.found == "5 classes")
    #expect(diffusion({ $0.transformer = TransformerSettings(contextChannels: 4) })?.found == "a context")
    #expect(diffusion({ _ in }, scale: 0)?.file == "scale of latents")
    #expect(diffusion({ _ in }, imageSize: 9)?.item == "size")
    let levels = diffusion {
      ($0.levelChannels, $0.levelHasAttention) = ([32, 32, 32, 32], [false, false, false, false])
    }
    #expect(levels?.item == "side of the latents")
  }
}
