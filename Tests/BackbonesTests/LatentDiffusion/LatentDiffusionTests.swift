import Backbones
import Base
import Checkpoints
import DiffusionCore
import DiffusionSegmentation
import Features
import Images
import TensorCore
import TestSupport
import Testing

/// Latent diffusion models as a backbone, beside the known answers.
struct LatentDiffusionTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func checkpoint(_ model: RandomLatentModel = .init(), prefix: String = "state_dict/") throws
    -> Checkpoint
  {
    try checkpoint(model.tensors(), prefix: prefix)
  }

  private func checkpoint(_ tensors: [NamedTensor], prefix: String = "state_dict/") throws -> Checkpoint {
    try RandomLatentModel.write(tensors, to: folder.path("model.safetensors"), prefix: prefix)
    return try Checkpoint(contentsOf: folder.path("model.safetensors"))
  }

  private func features(
    _ checkpoint: Checkpoint, _ settings: [String: String] = [:], notices: Notices = Notices()
  ) throws -> any ModelFeatures {
    try BackboneRegistry.standard.features(
      of: checkpoint, settings: settings.merging(["image-size": "32"]) { given, _ in given }, notices: notices
    )
  }

  private func error(_ checkpoint: Checkpoint, _ settings: [String: String] = [:]) -> DataError? {
    #expect(throws: DataError.self) { try features(checkpoint, settings) }
  }

  private func picture(_ height: Int = 32, _ width: Int = 32) -> Tensor {
    var random = Philox(seed: 9)
    return random.normal(shape: [3, height, width]) * 0.5
  }

  @Test(arguments: [nil, 6])
  func defaultsAndSizes(codes: Int?) throws {
    for prefix in ["", "state_dict/", "module."] {
      let features = try features(try checkpoint(RandomLatentModel(codes: codes), prefix: prefix))
      #expect(features.layout.map(\.channels) == [64, 64, 64, 64, 64, 64])
      #expect(features.layout.map(\.stride) == [4, 2, 4, 2, 4, 2])
      #expect(features.record.kind == "latent-diffusion" && features.input.multiple == 4)
      let maps = try features.extract(picture(32, 48))
      #expect(maps.maps.map(\.width) == [12, 24, 12, 24, 12, 24])
      #expect(maps.maps.allSatisfy { $0.tensor.elements.allSatisfy(\.isFinite) })
    }
  }

  /// The U-Net's blocks at a noised latent, put together by hand.
  @Test func featuresAreThoseOfTheNoisedLatent() throws {
    let checkpoint = try checkpoint()
    var options = LatentDiffusionOptions()
    options.imageSize = 32
    let model = try LatentDiffusion(checkpoint, options: options)
    let latent = model.latents(of: picture().reshaped([1, 3, 32, 32]))
    #expect(latent.shape == [1, 3, 16, 16] && model.scaleFactor == 0.5)
    let noise = FeatureNoise.shared(seed: 4).sharedTensor(channels: 3, size: 16)!
    let tables = RandomLatentModel.tables()
    let x = latent * tables[0].tensor.elements[250] + noise * tables[1].tensor.elements[250]
    let expected = model.network.activations(x, timesteps: [250], outputBlocks: [2])[0]
    let features = try features(checkpoint, ["steps": "250", "blocks": "2", "noise-seed": "4"])
    let found = try features.extract(picture()).maps[0].tensor
    expectClose(found, NaiveTensor(expected.channelsFirst.slice(0)), absolute: 1e-5)
  }

  @Test func recordsGiveTheSameFeatures() throws {
    let checkpoint = try checkpoint(RandomLatentModel(contextChannels: 8))
    try NpyFile.write(
      NumericArray((0..<16).map { Float($0) / 16 }, shape: [1, 2, 8]), to: folder.path("context.npy"))
    let settings = [
      ["context": "zero", "noise": "per-image"], ["context": folder.path("context.npy"), "noises": "2"],
    ]
    for settings in settings {
      let chosen = try features(checkpoint, settings.merging(["blocks": "1,3", "steps": "10"]) { a, _ in a })
      let notices = Notices()
      let again = try BackboneRegistry.standard.features(
        of: checkpoint, record: chosen.record, source: "record", notices: notices)
      #expect(again.record == chosen.record && notices.all.isEmpty)
      let (one, other) = (try chosen.extract(picture(), name: "a"), try again.extract(picture(), name: "a"))
      #expect(one.maps.map(\.tensor) == other.maps.map(\.tensor))
      let redrawn = try chosen.redrawn(seed: 5, draws: 4).extract(picture(), name: "a")
      #expect(redrawn.maps[0].tensor != one.maps[0].tensor)
    }
  }

  @Test func goesThroughThePipeline() throws {
    let world = try TinyWorld(pictures: 4, width: 48, height: 40)
    let features = try features(try checkpoint(), ["steps": "50"])
    let segmenter = try Segmenter.train(
      on: world.labelled(), features: features, options: .init(members: 2, epochs: 3, maxEpochs: 3))
    #expect(try segmenter.evaluate(on: world.labelled()).confusion.meanIoU(.ledm) > 0.6)
    let path = folder.path("segmenter.safetensors")
    try segmenter.write(to: path)
    let image = try Image(contentsOf: "\(world.images)/scene1.png")
    #expect(try Segmenter(contentsOf: path).segment(image).labels == segmenter.segment(image).labels)
  }

  // MARK: What the network is told

  @Test func classesChangeTheFeatures() throws {
    let checkpoint = try checkpoint(RandomLatentModel(contextChannels: 8, classes: 1001))
    let notices = Notices()
    let guessed = try features(checkpoint, notices: notices)
    #expect(guessed.record.selection["class"] == "1000")
    #expect(notices.all.contains { $0.text.contains("it is told 1000") })
    let other = try features(checkpoint, ["class": "3"])
    #expect(try guessed.extract(picture()).maps[0].tensor != other.extract(picture()).maps[0].tensor)
    #expect(error(checkpoint, ["class": "1001"])?.expected == "0 to 1000")
    let told = try BackboneRegistry.standard.features(
      of: checkpoint, record: other.record, source: "record", changes: ["context": "zero"])
    #expect(told.record.selection["class"] == nil && told.record.selection["context"] == "zero")
  }

  /// A network with classes of its own is told the one that was chosen.
  @Test func classesOfTheNetworkChangeTheFeatures() throws {
    var model = RandomLatentModel()
    model.network.classCount = 5
    let checkpoint = try checkpoint(model)
    let settings: [[String: String]] = [[:], ["class": "0"], ["class": "3"]]
    let features = try settings.map { try self.features(checkpoint, $0) }
    let maps = try features.map { try $0.extract(picture()).maps[0].tensor }
    #expect(maps[0] == maps[1] && maps[1] != maps[2])
    #expect(features[2].record.selection["class"] == "3")
    #expect(error(checkpoint, ["class": "5"])?.expected == "0 to 4")
  }

  @Test func noiseIsDrawnAnew() throws {
    let features = try self.features(checkpoint())
    let redrawn = features.redrawn(seed: 5, draws: 2)
    #expect(redrawn.record.selection["noises"] == "2" && features.record.selection["noises"] == "1")
    let maps = try [features, features.redrawn(seed: 5, draws: nil), redrawn].map {
      try $0.extract(picture()).maps[0].tensor
    }
    #expect(maps[0] != maps[1] && maps[1] != maps[2])
  }

  @Test(arguments: ["npy", "npz", "safetensors"])
  func contextsAreFiles(ending: String) throws {
    let checkpoint = try checkpoint(RandomLatentModel(contextChannels: 8))
    let array = NumericArray((0..<24).map { Float($0) / 24 }, shape: [3, 8])
    let path = folder.path("context.\(ending)")
    switch ending {
    case "npy": try NpyFile.write(array, to: path)
    case "npz": try NpzFile.write([NamedArray(name: "anything", array: array)], to: path)
    default:
      var writer = SafetensorsWriter()
      writer.append("other", Tensor([1], shape: [1]))
      writer.append("context", array)
      try writer.write(to: path)
    }
    let features = try features(checkpoint, ["context": path])
    #expect(features.record.tensors["context"]?.shape == [3, 8])
    #expect(
      error(try self.checkpoint(RandomLatentModel(contextChannels: 4)), ["context": path])?.expected
        == "shape [tokens, 4]")
  }

  @Test func contextsThatDoNotFit() throws {
    let textual = try checkpoint(RandomLatentModel(contextChannels: 8))
    #expect(error(textual)?.expected.contains("[tokens, 8]") == true)
    #expect(error(textual, ["class": "1"])?.file == "class")
    #expect(error(try checkpoint(), ["context": "zero"])?.expected.contains("none") == true)
    #expect(error(try checkpoint(), ["class": "1"])?.file == "--class")
    try NpyFile.write(NumericArray([Float.nan], shape: [1, 1]), to: folder.path("nan.npy"))
    #expect(error(textual, ["context": folder.path("nan.npy")])?.expected == "finite numbers")
    try NpyFile.write(NumericArray([Float(1)], shape: [1]), to: folder.path("flat.npy"))
    #expect(
      error(textual, ["context": folder.path("flat.npy")])?.expected.contains("[tokens, numbers]") == true)
    // A record must not make anybody open a file.
    let record = FeatureRecord(
      kind: "latent-diffusion", options: ["image-size": "32"], selection: ["context": folder.path("flat.npy")]
    )
    #expect(throws: DataError.self) {
      try BackboneRegistry.standard.features(of: textual, record: record, source: "record")
    }
  }

  // MARK: Settings

  @Test(arguments: [
    (["image-size": "30"], "a multiple of 4"), (["image-size": "0"], "a multiple of 4"),
    (["steps": "1000"], "0 to 999"), (["steps": "5,5"], "different steps"), (["blocks": "4"], "3: 32@16"),
    (["heads": "3"], "divides the channels"), (["head-channels": "48"], "one of 1, 2, 4"),
    (["scale-factor": "0"], "above 0"), (["scale-factor": "-1"], "above 0"), (["noises": "3"], "even number"),
    (["layers": "1"], "scale-factor, beta-start"),
  ])
  func settingsThatDoNotFit(settings: [String: String], expected: String) throws {
    let error = error(try checkpoint(), settings)
    #expect(error?.kind == .invalidArgument && error?.expected.contains(expected) == true, "\(error!)")
  }

  @Test func whatIsGuessedIsSaid() throws {
    let bare = try checkpoint(
      RandomBackbones.tensors(try RandomLatentModel().shapes())
        + RandomLatentModel.tables(scaleFactor: nil).suffix(0))
    let notices = Notices()
    let features = try features(bare, notices: notices)
    #expect(Set(notices.all.map(\.item)) == ["heads", "scale factor", "noise schedule"])
    #expect(notices.all.allSatisfy { $0.kind == .guessed })
    let options = features.record.options
    #expect(options["head-channels"] == "32" && options["scale-factor"] == "1.0")
    #expect(options["beta-start"] == "0.0015" && options["diffusion-steps"] == "1000")
    let told = Notices()
    let settings = [
      "heads": "1", "scale-factor": "0.3", "beta-start": "0.001", "beta-end": "0.02",
      "diffusion-steps": "300",
    ]
    #expect(try self.features(bare, settings, notices: told).record.options["diffusion-steps"] == "300")
    #expect(told.all.isEmpty)
    #expect(error(bare, settings.merging(["steps": "300"]) { a, _ in a })?.expected.contains("299") == true)
    #expect(error(bare, ["beta-end": "1"])?.file == "beta end")
    #expect(error(bare, ["diffusion-steps": "0"])?.file == "diffusion steps")
  }

  @Test func settingsThatTheFileKnows() throws {
    let notices = Notices()
    let settings = ["scale-factor": "0.7", "beta-end": "0.02", "heads": "2"]
    let features = try features(try checkpoint(), settings, notices: notices)
    #expect(Set(notices.all.map(\.kind)) == [.suspicious, .ignored])
    #expect(features.record.options["scale-factor"] == "0.7" && features.record.options["beta-end"] == nil)
  }

  @Test(arguments: [
    ("scale_factor", [0 as Float], [1]), ("scale_factor", [.nan], [1]), ("scale_factor", [1, 2], [2]),
    ("sqrt_alphas_cumprod", [0.5, 2], [2]), ("sqrt_alphas_cumprod", [0.5], [1, 1]),
    ("sqrt_alphas_cumprod", [0.5, 0.4], [2]), ("sqrt_one_minus_alphas_cumprod", [.nan], [1]),
  ])
  func tablesThatAreNone(name: String, values: [Float], shape: [Int]) throws {
    var tensors = try RandomLatentModel().tensors()
    tensors[tensors.firstIndex { $0.name == name }!].tensor = Tensor(values, shape: shape)
    let error = error(try checkpoint(tensors))
    #expect(error?.kind == .malformed && error?.item.hasPrefix("state_dict/s") == true)
  }

  @Test func halfPrecisionLeavesTheScheduleAlone() throws {
    let checkpoint = try checkpoint()
    let path = folder.path("half.safetensors")
    try BackboneRegistry.standard.convert(
      checkpoint, settings: ["image-size": "32", "heads": "2"], to: path, as: .float16)
    let half = try Checkpoint(contentsOf: path)
    #expect(try half.array(named: "sqrt_alphas_cumprod").elementType == .float32)
    #expect(try half.array(named: "model.diffusion_model.out.2.bias").elementType == .float16)
    let features = try BackboneRegistry.standard.features(of: half)
    #expect(features.record.options["heads"] == "2" && features.input.size == 32)
  }
}
