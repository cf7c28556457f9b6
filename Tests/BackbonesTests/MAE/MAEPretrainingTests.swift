import Backbones
import Base
import Checkpoints
import DiffusionSegmentation
import Features
import Images
import TensorCore
import TestSupport
import Testing
import Training

/// The training of masked autoencoders on pictures of a bright disc on a dark ground.
struct MAEPretrainingTests {
  let folder: TemporaryFolder
  let pictures: UnlabelledImages

  init() throws {
    folder = try TemporaryFolder()
    for index in 0..<6 {
      var image = Image(width: 24, height: 18, color: RGB(40, 60, 20))
      for y in 0..<18 {
        for x in 0..<24 where (x - 6 - 2 * index) * (x - 6 - 2 * index) + (y - 9) * (y - 9) < 30 {
          image[x, y] = RGB(220, 180, UInt8(40 * index))
        }
      }
      try image.write(to: "\(folder.folder("pictures"))/p\(index).png")
    }
    pictures = try UnlabelledImages(
      directory: folder.path("pictures"), imageSize: 16, keepsWhole: true)
  }

  private static let settings: MAEPretrainingSettings = {
    var settings = MAEPretrainingSettings()
    settings.imageSize = 16
    settings.encoder = MAEConfiguration.Stack(channels: 24, depth: 2, heads: 3, hidden: 48)
    settings.decoder = MAEConfiguration.Stack(channels: 16, depth: 1, heads: 2, hidden: 32)
    settings.trainer.batch = 6
    settings.trainer.optimizer.learningRate = 3e-3
    return settings
  }()

  private func trainer(
    _ change: (inout MAEPretrainingSettings) -> Void = { _ in }
  ) throws -> Trainer<MAEObjective> {
    var settings = Self.settings
    change(&settings)
    try settings.validate()
    return try Trainer(
      objective: settings.objective(), options: settings.trainer,
      state: TrainingState(parameters: settings.initialParameters()))
  }

  private func bits(_ trainer: Trainer<MAEObjective>) -> [[Float]] {
    trainer.state.parameters.map(\.tensor.elements)
      + trainer.state.moments.flatMap { [$0.mean.elements, $0.square.elements] }
  }

  /// Pixels that are predicted as their mean over all pictures have a loss of 1.
  @Test(arguments: [true, false]) func lossFalls(normalizesPatches: Bool) throws {
    var trainer = try trainer { $0.normalizesPatches = normalizesPatches }
    let losses = try (0..<80).map { _ in try trainer.step(on: pictures).loss }
    let last = losses.suffix(10).reduce(0, +) / 10
    #expect(last < 0.6 * losses[0], "\(losses[0]) to \(last)")
  }

  @Test func threadsDoNotChangeBits() throws {
    let runs = try withThreadCounts([1, 2, 3]) {
      var trainer = try trainer { $0.quarterTurns = true }
      for _ in 0..<2 { _ = try trainer.step(on: pictures) }
      return bits(trainer)
    }
    for run in runs.dropFirst() {
      let isSame = run == runs[0]
      #expect(isSame)
    }
  }

  /// Micro-batches change only how sums are rounded.
  @Test func microBatchesGiveTheSameStep() throws {
    var (whole, parts) = (try trainer(), try trainer { $0.trainer.microBatch = 4 })
    #expect(try abs(whole.step(on: pictures).loss - parts.step(on: pictures).loss) < 1e-5)
    for (a, b) in zip(whole.state.moments, parts.state.moments) {
      let scale = Double(a.mean.elements.map { abs($0) }.max()!)
      expectClose(a.mean, NaiveTensor(b.mean), absolute: 1e-4 * scale + 1e-7)
    }
  }

  /// `initialize_weights` and `param_groups_weight_decay` of the reference.
  @Test func initialWeightsAndDecay() throws {
    let settings = Self.settings
    let parameters = settings.initialParameters()
    let goal = settings.objective()
    func elements(_ name: String) throws -> [Float] {
      try #require(parameters.first { $0.name == name }).tensor.elements
    }
    func largest(_ name: String) throws -> Float { try elements(name).map { abs($0) }.max()! }
    #expect(!parameters.contains { $0.name.hasSuffix("pos_embed") })
    #expect(try elements("blocks.0.norm1.weight").allSatisfy { $0 == 1 })
    #expect(try elements("blocks.1.attn.qkv.bias").allSatisfy { $0 == 0 })
    // Queries, keys and values are one matrix, the patch embedding another.
    let bounds: [(String, Double)] = [
      ("blocks.0.attn.qkv.weight", (6.0 / (24 + 72)).squareRoot()),
      ("patch_embed.proj.weight", (6.0 / (24 + 48)).squareRoot()),
      ("patch_embed.proj.bias", (1.0 / 48).squareRoot()),
    ]
    for (name, bound) in bounds {
      #expect(try Double(largest(name)) <= bound && Double(largest(name)) > 0.8 * bound, "\(name)")
    }
    for name in ["cls_token", "mask_token"] {
      let deviation = try elements(name).reduce(0) { $0 + $1 * $1 } / Float(elements(name).count)
      #expect(abs(deviation.squareRoot() - 0.02) < 0.01, "\(name)")
    }
    let decayed = parameters.filter { goal.decays($0.name, shape: $0.tensor.shape) }.map(\.name)
    #expect(decayed.contains("cls_token") && decayed.contains("mask_token"))
    #expect(!decayed.contains { $0.hasSuffix("bias") || $0.contains("norm") })
  }

  /// From file to file, and to the model's own file, which other code opens without being told anything.
  @Test func folderGoesOnAndItsModelIsABackbone() throws {
    func pretraining(_ name: String, resumes: Bool = false) throws -> Pretraining<MAEPretrainingSettings> {
      var settings = Self.settings
      _ = settings.plan(steps: 6)
      var pretraining = try Pretraining(
        settings: settings, folder: PretrainingFolder(folder.path(name)), pictures: pictures.record,
        resumes: resumes)
      pretraining.schedule.samples.every = 0
      pretraining.schedule.samples.count = 2
      return pretraining
    }
    var whole = try pretraining("whole")
    try whole.run(on: pictures, limit: .init(steps: 6))
    do {
      var first = try pretraining("parts")
      try first.run(on: pictures, limit: .init(steps: 3))
    }
    var second = try pretraining("parts", resumes: true)
    #expect(second.trainer.state.step == 3)
    try second.run(on: pictures, limit: .init(steps: 6))
    let isSame = bits(second.trainer) == bits(whole.trainer)
    #expect(isSame)
    let checkpoint = try Checkpoint(contentsOf: folder.path("whole/model.safetensors"))
    let features = try BackboneRegistry.standard.features(of: checkpoint)
    #expect(features.record.kind == "mae" && features.record.options["heads"] == "3")
    #expect(features.layout.map(\.channels) == [24])
    // The statistics of the first batch went through checkpoint and model.
    #expect(features.input.normalization == whole.trainer.objective.normalization)
    #expect(second.trainer.objective.normalization == whole.trainer.objective.normalization)
    #expect(features.input.normalization != .imageNet)
    // Three pictures in a row, a row each.
    let sheet = try Image(contentsOf: folder.path("whole/samples-00000006.png"))
    #expect(sheet.width > 3 * 128 && sheet.height > 2 * 128)
  }

  /// Grey pictures of little contrast are normalised by that, unless ImageNet's statistics are asked for.
  @Test(arguments: MAEPretrainingSettings.PixelStatistics.allCases)
  func picturesAreNormalisedByTheirOwnStatistics(
    statistics: MAEPretrainingSettings.PixelStatistics
  ) throws {
    var random = Philox(seed: 5)
    for index in 0..<6 {
      var image = Image(width: 24, height: 24, color: .white)
      for y in 0..<24 {
        for x in 0..<24 {
          let level = UInt8(120 + 8 * (x / 12) + Int(random.uniform() * 3))
          image[x, y] = RGB(level, level, level)
        }
      }
      try image.write(to: "\(folder.folder("grey"))/p\(index).png")
    }
    let grey = try UnlabelledImages(directory: folder.path("grey"), imageSize: 16, keepsWhole: true)
    var trainer = try trainer { $0.statistics = statistics }
    #expect((trainer.objective.normalization == nil) == (statistics == .own))
    _ = try trainer.step(on: grey)
    let told = trainer.objective.normalization
    if case .statistics(let mean, let deviation) = told {
      #expect(statistics == .own && Set(mean).count == 1 && Set(deviation).count == 1)
      #expect(abs(mean[0] - 125 / 255) < 0.01 && abs(deviation[0] - 4 / 255) < 0.005)
    } else {
      #expect(statistics == .imagenet && told == .imageNet)
    }
    // Later batches are normalised by what the first one told.
    _ = try trainer.step(on: pictures)
    #expect(trainer.objective.normalization == told)
  }

  @Test func picturesOfOneColourHaveADeviation() {
    let normalization = Normalization(of: [Image(width: 4, height: 4, color: RGB(10, 20, 255))])
    #expect(
      normalization
        == .statistics(mean: [10, 20, 255].map { $0 / 255 }, deviation: [1, 1, 1].map { $0 / 255 }))
  }

  /// What was seen stays as it is, and a network that paints each patch's mean gives the mean.
  @Test func paintsOverWhatWasRemovedAlone() throws {
    let settings = Self.settings
    var parameters = settings.initialParameters()
    for index in parameters.indices where parameters[index].name.hasPrefix("decoder_pred") {
      parameters[index].tensor = Tensor(zeros: parameters[index].tensor.shape)
    }
    let network = try settings.objective().model(parameters)
    var random = Philox(seed: 3)
    let picture = random.normal(shape: [1, 16, 16, 3])
    let mask = TokenMask(noise: (0..<16).map { Float(($0 * 7) % 16) }, ratio: 0.75)
    let painted = network.paint(picture, masks: [mask], normalizesPatches: true)
    let before = MAELoss.patchify(picture, patchSize: 4).elements
    let after = MAELoss.patchify(painted, patchSize: 4).elements
    for (patch, removed) in mask.removed.enumerated() {
      let (old, new) = (before[patch * 48..<(patch + 1) * 48], after[patch * 48..<(patch + 1) * 48])
      let mean = old.reduce(0, +) / 48
      let holds = removed == 1 ? new.allSatisfy { abs($0 - mean) < 1e-5 } : old.elementsEqual(new)
      #expect(holds, "patch \(patch)")
    }
  }

  @Test func settingsThatCannotBe() {
    let changes: [(inout MAEPretrainingSettings) -> Void] = [
      { $0.patchSize = 5 }, { $0.patchSize = 0 }, { $0.imageSize = -4 }, { $0.encoder.heads = 5 },
      { $0.encoder.channels = 18 }, { $0.decoder.depth = 0 }, { $0.maskRatio = 1 }, { $0.maskRatio = 0 },
      { $0.smallestCrop = 0 }, { $0.trainer.cosineSteps = 0 }, { $0.trainer.batch = 0 },
    ]
    for change in changes {
      var settings = Self.settings
      change(&settings)
      #expect(throws: DataError.self) { try settings.validate() }
    }
  }
}
