import Augment
import Base
import Checkpoints
import DiffusionSegmentation
import Foundation
import Images
import TensorCore
import TestSupport
import Testing
import Training

@testable import Backbones

/// Trainings of all kinds on squares at random places of larger pictures.
struct CropPretrainingTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for index in 0..<3 {
      try TinyWorld.scene(index, width: 40, height: 30).0.write(
        to: "\(folder.folder("pictures"))/p\(index).png")
    }
  }

  private static let random = PictureCrop.random(.factor(0.7))

  /// As many bytes of pictures as are given are kept.
  private func pictures(
    _ crop: PictureCrop, keepsWhole: Bool = false, cacheBytes: Int = 2000
  ) throws -> UnlabelledImages {
    try UnlabelledImages(
      directory: folder.path("pictures"), imageSize: 8, keepsWhole: keepsWhole, crop: crop,
      cacheBytes: cacheBytes)
  }

  private static let diffusion: DiffusionPretrainingSettings = {
    var settings = DiffusionPretrainingSettings()
    settings.imageSize = 8
    (settings.channelMult, settings.residualBlocks, settings.attentionResolutions) = ([1], 1, [])
    settings.trainer.batch = 4
    settings.crop = random
    return settings
  }()

  private static let mae: MAEPretrainingSettings = {
    var settings = MAEPretrainingSettings()
    (settings.imageSize, settings.patchSize) = (8, 2)
    settings.encoder = MAEConfiguration.Stack(channels: 24, depth: 1, heads: 3, hidden: 48)
    settings.decoder = MAEConfiguration.Stack(channels: 16, depth: 1, heads: 2, hidden: 32)
    settings.trainer.batch = 4
    settings.crop = random
    return settings
  }()

  private static let autoencoder: AutoencoderPretrainingSettings = {
    var settings = AutoencoderPretrainingSettings()
    (settings.imageSize, settings.channelMult, settings.latentChannels) = (8, [1, 1], 2)
    settings.trainer.batch = 4
    settings.crop = random
    return settings
  }()

  private static func latent(_ stage: String) throws -> LatentDiffusionPretrainingSettings {
    var settings = LatentDiffusionPretrainingSettings()
    settings.firstStage = try FirstStage(contentsOf: stage)
    settings.imageSize = 8
    (settings.channels, settings.channelMult, settings.residualBlocks) = (32, [1], 1)
    settings.attentionResolutions = [4]
    settings.trainer.batch = 4
    settings.crop = random
    return settings
  }

  private func pretraining<Settings: PretrainingSettings>(
    _ settings: Settings, _ name: String, resumes: Bool = false
  ) throws -> Pretraining<Settings> {
    var pretraining = try Pretraining(
      settings: settings, folder: PretrainingFolder(folder.path(name)), resumes: resumes)
    pretraining.schedule.samples.every = 0
    (pretraining.schedule.samples.count, pretraining.schedule.samples.samplingSteps) = (1, 1)
    return pretraining
  }

  private func train<Settings: PretrainingSettings>(
    _ settings: Settings, _ name: String, to steps: Int, resumes: Bool = false
  ) throws {
    var training = try pretraining(settings, name, resumes: resumes)
    try training.run(
      on: pictures(settings.crop, keepsWhole: Settings.usesWholePictures), limit: .init(steps: steps))
  }

  private func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: folder.path(path)))
  }

  /// By 1 thread without a break, by 4 with one, at which squares waited that were cut in advance.
  @Test func trainingsGoOnToTheBit() throws {
    func check<Settings: PretrainingSettings>(_ settings: Settings, _ name: String) throws {
      try Threads.withCount(1) { try train(settings, "\(name)-whole", to: 5) }
      try Threads.withCount(4) {
        try train(settings, name, to: 2)
        try train(settings, name, to: 5, resumes: true)
      }
      let last = "checkpoints/step-00000005.safetensors"
      #expect(try bytes("\(name)/\(last)") == bytes("\(name)-whole/\(last)"), "\(name)")
      // The squares decide, and are said in the model's file.
      var middle = settings
      middle.crop = .centre
      try train(middle, "\(name)-middle", to: 5)
      func model(_ name: String) throws -> Checkpoint {
        try Checkpoint(contentsOf: folder.path("\(name)/model.safetensors"))
      }
      #expect(try PretrainingFolder.crop(model(name).metadata) == Self.random)
      #expect(try PretrainingFolder.crop(model("\(name)-middle").metadata) == .centre)
      let weights = try [name, "\(name)-middle"].map {
        try model($0).tensors.map { $0.array.tensor().elements }
      }
      let isSame = weights[0] == weights[1]
      #expect(!isSame, "\(name)")
    }
    try check(Self.diffusion, "diffusion")
    try check(Self.mae, "mae")
    try check(Self.autoencoder, "autoencoder")
    try check(Self.latent(folder.path("autoencoder/model.safetensors")), "latent")
  }

  /// Another place, scale or width of a pixel than in the checkpoint, by its name.
  @Test func otherSquaresAreRefused() throws {
    try train(Self.diffusion, "model", to: 1)
    func error(_ crop: PictureCrop) -> DataError? {
      var settings = Self.diffusion
      settings.crop = crop
      return #expect(throws: DataError.self) { try pretraining(settings, "model", resumes: true) }
    }
    let scale = error(.random(.factor(0.5)))
    #expect(scale?.kind == .invalidArgument && scale?.item == "scale" && scale?.found == "0.5")
    #expect(scale?.expected == "0.7, as in the checkpoint")
    #expect(error(.random(.pixelSize(0.7)))?.item == "pixel_size")
    #expect(error(.centre)?.item == "crop")
    #expect(throws: DataError.self) {
      var settings = Self.diffusion
      settings.crop = .random(.factor(0))
      _ = try pretraining(settings, "other")
    }
    _ = try pretraining(Self.diffusion, "model", resumes: true)
  }

  /// Checkpoints from before there were squares at random places are of squares in the middle.
  @Test func earlierCheckpointsGoOn() throws {
    var settings = Self.diffusion
    settings.crop = .centre
    try train(settings, "model", to: 1)
    let path = folder.path("model/checkpoints/step-00000001.safetensors")
    let checkpoint = try Checkpoint(contentsOf: path)
    var writer = SafetensorsWriter(metadata: checkpoint.metadata)
    #expect(writer.metadata.removeValue(forKey: "dseg.train.crop") == "centre")
    for tensor in checkpoint.tensors { writer.append(tensor.name, tensor.array) }
    try writer.write(to: path)
    #expect(try pretraining(settings, "model", resumes: true).trainer.state.step == 1)
    let error = #expect(throws: DataError.self) {
      try pretraining(Self.diffusion, "model", resumes: true)
    }
    #expect(error?.item == "crop" && error?.found == "random")
  }

  /// Masked autoencoders see parts of the squares: no more of a picture than lies in one, and from all over it.
  @Test func masked() throws {
    var image = Image(width: 64, height: 64)
    for y in 0..<64 { for x in 0..<64 { image[x, y] = RGB(UInt8(4 * x), 0, 0) } }
    try image.write(to: "\(folder.folder("shades"))/a.png")
    func spans(_ crop: PictureCrop) throws -> [ClosedRange<Float>] {
      var settings = Self.mae
      (settings.crop, settings.statistics) = (crop, .imagenet)
      var goal = settings.objective()
      goal.sequence.pictures = try UnlabelledImages(
        directory: folder.path("shades"), imageSize: 8, keepsWhole: true, crop: crop)
      let shown = try goal.batch(16, step: 0, random: Philox(seed: 1)).pictures.channelsFirst
      return (0..<16).map { n in
        let red = shown.slice(n).elements.prefix(64).map { ($0 * 0.229 + 0.485) * 255 }
        return red.min()!...red.max()!
      }
    }
    func length(_ range: ClosedRange<Float>) -> Float { range.upperBound - range.lowerBound }
    let (squares, wholes) = (try spans(.random(.factor(1))), try spans(.centre))
    #expect(squares.allSatisfy { length($0) < 32 } && wholes.allSatisfy { length($0) > 60 })
    let starts = squares.map(\.lowerBound)
    #expect(starts.max()! - starts.min()! > 120, "\(squares)")
  }
}
