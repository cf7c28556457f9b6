import Checkpoints
import DiffusionSegmentation
import Foundation
import Images
import TestSupport
import Testing

/// What version 0.1.0 wrote opens and gives what it gave.
struct VersionTests {
  /// A copy of `Fixtures/version-0.1.0`.
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fixtures/version-0.1.0")
    for name in try FileManager.default.contentsOfDirectory(atPath: source.path) {
      try FileManager.default.copyItem(
        at: source.appendingPathComponent(name), to: URL(fileURLWithPath: folder.path(name)))
    }
  }

  private func dseg(_ arguments: String) throws -> DsegProcess.Outcome {
    try DsegProcess.run(arguments.split(separator: " ").map(String.init), in: folder.path)
  }

  @Test func segmenterGivesTheSameLabels() throws {
    let outcome = try dseg("predict --segmenter segmenter.safetensors --output now test")
    #expect(outcome.exitCode == 0, "\(outcome.messages)")
    for name in ["scene-000000.png", "scene-000001.png"] {
      let before = try LabelMask(contentsOf: folder.path("labels/\(name)"))
      let now = try LabelMask(contentsOf: folder.path("now/\(name)"))
      // Kernels of another processor round in another way.
      let differing = zip(before.labels, now.labels).count { $0 != $1 }
      #expect(before.labels.count == 1024 && differing <= 5, "\(differing) pixels of \(name)")
    }
  }

  @Test func segmenterIsWrittenAgainInTheNewForm() throws {
    let old = folder.path("segmenter.safetensors")
    let segmenter = try Segmenter(contentsOf: old)
    #expect(
      segmenter.features.models[0].record.selection == [
        "steps": "50,250", "blocks": "1", "noise": "recorded", "noises": "2",
      ])
    try segmenter.write(to: folder.path("new.safetensors"))
    let again = try Segmenter(contentsOf: folder.path("new.safetensors"))
    #expect(
      again.features.models[0].record == segmenter.features.models[0].record
        && again.training == segmenter.training)
    let image = try Image(contentsOf: folder.path("test/scene-000000.png"))
    #expect(try again.segment(image).labels == segmenter.segment(image).labels)
    let inspection = try dseg("inspect segmenter.safetensors")
    #expect(inspection.exitCode == 0 && inspection.output.contains("50, 250"), "\(inspection.output)")
  }

  @Test func experimentGoesOn() throws {
    let command =
      "experiment --checkpoint model.safetensors --train train --folds 3 --classes train/classes.json --steps 50 "
      + "--blocks 0 --presets none --variant a=init,models=1,epochs=1 --seeds 1 --curve-seeds 0 --output experiment"
    let results = folder.path("experiment/results.csv")
    let before = try String(contentsOfFile: results, encoding: .utf8)
    let outcome = try dseg(command)
    #expect(outcome.exitCode == 0 && !outcome.messages.contains("seed 0"), "\(outcome.messages)")
    #expect(try String(contentsOfFile: results, encoding: .utf8) == before)
    let more = try dseg(command + " --variant b=init,models=1,epochs=2")
    #expect(more.exitCode == 0 && more.messages.contains("seed 0"), "\(more.messages)")
    let other = try dseg(command.replacing("--steps 50", with: "--steps 60"))
    #expect(other.exitCode == 73 && other.messages.contains("steps"), "\(other.messages)")
  }

  private struct Layout: Decodable {
    var metadata: [String: String]
    var tensors: [String: [Int]]
  }

  @Test func trainingGoesOn() throws {
    let old = try JSONDecoder().decode(
      Layout.self, from: Data(contentsOf: URL(fileURLWithPath: folder.path("training-state.json"))))
    let command =
      "pretrain --images train --image-size 32 --channels 32 --channel-mult 1 --residual-blocks 1 "
      + "--attention-resolutions 1 --head-channels 32 --batch 2 --timesteps loss-second-moment --output model"
    let first = try dseg(command + " --steps 3")
    #expect(first.exitCode == 0, "\(first.messages)")
    // The state of today with no more metadata than that of version 0.1.0.
    let path = folder.path("model/checkpoints/step-00000003.safetensors")
    let state = try SafetensorsFile(contentsOf: path)
    #expect(state.metadata.filter { old.metadata[$0.key] != nil } == old.metadata)
    #expect(
      Dictionary(uniqueKeysWithValues: state.tensors.map { ($0.name, $0.array.shape) }) == old.tensors)
    var writer = SafetensorsWriter(metadata: old.metadata)
    for tensor in state.tensors { writer.append(tensor.name, tensor.array) }
    try writer.write(to: path)
    let resumed = try dseg(command + " --steps 5 --resume")
    #expect(resumed.exitCode == 0 && resumed.messages.contains("step 5"), "\(resumed.messages)")
  }
}
