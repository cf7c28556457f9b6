import DiffusionSegmentation
import Foundation
import Images
import TestSupport
import Testing

/// Pretraining on squares at random places of large pictures through the command line.
struct CropCommandTests {
  let world: TinyWorld

  init() throws { world = try TinyWorld(pictures: 3, width: 80, height: 70) }

  private func pretrain(_ output: String, steps: Int, _ more: [String]) throws -> DsegProcess.Outcome {
    try DsegProcess.run(
      [
        "pretrain", "--images", world.images, "--output", world.folder.path(output), "--steps", "\(steps)",
        "--sample-every", "0", "--image-size", "16", "--channels", "32", "--channel-mult", "1,1",
        "--residual-blocks", "1", "--attention-resolutions", "8", "--batch", "4",
      ] + more)
  }

  private func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: world.folder.path(path)))
  }

  @Test func trainsGoesOnAndIsInspected() throws {
    let whole = try pretrain("whole", steps: 4, ["--crop", "random", "--scale", "0.5", "--threads", "1"])
    #expect(whole.exitCode == 0 && !whole.messages.contains("warning"), "\(whole.messages)")
    #expect(try pretrain("parts", steps: 2, ["--scale", "0.5", "--threads", "4"]).exitCode == 0)
    let resumed = try pretrain("parts", steps: 4, ["--scale", "0.5", "--resume"])
    #expect(resumed.exitCode == 0, "\(resumed.messages)")
    #expect(try bytes("parts/model.safetensors") == bytes("whole/model.safetensors"))
    #expect(try pretrain("middle", steps: 4, []).exitCode == 0)
    #expect(try bytes("middle/model.safetensors") != bytes("whole/model.safetensors"))
    for (flags, word) in [
      (["--crop", "random"], "scale"), (["--crop", "centre"], "crop"), ([], "crop"),
      (["--pixel-size", "0.5"], "pixel"),
    ] {
      let other = try pretrain("parts", steps: 5, ["--resume"] + flags)
      #expect([64, 65].contains(other.exitCode) && other.messages.contains(word), "\(other.messages)")
    }
    let inspected = try DsegProcess.run(["inspect", world.folder.path("whole/model.safetensors")])
    let rows = inspected.output.split(separator: "\n").map { $0.split(separator: " ") }
    #expect(rows.contains(["dseg.train.crop", "random"]) && rows.contains(["dseg.train.scale", "0.5"]))
  }

  /// Said once, with their number, on standard error and in the figures.
  @Test func smallPicturesAreSaid() throws {
    try Image(width: 20, height: 40).write(to: "\(world.images)/small.png")
    let outcome = try pretrain("model", steps: 1, ["--scale", "0.5", "--json"])
    let text = "1 of 4 pictures are smaller than 16 pixels"
    #expect(outcome.exitCode == 0, "\(outcome.messages)")
    #expect(outcome.messages.components(separatedBy: text).count == 2, "\(outcome.messages)")
    #expect(outcome.output.contains(text), "\(outcome.output)")
  }

  @Test(arguments: [
    (["--crop", "centre", "--scale", "0.5"], "--scale"), (["--crop", "middle"], "--crop"),
    (["--scale", "0.5", "--pixel-size", "1"], "--pixel-size"), (["--scale", "0"], "scale"),
    (["--crop", "random", "--scale", "nan"], "scale"),
  ])
  func flagsThatDoNotFit(_ flags: [String], _ word: String) throws {
    let outcome = try pretrain("model", steps: 1, flags)
    #expect(outcome.exitCode == 64 && outcome.messages.contains(word), "\(outcome.messages)")
    #expect(!FileManager.default.fileExists(atPath: world.folder.path("model")))
  }

  /// Tiles of a segmenter have the scale of the squares, unless somebody says otherwise.
  @Test func tilesHaveTheScaleOfTheSquares() throws {
    #expect(try pretrain("model", steps: 1, ["--scale", "0.6"]).exitCode == 0)
    #expect(try pretrain("middle", steps: 1, []).exitCode == 0)
    let segmenter = world.folder.path("s.safetensors")
    for (model, flags, fit, isGuessed) in [
      ("model", ["--fit", "tile"], "tile:scale=0.6", true), ("model", [], "tile:scale=0.6", true),
      ("model", ["--overlap", "0.5"], "tile:scale=0.6,overlap=0.5", true),
      ("model", ["--scale", "1"], "tile", false), ("model", ["--fit", "pad"], "pad", false),
      ("middle", ["--fit", "tile"], "tile", false),
    ] {
      let trained = try DsegProcess.run(
        [
          "train", "--checkpoint", world.folder.path("\(model)/model.safetensors"), "--images", world.images,
          "--classes", "2", "--models", "1", "--epochs", "1", "--output", segmenter, "--blocks", "1",
          "--steps", "50",
        ] + flags)
      #expect(trained.exitCode == 0, "\(trained.messages)")
      #expect(try SegmenterFile(contentsOf: segmenter).record.fit == fit, "\(model) \(flags)")
      #expect(trained.messages.contains("as the squares were") == isGuessed, "\(trained.messages)")
    }
  }
}
