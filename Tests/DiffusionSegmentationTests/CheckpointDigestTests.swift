import Base
import Checkpoints
import DiffusionCore
import DiffusionSegmentation
import Foundation
import TestSupport
import Testing

/// A segmenter names the model that it was trained with, not the one that stands at its place by then.
struct CheckpointDigestTests {
  private static func write(_ seeds: [(prefix: String, seed: UInt64)], to path: String) throws {
    var writer = SafetensorsWriter()
    for (prefix, seed) in seeds {
      for tensor in try randomNetworkTensors(.tiny, seed: seed) {
        writer.append(prefix + tensor.name, tensor.array)
      }
    }
    try writer.write(to: path)
  }

  @Test func modelThatIsReplacedDuringTheTraining() throws {
    let world = try TinyWorld()
    let first = world.folder.path("first.safetensors")
    try FileManager.default.copyItem(atPath: world.checkpoint, toPath: first)
    let (features, place) = (try world.features(), world.checkpoint)
    let segmenter = try Segmenter.train(
      on: world.labelled(), features: features, options: .init(members: 1, epochs: 1, maxEpochs: 1)
    ) { progress in
      if case .features(done: 3, _) = progress {
        try? Self.write([("", 9)], to: place)
      }
    }
    let path = world.folder.path("s.safetensors")
    try segmenter.write(to: path)
    // What is there now is refused, what was opened is taken.
    #expect(throws: DataError.self) { try Segmenter(contentsOf: path) }
    let read = try Segmenter(contentsOf: path, checkpoint: first)
    let image = TinyWorld.scene(1, width: 32, height: 32).0
    #expect(try read.segment(image).labels == segmenter.segment(image).labels)
    // One that is loaded already is asked for what it was.
    _ = try Segmenter(contentsOf: path, features: features)
    let other = try world.features()
    #expect(throws: DataError.self) { try Segmenter(contentsOf: path, features: other) }
    let activations = DiffusionFeatures(features.backbone, steps: [50], blocks: [1, 3])
    let error = #expect(throws: DataError.self) { try Segmenter(contentsOf: path, features: activations) }
    #expect(error?.item == "features")
  }

  @Test func networkOfSeveralIsKept() throws {
    let world = try TinyWorld()
    try Self.write([("state_dict/", 1), ("ema/", 2)], to: world.checkpoint)
    let path = world.folder.path("s.safetensors")
    for (choice, name) in [(WeightsChoice.automatic, "ema"), (.named("state_dict"), "state_dict")] {
      let backbone = try DiffusionBackbone(
        checkpoint: world.checkpoint, options: TinyWorld.options, weights: choice)
      let features = DiffusionFeatures(backbone, steps: [50], blocks: [1])
      let segmenter = try Segmenter.train(
        on: world.labelled(), features: features, options: .init(members: 1, epochs: 1, maxEpochs: 1))
      try segmenter.write(to: path)
      let record = try SegmenterFile(contentsOf: path).record
      #expect(record.backbone.checkpoint.weights == name)
      let notices = Notices()
      #expect(try Segmenter(contentsOf: path, notices: notices).features.models[0].origin.weights == name)
      #expect(notices.all.isEmpty)
    }
    // The last one, with another network by force.
    let notices = Notices()
    _ = try Segmenter(contentsOf: path, weights: .named("ema"), notices: notices)
    #expect(notices.all.map(\.kind) == [.suspicious])
  }

  /// Version 0.1.0 did not say which, and took `state_dict`.
  @Test func segmentersOfVersion010TakeWhatTheyTook() throws {
    let world = try TinyWorld()
    try Self.write([("state_dict/", 1), ("ema_state_dict/", 2)], to: world.checkpoint)
    let backbone = try DiffusionBackbone(
      checkpoint: world.checkpoint, options: TinyWorld.options, weights: .version010)
    let segmenter = try Segmenter.train(
      on: world.labelled(), features: DiffusionFeatures(backbone, steps: [50], blocks: [1]),
      options: .init(members: 1, epochs: 1, maxEpochs: 1))
    let path = world.folder.path("s.safetensors")
    try segmenter.write(to: path)
    let file = try SafetensorsFile(contentsOf: path)
    var writer = SafetensorsWriter(
      metadata: file.metadata.mapValues {
        $0.replacingOccurrences(of: ",\"weights\":\"state_dict\"", with: "")
      })
    #expect(writer.metadata != file.metadata)
    for tensor in file.tensors { writer.append(tensor.name, tensor.array) }
    let old = world.folder.path("old.safetensors")
    try writer.write(to: old)
    #expect(try Segmenter(contentsOf: old).features.models[0].origin.weights == "state_dict")
  }

  @Test func overridesThatContradictTheTrainingAreSaid() throws {
    let world = try TinyWorld()
    let path = world.folder.path("s.safetensors")
    try world.train().write(to: path)
    let notices = Notices()
    _ = try Segmenter(contentsOf: path, changes: ["noise-schedule": "cosine"], notices: notices)
    #expect(notices.all.map(\.item) == ["noise schedule cosine"])
  }

  @Test func checkpointInPlaceOfASegmenterIsNamed() throws {
    let world = try TinyWorld()
    let error = #expect(throws: DataError.self) { try Segmenter(contentsOf: world.checkpoint) }
    #expect(error?.found.contains("pretrained model") == true && error?.isAboutContent == true)
  }
}
