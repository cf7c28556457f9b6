import Backbones
import Base
import Checkpoints
import DiffusionSegmentation
import Features
import Images
import TensorCore
import TestSupport
import Testing

/// Masked autoencoders as a backbone, beside the known answers.
struct MAETests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func checkpoint(
    _ shapes: [(name: String, shape: [Int])] = RandomBackbones.maeShapes(), prefix: String = ""
  ) throws -> Checkpoint {
    try RandomBackbones.write(shapes, to: folder.path("model.safetensors"), prefix: prefix)
    return try Checkpoint(contentsOf: folder.path("model.safetensors"))
  }

  private static let heads = ["heads": "3", "decoder-heads": "2"]

  private func features(
    _ settings: [String: String] = [:], _ checkpoint: Checkpoint
  ) throws -> any ModelFeatures {
    try BackboneRegistry.standard.features(
      of: checkpoint, settings: settings.merging(Self.heads) { given, _ in given })
  }

  /// The second half of the blocks, of a picture that was cut into patches of 4 pixels.
  @Test(arguments: ["", "model.", "module.encoder."])
  func defaults(prefix: String) throws {
    let features = try features([:], try checkpoint(prefix: prefix))
    #expect(features.layout.map(\.key.name) == ["block2", "block3"])
    #expect(features.layout.allSatisfy { $0.channels == 24 && $0.stride == 4 })
    #expect(features.input.size == 32 && features.input.multiple == 4 && !features.input.isFixedSize)
    #expect(features.record.kind == "mae" && features.record.selection == ["blocks": "2,3"])
    #expect(features.record.options == ["heads": "3", "decoder-heads": "2", "norm-pix-loss": "true"])
  }

  @Test(arguments: [
    ["pixel-mean": "0.1,0.2"], ["pixel-mean": "0.1,0.2,x"], ["pixel-mean": "0.1,0.2,1.5"],
    ["pixel-deviation": "0.1,0,0.2"], ["pixel-deviation": "1,1,1,1"],
  ])
  func statisticsThatCannotBe(settings: [String: String]) throws {
    let checkpoint = try checkpoint()
    let error = #expect(throws: DataError.self) { try features(settings, checkpoint) }
    #expect(error?.kind == .invalidArgument && error?.expected.hasPrefix("three numbers") == true)
  }

  @Test func statisticsAreSettings() throws {
    let features = try features(
      ["pixel-mean": "0.5,0.4,0.3", "pixel-deviation": "0.25,0.5,1"], try checkpoint())
    #expect(
      features.input.normalization == .statistics(mean: [0.5, 0.4, 0.3], deviation: [0.25, 0.5, 1]))
    #expect(features.record.options["pixel-deviation"] == "0.25,0.5,1.0")
  }

  /// A file with the encoder alone gives the same features, whatever the decoder's heads.
  @Test func encoderAlone() throws {
    var random = Philox(seed: 3)
    let picture = random.normal(shape: [3, 32, 32])
    let whole = try features([:], try checkpoint()).extract(picture)
    let alone = try BackboneRegistry.standard.features(
      of: try checkpoint(RandomBackbones.maeShapes(decoder: nil)), settings: ["heads": "3"]
    ).extract(picture)
    #expect(whole.maps.map(\.tensor) == alone.maps.map(\.tensor))
  }

  /// Positions of the file's own grid are taken as they are; others are resampled between them.
  @Test(arguments: [(32, 32), (64, 64), (48, 20), (4, 4)])
  func otherSizes(height: Int, width: Int) throws {
    let features = try features([:], try checkpoint())
    var random = Philox(seed: 4)
    let maps = try features.extract(random.normal(shape: [3, height, width]))
    #expect(maps.maps.allSatisfy { $0.height == height / 4 && $0.width == width / 4 })
    #expect(maps.maps.allSatisfy { $0.tensor.elements.allSatisfy(\.isFinite) })
  }

  /// A table that is the same everywhere stays so at every size, and the class token's row stays as it is.
  @Test(arguments: [(4, 4), (7, 3), (1, 9)])
  func resampledPositions(rows: Int, columns: Int) {
    var random = Philox(seed: 5)
    let (classRow, row) = (random.normal(shape: [6]).elements, random.normal(shape: [6]).elements)
    let table = Tensor(classRow + (0..<16).flatMap { _ in row }, shape: [17, 6])
    let resampled = PositionEmbedding.resampled(table, grid: 4, rows: rows, columns: columns)
    #expect(resampled.shape == [1 + rows * columns, 6])
    let expected = NaiveTensor(
      (classRow + (0..<rows * columns).flatMap { _ in row }).map(Double.init), shape: resampled.shape)
    expectClose(resampled, expected, absolute: 1e-5)
  }

  /// Exchanging rows and columns of the picture exchanges those of the table.
  @Test func rowsAndColumnsAreTold() {
    let table = PositionEmbedding.sinCos(channels: 8, grid: 5)
    let wide = PositionEmbedding.resampled(table, grid: 5, rows: 3, columns: 8)
    let tall = PositionEmbedding.resampled(table, grid: 5, rows: 8, columns: 3)
    for row in 0..<3 {
      for column in 0..<8 {
        for channel in 0..<8 {
          let (a, b) = (
            wide[1 + row * 8 + column, channel], tall[1 + column * 3 + row, (channel + 4) % 8]
          )
          #expect(abs(a - b) < 1e-6)
        }
      }
    }
  }

  @Test(arguments: [
    (["blocks": "99"], "0 to 3"), (["blocks": "1,1"], "each once"), (["blocks": "x"], "numbers"),
    (["heads": "5"], "divides the 24 channels"), (["decoder-heads": "3"], "divides the 16 channels"),
    (["heads": "0"], "divides"), (["image-size": "30"], "multiple of 4"), (["layers": "1"], "blocks"),
  ])
  func settingsThatDoNotFit(settings: [String: String], expected: String) throws {
    let checkpoint = try checkpoint()
    let error = #expect(throws: DataError.self) { try features(settings, checkpoint) }
    #expect(error?.kind == .invalidArgument && error?.expected.contains(expected) == true, "\(error!)")
  }

  @Test func filesThatAreNoSuchNetwork() throws {
    let all = RandomBackbones.maeShapes()
    func error(_ shapes: [(name: String, shape: [Int])]) throws -> DataError? {
      let checkpoint = try checkpoint(shapes)
      return #expect(throws: DataError.self) { try features([:], checkpoint) }
    }
    func changed(_ name: String, _ shape: [Int]) -> [(name: String, shape: [Int])] {
      all.map { $0.name == name ? (name, shape) : $0 }
    }
    #expect(try error(changed("pos_embed", [1, 64, 24]))?.item == "pos_embed")
    #expect(try error(changed("patch_embed.proj.weight", [24, 3, 4, 2]))?.item == "patch_embed.proj.weight")
    #expect(
      try error(all.filter { $0.name != "blocks.1.attn.proj.bias" })?.description.contains(
        "blocks.1.attn.proj.bias") == true)
    #expect(try error(all + [("adapter.weight", [2, 2])])?.description.contains("adapter.weight") == true)
    #expect(try error(all.filter { !$0.name.hasPrefix("blocks.") })?.item == "blocks.0.norm1.weight")
    // Another kind, asked for by name.
    let other = try checkpoint()
    let swav = #expect(throws: DataError.self) {
      try BackboneRegistry.standard.features(of: other, kind: "swav")
    }
    #expect(swav?.kind == .unsupported && swav?.expected.contains("layer1.0.conv1.weight") == true)
  }

  /// A file that two kinds recognise.
  @Test func kindsThatAreBothMeant() throws {
    let both = try checkpoint(
      RandomBackbones.maeShapes().map { ("mae." + $0.name, $0.shape) }
        + RandomBackbones.resNetShapes().map { ("swav." + $0.name, $0.shape) })
    let error = #expect(throws: DataError.self) { try BackboneRegistry.standard.features(of: both) }
    #expect(error?.file == "--backbone" && error?.expected == "mae or swav")
    let swav = try BackboneRegistry.standard.features(
      of: both, kind: "swav", settings: ["image-size": "64"])
    #expect(swav.channels == 420)
  }

  @Test func goesThroughThePipeline() throws {
    let world = try TinyWorld(pictures: 4, width: 48, height: 40)
    let features = try features([:], try checkpoint())
    let segmenter = try Segmenter.train(
      on: world.labelled(), features: features, options: .init(members: 2, epochs: 3, maxEpochs: 3))
    #expect(try segmenter.evaluate(on: world.labelled()).confusion.meanIoU(.ledm) > 0.7)
    let path = folder.path("segmenter.safetensors")
    try segmenter.write(to: path)
    let image = try Image(contentsOf: "\(world.images)/scene1.png")
    #expect(try Segmenter(contentsOf: path).segment(image).labels == segmenter.segment(image).labels)
  }

  /// The loss of a network that paints nothing is the patches' own variance.
  @Test func lossOfNothing() {
    var random = Philox(seed: 6)
    let pictures = random.normal(shape: [2, 8, 8, 3])
    let masks = (0..<2).map { _ in
      TokenMask(noise: (0..<4).map { _ in random.uniform() }, ratio: 0.5)
    }
    let nothing = Tensor(zeros: [2, 4, 48])
    let (losses, gradient) = MAELoss.loss(
      nothing, pictures: pictures, patchSize: 4, masks: masks, normalizesPatches: true)
    // With n - 1 in the variance: 47 / 48.
    for loss in losses { #expect(abs(loss - 47.0 / 48) < 1e-4) }
    for (n, mask) in masks.enumerated() {
      for (token, removed) in mask.removed.enumerated() {
        let isZero = (0..<48).allSatisfy { gradient[n, token, $0] == 0 }
        #expect(isZero == (removed == 0))
      }
    }
  }

  @Test func cropsLieInThePicture() {
    var random = Philox(seed: 7)
    var mirrored = 0
    for (width, height) in [(64, 48), (1, 1), (300, 10), (9, 200)] {
      for _ in 0..<200 {
        let crop = RandomResizedCrop.draw(width: width, height: height, random: &random)
        #expect(crop.left >= 0 && crop.top >= 0 && crop.width > 0 && crop.height > 0)
        #expect(crop.left + crop.width <= width && crop.top + crop.height <= height)
        if width == 64 {
          let ratio = Double(crop.width) / Double(crop.height)
          #expect((0.7...1.4).contains(ratio) && crop.width * crop.height * 6 > width * height)
        }
        mirrored += crop.mirrors ? 1 : 0
      }
    }
    #expect((300..<500).contains(mirrored))
  }

  /// Counts of the published file (its table of keys), and the layout of the small one.
  @Test func namesAndShapes() {
    let published = MAEConfiguration.published.parameterShapes
    #expect(published.count == 398)
    #expect(published.reduce(0) { $0 + $1.shape.reduce(1, *) } == 329_928_384)
    let small = MAEConfiguration(
      patchSize: 4, grid: 8, encoder: .init(channels: 24, depth: 4, heads: 3, hidden: 48),
      decoder: .init(channels: 16, depth: 1, heads: 2, hidden: 32))
    let shapes = Dictionary(uniqueKeysWithValues: small.parameterShapes.map { ($0.name, $0.shape) })
    let expected = RandomBackbones.maeShapes()
    #expect(shapes == Dictionary(uniqueKeysWithValues: expected.map { ($0.name, $0.shape) }))
  }

  @Test func factsTellTheArchitecture() throws {
    var options = MAEOptions()
    options.heads = 3
    options.decoderHeads = 2
    let facts = try MAE.facts(of: StateDictionary(try checkpoint()), options: options)
    #expect(facts.activations.map(\.name) == ["0", "1", "2", "3"])
    #expect(facts.activations.allSatisfy { $0.height == 8 && $0.channels == 24 })
    #expect(facts.activations[3].costSoFar == 1 && facts.activations[0].costSoFar < 0.4)
    #expect(facts.rows.contains { $0.key == "heads" && $0.value == .integer(3) })
  }
}
