import Augment
import Backbones
import Base
import Checkpoints
import DiffusionSegmentation
import Experiments
import Features
import Foundation
import Images
import TensorCore
import TestSupport
import Testing

extension BackboneRegistry {
  /// With one line more.
  static let withToy = BackboneRegistry(standard.kinds + [MeanColors.self])
}

/// A backbone that nothing in the package knows goes through all of the pipeline.
struct ToyBackboneTests {
  let world: TinyWorld
  let checkpoint: String

  init() throws {
    world = try TinyWorld(pictures: 4, width: 48, height: 32)
    checkpoint = world.folder.path("colors.safetensors")
    var writer = SafetensorsWriter(metadata: ["dseg.image_size": "32"])
    writer.append(MeanColors.anchor, Tensor([1, 4, 16], shape: [3]))
    try writer.write(to: checkpoint)
  }

  private func features(_ settings: [String: String] = [:]) throws -> any ModelFeatures {
    try BackboneRegistry.withToy.features(of: Checkpoint(contentsOf: checkpoint), settings: settings)
  }

  @Test(arguments: [false, true], ImageFit.everyKind)
  func trainsPredictsAndIsReadBack(isFixedSize: Bool, fit: ImageFit) throws {
    let features = try features(["fixed-size": "\(isFixedSize)"])
    let segmenter = try Segmenter.train(
      on: world.labelled(), features: features,
      options: .init(members: 3, epochs: 3, maxEpochs: 3, fit: fit))
    let evaluation = try segmenter.evaluate(on: world.labelled())
    // Bright squares on dark ground: colours tell them apart.
    #expect(evaluation.confusion.meanIoU(.ledm) > 0.9)

    let path = world.folder.path("segmenter.safetensors")
    try segmenter.write(to: path)
    let read = try Segmenter(contentsOf: path, registry: .withToy)
    #expect(
      read.features.models[0].record == features.record
        && read.features.models[0].record.kind == "mean-colors")
    let image = try Image(contentsOf: world.images + "/scene3.png")
    let (before, after) = (try segmenter.segment(image), try read.segment(image))
    #expect(before.labels == after.labels && before.labels.width == 48 && before.labels.height == 32)
    #expect(before.uncertainty == after.uncertainty)
  }

  @Test func unknownKindIsNamed() throws {
    let path = world.folder.path("segmenter.safetensors")
    try Segmenter.train(
      on: world.labelled(), features: features(), options: .init(members: 1, epochs: 1, maxEpochs: 1)
    ).write(to: path)
    let error = #expect(throws: DataError.self) { try Segmenter(contentsOf: path) }
    #expect(error?.found == "mean-colors" && error?.kind == .unsupported && error?.file == path)
    let unread = #expect(throws: DataError.self) {
      try BackboneRegistry.standard.features(of: Checkpoint(contentsOf: checkpoint))
    }
    #expect(unread?.kind == .unsupported && unread?.file == checkpoint)
  }

  @Test func settingsAreChecked() throws {
    for (key, value, expected) in [
      ("scales", "1,8", "some of [1, 4, 16]"), ("scales", "x", "numbers joined by commas"),
      ("steps", "50", "a setting of mean-colors: image-size, fixed-size, scales"),
    ] {
      let error = #expect(throws: DataError.self) { try features([key: value]) }
      #expect(error?.kind == .invalidArgument && error?.expected == expected)
    }
    #expect(try features(["scales": "4,16"]).channels == 6)
  }

  @Test func settingsThatContradictTheFileAreSaid() throws {
    let notices = Notices()
    _ = try BackboneRegistry.withToy.features(
      of: Checkpoint(contentsOf: checkpoint), settings: ["image-size": "64"], notices: notices)
    #expect(notices.all.contains { $0.item == "image size 64" && $0.text.contains("trained with 32") })
  }

  @Test func converts() throws {
    let path = world.folder.path("converted.safetensors")
    try BackboneRegistry.withToy.convert(
      Checkpoint(contentsOf: checkpoint), settings: ["fixed-size": "true"], to: path)
    let converted = try BackboneRegistry.withToy.features(of: Checkpoint(contentsOf: path))
    #expect(converted.input.isFixedSize && converted.input.size == 32)
  }

  @Test func experimentRuns() throws {
    let folder = ExperimentFolder(world.folder.path("experiment"))
    let experiment = Experiment(
      training: try world.labelled(), testSets: [], folds: 2, features: try features(),
      presets: [
        try SegmenterPreset(variant: "a=init,epochs=1,models=2"),
        try SegmenterPreset(variant: "b=init,epochs=2,models=2,test-time=flip"),
      ],
      seeds: [0])
    let report = try experiment.run(in: folder)
    #expect(report.setup.kind == "mean-colors" && report.setup.selection == ["scales": "1,4,16"])
    #expect(report.presets.allSatisfy { $0.scores[0].miou.mean > 0.5 })
    let page = try String(contentsOfFile: folder.path + "/report.html", encoding: .utf8)
    #expect(page.contains("mean-colors"))
  }
}
