import Backbones
import Base
import Checkpoints
import DiffusionCore
import Features
import Images
import TensorCore
import TestSupport
import Testing
import Training

/// Autoencoders and latent diffusion models from pictures to files that other code opens.
struct LatentPretrainingTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let autoencoder: AutoencoderPretrainingSettings = {
    var settings = AutoencoderPretrainingSettings()
    settings.imageSize = 8
    settings.channelMult = [1, 1]
    settings.latentChannels = 2
    settings.trainer.batch = 4
    return settings
  }()

  private static func diffusion(_ stage: FirstStage) -> LatentDiffusionPretrainingSettings {
    var settings = LatentDiffusionPretrainingSettings()
    settings.firstStage = stage
    settings.imageSize = 8
    (settings.channels, settings.channelMult, settings.residualBlocks) = (32, [1], 1)
    settings.attentionResolutions = [4]
    settings.trainer.batch = 4
    return settings
  }

  private func pretraining<Settings: PretrainingSettings>(
    _ settings: Settings, _ name: String, resumes: Bool = false
  ) throws -> Pretraining<Settings> {
    var pretraining = try Pretraining(
      settings: settings, folder: PretrainingFolder(folder.path(name)), resumes: resumes)
    pretraining.schedule.samples.every = 0
    (pretraining.schedule.samples.count, pretraining.schedule.samples.samplingSteps) = (2, 2)
    return pretraining
  }

  private func bits<Goal>(_ trainer: Trainer<Goal>) -> [[Float]] {
    trainer.state.parameters.map(\.tensor.elements) + trainer.state.averages.map(\.tensor.elements)
      + trainer.state.moments.flatMap { [$0.mean.elements, $0.square.elements] }
  }

  /// Trains an autoencoder of two steps.
  private func stage() throws -> FirstStage {
    var training = try pretraining(Self.autoencoder, "stage")
    try training.run(on: TinySquares(), limit: .init(steps: 2))
    return try FirstStage(contentsOf: folder.path("stage/model.safetensors"))
  }

  /// Stops after two steps and goes on; the factor of the latents is that of the first batch.
  @Test func trainingsGoOnToTheBit() throws {
    func check<Settings: PretrainingSettings>(_ settings: Settings, _ name: String) throws {
      var whole = try pretraining(settings, name + "-whole")
      try whole.run(on: TinySquares(), limit: .init(steps: 4))
      do {
        var first = try pretraining(settings, name)
        try first.run(on: TinySquares(), limit: .init(steps: 2))
      }
      var second = try pretraining(settings, name, resumes: true)
      #expect(second.trainer.state.step == 2)
      try second.run(on: TinySquares(), limit: .init(steps: 4))
      let isSame = bits(second.trainer) == bits(whole.trainer)
      #expect(isSame, "\(name)")
    }
    try check(Self.autoencoder, "autoencoder")
    try check(Self.diffusion(stage()), "diffusion")
  }

  /// A file of the published names, which opens without being told anything.
  @Test func theModelIsABackboneAndMakesPictures() throws {
    // Steps so large that the network says something.
    var settings = Self.diffusion(try stage())
    settings.trainer.optimizer.learningRate = 0.02
    settings.trainer.average = ExponentialAverage(decay: 0)
    var training = try pretraining(settings, "model")
    try training.run(on: TinySquares(), limit: .init(steps: 2))
    let scale = try #require(training.trainer.objective.scale)
    let checkpoint = try Checkpoint(contentsOf: folder.path("model/model.safetensors"))
    let notices = Notices()
    let features = try BackboneRegistry.standard.features(
      of: checkpoint, settings: ["steps": "50", "blocks": "0,1"], notices: notices)
    #expect(features.record.kind == "latent-diffusion")
    #expect(features.layout.map(\.channels) == [32, 32] && features.layout.allSatisfy { $0.stride == 2 })
    #expect(!notices.all.contains { $0.kind == .guessed }, "\(notices.all.map(\.text))")
    let model = try LatentDiffusion(
      checkpoint, options: LatentDiffusion.options(of: checkpoint, settings: [:], notices: notices))
    #expect(abs(Double(model.scaleFactor) / scale - 1) < 1e-6)
    #expect(model.diffusion.steps == 1000 && abs(model.diffusion.betas[999] - 0.0195) < 1e-7)
    // The U-Net is the average of the training, the autoencoder the one that was given.
    let picture = Tensor(repeating: 0.3, shape: [1, 3, 8, 8])
    let own = settings.firstStage!.autoencoder.latents(of: picture.channelsLast).channelsFirst
    let isSame = zip(model.latents(of: picture).elements, own.elements).allSatisfy {
      abs($0 - $1 * Float(scale)) < 1e-4 * abs($0) + 1e-6
    }
    #expect(isSame)
    func sheet(
      _ change: (inout LatentDiffusionSampling) -> Void = { _ in }, batch: Int = 3
    ) throws -> Image {
      var sampling = LatentDiffusionSampling()
      sampling.steps = 4
      change(&sampling)
      return try model.sheet(
        SampleRequest(count: 3, seed: 1, batch: batch), settings: sampling, progress: { _ in })
    }
    let first = try sheet()
    #expect(try sheet(batch: 1).width == first.width && sheet() == first)
    #expect(try sheet { $0.eta = 1 } != first)
    #expect(try sheet { $0.sampler = .plms } != first)
    let refused: [(inout LatentDiffusionSampling) -> Void] = [
      { $0.label = 1 }, { $0.guidance = 2 }, { $0.context = .zero }, { $0.steps = 0 }, { $0.steps = 999 },
    ]
    for change in refused { #expect(throws: DataError.self) { try sheet(change) } }
  }

  @Test func settingsThatCannotBe() throws {
    let autoencoders: [(inout AutoencoderPretrainingSettings) -> Void] = [
      { $0.imageSize = 9 }, { $0.imageSize = 0 }, { $0.channels = 20 }, { $0.channelMult = [] },
      { $0.channelMult = [0, 1] }, { $0.residualBlocks = 0 }, { $0.latentChannels = 0 }, { $0.klWeight = -1 },
      { $0.trainer.batch = 0 },
    ]
    for change in autoencoders {
      var settings = Self.autoencoder
      change(&settings)
      #expect(throws: DataError.self) { try settings.validate() }
    }
    #expect(throws: DataError.self) { try LatentDiffusionPretrainingSettings().validate() }
    let models: [(inout LatentDiffusionPretrainingSettings) -> Void] = [
      { $0.imageSize = 9 }, { $0.channels = 20 }, { $0.channelMult = [2] },
      { $0.channelMult = [1, 1, 1, 1] },
      { $0.attentionResolutions = [3] }, { $0.headChannels = 0 }, { $0.betaStart = 0 }, { $0.betaEnd = 1 },
      { $0.diffusionSteps = 0 }, { $0.residualBlocks = 0 },
    ]
    let usual = Self.diffusion(try stage())
    try usual.validate()
    for change in models {
      var settings = usual
      change(&settings)
      #expect(throws: DataError.self) { try settings.validate() }
    }
  }

  /// Counted without the network as with it.
  @Test(arguments: [[1], [1, 2], [1, 2, 4]]) func parameterCount(mult: [Int]) {
    var settings = Self.autoencoder
    (settings.channelMult, settings.residualBlocks) = (mult, 2)
    let counted = settings.initialParameters().reduce(0.0) { $0 + Double($1.tensor.count) }
    let estimate = (settings.trainingBytes / 4 - activationFloats(settings)) / 6
    #expect(abs(estimate / counted - 1) < 0.15, "\(estimate) of \(counted)")
  }

  private func activationFloats(_ settings: AutoencoderPretrainingSettings) -> Double {
    zip(0..., settings.configuration.levelChannels).reduce(0.0) { sum, level in
      let side = Double(settings.imageSize >> level.0)
      return sum + side * side * Double(level.1 * 6 * (2 * settings.residualBlocks + 1))
    } * Double(settings.trainer.batch)
  }

  /// Files that hold no autoencoder, or one that cannot be the first stage.
  @Test func firstStagesThatAreNone() throws {
    try RandomBackbones.write(RandomBackbones.maeShapes(), to: folder.path("mae.safetensors"))
    let error = #expect(throws: DataError.self) { try FirstStage(contentsOf: folder.path("mae.safetensors")) }
    #expect(error?.expected.contains("autoencoder") == true)
    let parameters = Self.autoencoder.initialParameters()
    func write(_ tensors: [NamedTensor]) throws -> String {
      var writer = SafetensorsWriter()
      for tensor in tensors { writer.append(tensor.name, tensor.tensor) }
      try writer.write(to: folder.path("ae.safetensors"))
      return folder.path("ae.safetensors")
    }
    #expect(throws: DataError.self) { try FirstStage(contentsOf: write(Array(parameters.dropLast()))) }
    // A discriminator beside it is told, and left alone.
    let notices = Notices()
    let loss = NamedTensor(name: "loss.discriminator.main.0.weight", tensor: Tensor(zeros: [4, 3, 4, 4]))
    let stage = try FirstStage(contentsOf: write(parameters + [loss]), notices: notices)
    #expect(stage.parameters.count == parameters.count)
    #expect(notices.all.contains { $0.kind == .leftOut && $0.text.contains("1 tensors of a loss") })
  }
}
