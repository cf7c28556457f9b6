import Checkpoints
import DiffusionSegmentation
import Foundation
import TestSupport
import Testing

/// Several models in one segmenter, through the command line.
struct JoinedModelTests {
  let world: TinyWorld
  let autoencoder: String

  init() throws {
    world = try TinyWorld()
    autoencoder = world.folder.path("run7.safetensors")
    try RandomBackbones.write(RandomBackbones.maeShapes(decoder: nil), to: autoencoder)
  }

  private var models: [String] {
    [
      "--checkpoint", world.checkpoint, "--also", "mae=\(autoencoder)", "-b", "mae:heads=3", "-b",
      "mae:blocks=2,3", "--steps", "50,250", "--blocks", "1,3", "-b", "tiny:image-size=32", "--head-channels",
      "32",
    ]
  }

  private func train(_ output: String, _ more: [String] = []) throws -> DsegProcess.Outcome {
    try DsegProcess.run(
      [
        "train", "--images", world.images, "--classes", "2", "--models", "2", "--epochs", "1", "--output",
        output,
      ]
        + models + more)
  }

  @Test func trainsPredictsAndIsInspected() throws {
    let segmenter = world.folder.path("s.safetensors")
    let trained = try train(segmenter)
    #expect(trained.exitCode == 0, "\(trained.messages)")
    // What is for one kind alone is said of the other.
    #expect(trained.messages.contains("mae has no such setting"))
    let record = try SegmenterFile(contentsOf: segmenter).record
    #expect(record.backbones.map(\.kind) == ["guided-diffusion", "mae"])
    #expect(record.backbones.map { $0.selection["blocks"] } == ["1,3", "2,3"])
    #expect(record.backbones[1].options["heads"] == "3")

    let inspected = try DsegProcess.run(["inspect", segmenter])
    for text in ["guided-diffusion", "mae", world.checkpoint, autoencoder] {
      #expect(inspected.output.contains(text), "\(text)")
    }

    func predict(_ more: [String]) throws -> DsegProcess.Outcome {
      try DsegProcess.run(
        ["predict", "--segmenter", segmenter, "--output", world.folder.path("masks"), world.images] + more)
    }
    #expect(try predict([]).exitCode == 0)
    // The second model is somewhere else now.
    let folder = try world.folder.folder("elsewhere")
    try FileManager.default.moveItem(atPath: autoencoder, toPath: folder + "/moved.safetensors")
    let lost = try predict([])
    #expect(lost.exitCode == 66 && lost.messages.contains("run7.safetensors"))
    #expect(try predict(["--also", folder + "/moved.safetensors"]).exitCode == 0)
    #expect(try predict(["--also", "run7=\(folder)/moved.safetensors"]).exitCode == 0)
    let wrong = try predict(["--also", "mae=\(folder)/moved.safetensors"])
    #expect(wrong.exitCode == 64 && wrong.messages.contains("tiny, run7"))
    let kind = try predict(["--backbone", "run7:swav"])
    #expect(kind.exitCode == 64 && kind.messages.contains("expected mae"))
    let many = try predict(["--also", folder + "/moved.safetensors", "--also", world.checkpoint])
    #expect(many.exitCode == 64 && many.messages.contains("places of the models"))
    let other = try predict(["--also", world.checkpoint])
    #expect(other.exitCode == 65 && other.messages.contains("SHA-256"))
  }

  @Test func featuresHaveTheirNames() throws {
    let output = world.folder.path("f.safetensors")
    let outcome = try DsegProcess.run(
      ["features", "--output", output, world.images + "/scene0.png"] + models)
    #expect(outcome.exitCode == 0, "\(outcome.messages)")
    let names = try Checkpoint(contentsOf: output).tensors.map(\.name)
    #expect(
      Set(names)
        == Set(
          ["step50/block1", "step50/block3", "step250/block1", "step250/block3"].map {
            "scene0/guided-diffusion/\($0)"
          } + ["scene0/mae/block2", "scene0/mae/block3"]))
  }

  @Test(arguments: [
    (["-b", "other:heads=3"], Int32(64), "tiny, mae"), (["-b", "layers=layer1.0"], 64, "a setting of mae"),
    (["--also", "nowhere.pth"], 66, "nowhere.pth"), (["-b", "mae:steps=50"], 64, "a setting of mae"),
    (["--also", "mae=nowhere.pth"], 66, "nowhere.pth"), (["--weights", "mae:ema"], 64, "ema"),
  ])
  func whatDoesNotFit(more: [String], exitCode: Int32, message: String) throws {
    let output = world.folder.path("none.safetensors")
    let outcome = try train(output, more)
    #expect(outcome.exitCode == exitCode && outcome.messages.contains(message), "\(outcome.messages)")
    #expect(!FileManager.default.fileExists(atPath: output))
  }

  @Test func anOutputIsNoModel() throws {
    let outcome = try train(autoencoder)
    #expect(outcome.exitCode == 64 || outcome.exitCode == 73, "\(outcome.messages)")
    #expect(try Checkpoint(contentsOf: autoencoder).metadata["segmenter"] == nil)
  }
}
