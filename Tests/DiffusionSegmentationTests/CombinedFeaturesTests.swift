import Base
import Checkpoints
import DiffusionSegmentation
import Features
import Images
import TensorCore
import TestSupport
import Testing

/// Activations of several models side by side.
struct CombinedFeaturesTests {
  let world: TinyWorld
  let autoencoder: String
  let colors: String

  init() throws {
    world = try TinyWorld(pictures: 3, width: 40, height: 32)
    autoencoder = world.folder.path("mae.safetensors")
    colors = world.folder.path("colors.safetensors")
    try RandomBackbones.write(RandomBackbones.maeShapes(decoder: nil), to: autoencoder)
    var writer = SafetensorsWriter(metadata: ["dseg.image_size": "64"])
    writer.append(MeanColors.anchor, Tensor([1, 4, 16], shape: [3]))
    try writer.write(to: colors)
  }

  private func model(_ path: String, _ settings: [String: String] = [:]) throws -> any ModelFeatures {
    try BackboneRegistry.withToy.features(of: Checkpoint(contentsOf: path), settings: settings)
  }

  private func mae(_ blocks: String = "1,3") throws -> any ModelFeatures {
    try model(autoencoder, ["heads": "3", "blocks": blocks])
  }

  private func scene(size: Int) -> Image {
    TinyWorld.scene(1, width: size, height: size).0
  }

  /// Every model gives what it gives alone, of the picture as it takes it.
  @Test(arguments: [FeaturePrecision.float, .half])
  func eachModelAsAlone(precision: FeaturePrecision) throws {
    let models = [try mae(), try world.features(), try model(colors)]
    let combined = try CombinedFeatures(models)
    let picture = scene(size: 64)
    let maps = try combined.extract(
      picture.tensor(normalization: combined.input.normalization), precision: precision)
    #expect(combined.input.size == 64 && combined.input.multiple == 16)
    #expect(maps.height == 64 && maps.width == 64 && maps.channels == combined.channels)
    #expect(maps.maps.map(\.key) == combined.layout.map(\.key))
    var position = 0
    for model in models {
      let seen =
        model.input.size == 64 ? picture : picture.resized(width: 32, height: 32, filter: .bilinear)
      let alone = try model.extract(
        seen.tensor(normalization: model.input.normalization), precision: precision)
      for map in alone.maps {
        let same = maps.maps[position].tensor == map.tensor
        #expect(same, "\(map.key)")
        position += 1
      }
    }
    #expect(position == maps.maps.count)
  }

  /// Pictures of one size, in the range that each model was trained on.
  @Test func rangesAreThoseOfTheModels() throws {
    let models = [try mae(), try world.features()]
    let combined = try CombinedFeatures(models)
    #expect(models[0].input.size == models[1].input.size)
    #expect(models[0].input.normalization != models[1].input.normalization)
    let picture = scene(size: 32)
    let maps = try combined.extract(picture.tensor(normalization: combined.input.normalization)).maps
    let alone = try models.flatMap {
      try $0.extract(picture.tensor(normalization: $0.input.normalization)).maps
    }
    let same = zip(maps, alone).allSatisfy { $0.tensor == $1.tensor }
    #expect(same && maps.count == alone.count)
  }

  @Test func namesAndStrides() throws {
    let combined = try CombinedFeatures([try mae(), try model(colors), try mae("2")])
    #expect(
      combined.layout.map(\.key.name) == [
        "mae/block1", "mae/block3", "mean-colors/scale1", "mean-colors/scale4", "mean-colors/scale16",
        "mae-2/block2",
      ])
    #expect(combined.layout.map(\.stride) == [8, 8, 1, 4, 16, 8])
    #expect(combined.layout.map(\.key.order) == Array(0..<6))
    #expect(combined.channels == 24 * 3 + 9)
    #expect(!combined.drawsNoise)
  }

  /// Sides that are no multiples for a smaller model are rounded for it.
  @Test(arguments: [(64, 64), (128, 48), (16, 96)])
  func otherSizes(height: Int, width: Int) throws {
    let combined = try CombinedFeatures([try model(colors), try mae()])
    let picture = TinyWorld.scene(0, width: width, height: height).0
    let maps = try combined.extract(picture.tensor(normalization: combined.input.normalization))
    #expect(maps.height == height && maps.width == width)
    #expect(maps.maps.last!.height == height / 8 && maps.maps.last!.width == width / 8)
  }

  /// To the nearest multiple: 44 and 36 pixels to 48 and 32.
  @Test func sidesOfSmallerModelsAreRounded() throws {
    let large = try model(autoencoder, ["heads": "3", "blocks": "1", "image-size": "64"])
    let combined = try CombinedFeatures([large, try model(colors, ["image-size": "32", "scales": "1,16"])])
    let picture = TinyWorld.scene(0, width: 72, height: 88).0
    let maps = try combined.extract(picture.tensor(normalization: combined.input.normalization)).maps
    #expect(maps.map(\.height) == [22, 48, 3])
    #expect(maps.map(\.width) == [18, 32, 2])
  }

  @Test func noiseIsDrawnWhereThereIsAny() throws {
    let combined = try CombinedFeatures([try mae(), try world.features()])
    let picture = scene(size: 32).tensor(normalization: combined.input.normalization)
    func maps(_ seed: UInt64) throws -> [Tensor] {
      try combined.redrawn(seed: seed, draws: 2).extract(picture).maps.map(\.tensor)
    }
    let (first, second) = (try maps(1), try maps(2))
    let same = zip(first, second).map { $0 == $1 }
    #expect(same == combined.layout.map { $0.key.name.hasPrefix("mae") })
    #expect(combined.redrawn(seed: 1, draws: 2).models[1].record.selection["noises"] == "2")
    #expect(combined.drawsNoise)
    #expect(
      combined.workingBytes(height: 32, width: 32) == combined.models[1].workingBytes(height: 32, width: 32))
  }

  @Test func segmentersAreReadBack() throws {
    let combined = try CombinedFeatures([try model(colors), try world.features(), try mae()])
    let segmenter = try Segmenter.train(
      on: world.labelled(), features: combined, options: .init(members: 2, epochs: 2, maxEpochs: 2))
    let path = world.folder.path("segmenter.safetensors")
    try segmenter.write(to: path)

    let file = try SegmenterFile(contentsOf: path)
    #expect(file.record.format == 5)
    #expect(file.record.backbones.map(\.kind) == ["mean-colors", "guided-diffusion", "mae"])
    #expect(try Checkpoint(contentsOf: path).tensors.contains { $0.name == "features2.noise" })
    let read = try Segmenter(contentsOf: path, registry: .withToy)
    let records = zip(read.features.models, combined.models).allSatisfy { $0.record == $1.record }
    #expect(records && read.features.models.count == 3)
    let image = try Image(contentsOf: world.images + "/scene2.png")
    let (before, after) = (try segmenter.segment(image), try read.segment(image))
    #expect(before.labels == after.labels && before.uncertainty == after.uncertainty)
    #expect(before.labels.width == 40 && before.labels.height == 32)

    // Changes are for the model that they are given for.
    let changed = try Segmenter(
      file, models: [.init(), .init(), .init(settings: ["norm-pix-loss": "false"])], registry: .withToy)
    #expect(changed.features.models[2].record.options["norm-pix-loss"] == "false")
    let other = #expect(throws: DataError.self) {
      try Segmenter(file, models: [.init(), .init(checkpoint: autoencoder)], registry: .withToy)
    }
    #expect(other?.item == "SHA-256" && other?.file == autoencoder)
    let fewer = #expect(throws: DataError.self) { try Segmenter(contentsOf: path, features: mae()) }
    #expect(fewer?.expected.hasPrefix("1 models") == true && fewer?.found == "3")
  }

  @Test func oneModelKeepsItsFormat() throws {
    let path = world.folder.path("one.safetensors")
    try Segmenter.train(
      on: world.labelled(), features: mae(), options: .init(members: 1, epochs: 1, maxEpochs: 1)
    ).write(to: path)
    let record = try SegmenterFile(contentsOf: path).record
    #expect(record.format == 4 && record.also == nil)
  }

  @Test(arguments: [
    Normalization.ddpm, .ddpmTraining, .imageNet,
    .statistics(mean: [0.4, 0.5, 0.01], deviation: [0.02, 0.9, 0.3]),
  ])
  func picturesComeBack(normalization: Normalization) throws {
    let picture = Image(width: 16, height: 16, pixels: (0..<768).map { UInt8(truncatingIfNeeded: $0 / 3) })
    let back = Image(tensor: picture.tensor(normalization: normalization), normalization: normalization)
    #expect(back.pixels == picture.pixels)
    let beyond = Tensor([-99, 99, .nan], shape: [3, 1, 1])
    #expect(Image(tensor: beyond, normalization: normalization).pixels == [0, 255, 0])
  }
}
