import Experiments
import Foundation
import TestSupport
import Testing

/// `dseg experiment` with several checkpoints.
struct ModelComparisonTests {
  let world: TinyWorld
  let mae: String
  /// What all calls here have.
  let common: [String]

  init() throws {
    world = try TinyWorld()
    mae = world.folder.path("vit.safetensors")
    try RandomBackbones.write(RandomBackbones.maeShapes(decoder: nil), to: mae, metadata: ["dseg.heads": "3"])
    common = [
      "experiment", "--train", world.images, "--test", world.images, "--classes", "2", "--presets", "none",
      "--variant",
      "one=init,models=1,epochs=1", "--seeds", "1", "--curve-seeds", "0", "--image-size", "32", "--output",
      world.folder.path("e"),
    ]
  }

  private let options = [
    "-b", "tiny:head-channels=32", "-b", "tiny:steps=50", "-b", "tiny:blocks=1,3", "-b", "mae:heads=3", "-b",
    "mae:blocks=1,3",
  ]

  private func run(_ checkpoints: [String], _ more: [String]) throws -> DsegProcess.Outcome {
    try DsegProcess.run(common + checkpoints.flatMap { ["--checkpoint", $0] } + more)
  }

  /// Models by name, each with its settings; a second run has nothing to do but for a third model.
  @Test func modelsWithOptionsOfTheirOwn() throws {
    let outcome = try run([world.checkpoint, "mae=\(mae)"], options + ["--json"])
    #expect(outcome.exitCode == 0, "\(outcome.messages)")
    let report = try JSONDecoder().decode(ExperimentReport.self, from: Data(outcome.output.utf8))
    #expect(report.presets.map(\.id) == ["tiny", "mae"])
    let models = try #require(report.setup.backbones)
    #expect(models.map(\.kind) == ["guided-diffusion", "mae"] && models.map(\.imageSize) == [32, 32])
    #expect(models.map { $0.selection["blocks"] } == ["1,3", "1,3"] && models[0].selection["steps"] == "50")
    #expect(models.map { $0.options["heads"] } == [nil, "3"])
    #expect(outcome.messages.contains("tiny, seed 0") && outcome.messages.contains("mae, seed 0"))
    let more = try run(
      [world.checkpoint, "mae=\(mae)", "again=\(mae)"],
      options + ["-b", "again:heads=3", "-b", "again:blocks=0"])
    #expect(more.exitCode == 0 && more.messages.contains("again, seed 0"), "\(more.messages)")
    #expect(!more.messages.contains("tiny, seed 0") && !more.messages.contains("mae, seed 0"))
    for text in models.map({ String($0.checkpointSHA256.prefix(12)) }) + ["guided-diffusion", "again"] {
      #expect(more.output.contains(text), "\(more.output)")
    }
    for preset in report.presets {
      for value in [preset.scores[0].miou.mean] + preset.scores[0].classIoU {
        #expect(more.output.contains(String(format: "%.2f", value * 100)), "\(more.output)")
      }
    }
    let page = try String(contentsOfFile: world.folder.path("e/report.html"), encoding: .utf8)
    #expect(page.contains(">tiny<") && page.contains(">mae<") && page.contains(">again<"))
    let changed = try run([world.checkpoint, "mae=\(mae)"], options + ["-b", "mae:blocks=2"])
    #expect(
      changed.exitCode == 73 && changed.messages.contains("mae: activations: blocks"), "\(changed.messages)")
  }

  /// A setting without a name is for all that know it, and one that only some know is told of.
  @Test func settingsForAll() throws {
    let outcome = try run(
      [world.checkpoint, mae],
      [
        "--head-channels", "32", "--steps", "50", "-b", "blocks=1", "-b", "vit:heads=3", "-b", "vit:blocks=2",
        "--json",
      ])
    #expect(outcome.exitCode == 0, "\(outcome.messages)")
    let report = try JSONDecoder().decode(ExperimentReport.self, from: Data(outcome.output.utf8))
    let models = try #require(report.setup.backbones)
    #expect(models.map(\.name) == ["tiny", "vit"] && models.map { $0.selection["blocks"] } == ["1", "2"])
    #expect(
      outcome.messages.contains("vit: steps=50") && outcome.messages.contains("mae has no such setting"))
    #expect(!outcome.messages.contains("tiny: "))
  }

  /// What cannot be is refused before anything is written.
  @Test(arguments: [
    (["-b", "vat:blocks=1"], ["tiny, mae", "vat:blocks=1"]),
    (["-b", "speed=1"], ["--speed", "guided-diffusion", "mae", "norm-pix-loss"]),
    (["-b", "mae:steps=50"], ["--steps", "a setting of mae"]),
    (["-b", "mae:blocks"], ["key=value"]),
    (["--weights", "vat:ema"], ["--weights", "tiny, mae"]),
    (["--backbone", "vat:mae"], ["--backbone", "tiny, mae"]),
    (["--backbone", "mae:vat"], ["--backbone", "guided-diffusion", "vat"]),
    (["--checkpoint", "mae=tiny.safetensors"], ["each once", "mae twice"]),
  ])
  func modelsThatCannotBe(_ more: [String], mentioning words: [String]) throws {
    let arguments = more.map { $0.replacing("tiny.safetensors", with: world.checkpoint) }
    let outcome = try run([world.checkpoint, "mae=\(mae)"], options + arguments)
    #expect(outcome.exitCode == 64, "\(outcome.messages)")
    for word in words { #expect(outcome.messages.contains(word), "\(outcome.messages)") }
    #expect(!FileManager.default.fileExists(atPath: world.folder.path("e")))
  }

  /// A file of the whole name goes before a name and a path.
  @Test func pathsWithEqualsSigns() throws {
    func names(_ checkpoint: String) throws -> (names: [String]?, messages: String) {
      let outcome = try DsegProcess.run(
        common + ["--checkpoint", checkpoint, "--checkpoint", world.checkpoint, "--json"]
          + ["-b", "blocks=1", "-b", "tiny:head-channels=32", "-b", "tiny:steps=50"],
        in: world.folder.path(""))
      let report = try? JSONDecoder().decode(ExperimentReport.self, from: Data(outcome.output.utf8))
      return (report?.setup.backbones?.map(\.name), outcome.messages)
    }
    let (named, messages) = try names("a=vit.safetensors")
    #expect(named == ["a", "tiny"], "\(messages)")
    try FileManager.default.copyItem(atPath: mae, toPath: world.folder.path("a=vit.safetensors"))
    let (whole, told) = try names("a=vit.safetensors")
    #expect(whole == ["a-vit", "tiny"] && told.contains("the file of this whole name is taken"), "\(told)")
  }
}
