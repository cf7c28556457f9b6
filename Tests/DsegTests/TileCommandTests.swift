import Checkpoints
import DiffusionSegmentation
import Foundation
import Images
import TestSupport
import Testing

/// Large pictures, and labels of other tools, through the command line.
struct TileCommandTests {
  let world: TinyWorld
  private let network = ["--image-size", "32", "--head-channels", "32", "--blocks", "1", "--steps", "50"]

  init() throws { world = try TinyWorld(pictures: 3, width: 80, height: 70) }

  private var segmenter: String { world.folder.path("s.safetensors") }

  private func train(_ more: [String]) throws -> DsegProcess.Outcome {
    try DsegProcess.run(
      [
        "train", "--checkpoint", world.checkpoint, "--images", world.images, "--classes", "2", "--models",
        "2",
        "--epochs", "1", "--output", segmenter,
      ] + network + more)
  }

  private func predict(_ more: [String], _ output: String = "o") throws -> DsegProcess.Outcome {
    try DsegProcess.run(
      ["predict", "--segmenter", segmenter, "--output", world.folder.path(output)] + more + [world.images])
  }

  private func mask(_ path: String) throws -> LabelMask {
    try LabelMask(contentsOf: world.folder.path(path), classes: world.classes)
  }

  /// More than twice the model's 32 pixels: tiles unless somebody says otherwise, and the segmenter keeps it.
  @Test func largePicturesAreCutUnlessSaid() throws {
    let guessed = try train([])
    #expect(guessed.exitCode == 0, "\(guessed.messages)")
    #expect(guessed.messages.contains("guessed") && guessed.messages.contains("cut into tiles"))
    #expect(try SegmenterFile(contentsOf: segmenter).record.fit == "tile")
    let told = try train(["--fit", "pad"])
    #expect(told.exitCode == 0 && !told.messages.contains("tiles"))
    #expect(try SegmenterFile(contentsOf: segmenter).record.fit == "pad")
    let scaled = try train(["--scale", "0.5", "--overlap", "0.5", "--pixels", "100"])
    #expect(scaled.exitCode == 0 && !scaled.messages.contains("guessed"), "\(scaled.messages)")
    let record = try SegmenterFile(contentsOf: segmenter).record
    #expect(record.fit == "tile:scale=0.5,overlap=0.5" && record.training?.pixelsPerPicture == 100)
    let predicted = try predict([])
    #expect(predicted.exitCode == 0 && !predicted.messages.contains("warning"), "\(predicted.messages)")
    let found = try mask("o/scene0.npy")
    #expect(found.width == 80 && found.height == 70)
    let other = try predict(["--overlap", "0"], "p")
    #expect(other.messages.contains("--fit tile:scale=0.5,overlap=0.0"), "\(other.messages)")
  }

  @Test(arguments: [
    (["--fit", "pad", "--scale", "0.5"], "--scale"), (["--fit", "crop", "--overlap", "0.5"], "--overlap"),
    (["--scale", "0"], "scale"), (["--scale", "0.5", "--pixel-size", "1"], "--pixel-size"),
    (["--overlap", "0.9"], "overlap"), (["--fit", "tiles"], "--fit"),
    (["--fit", "pad", "--pixels", "9"], "--pixels"),
    (["--fit", "tile", "--pixels", "0"], "--pixels"),
  ])
  func flagsThatDoNotFit(_ flags: [String], _ word: String) throws {
    let outcome = try train(flags)
    #expect(outcome.exitCode == 64 && outcome.messages.contains(word), "\(outcome.messages)")
    #expect(!FileManager.default.fileExists(atPath: segmenter))
  }

  /// A picture that does not say how large its pixels are.
  @Test func unknownPixelSizesAreRefused() throws {
    let outcome = try train(["--pixel-size", "0.5"])
    #expect(outcome.exitCode == 65 && outcome.messages.contains("pixel size"), "\(outcome.messages)")
  }

  /// Labels in every form, which are those of the mask when they are read again, and are trained on.
  @Test(arguments: ["coco", "labelme", "geojson"])
  func labelsGoToOtherToolsAndBack(_ format: String) throws {
    let classes = world.folder.path("classes.json")
    try world.classes.write(to: classes)
    let first = try DsegProcess.run(
      [
        "train", "--checkpoint", world.checkpoint, "--images", world.images, "--classes", classes, "--models",
        "2", "--epochs", "3", "--output", segmenter, "--scale", "0.5",
      ] + network)
    #expect(first.exitCode == 0, "\(first.messages)")
    let predicted = try predict(["--format", format, "--format", "npy"], "labels")
    #expect(predicted.exitCode == 0, "\(predicted.messages)")
    let labels =
      world.folder.path(format == "coco" ? "labels/annotations.json" : "labels")
    if format != "coco" {
      for name in try FileManager.default.contentsOfDirectory(atPath: labels) where name.hasSuffix(".npy") {
        try FileManager.default.moveItem(atPath: "\(labels)/\(name)", toPath: world.folder.path(name))
      }
      for name in try FileManager.default.contentsOfDirectory(atPath: labels) where name.hasSuffix(".png") {
        try FileManager.default.removeItem(atPath: "\(labels)/\(name)")
      }
    }
    let read = try LabelledImages(directory: world.images, classes: world.classes, labels: labels)
    #expect(read.count == 3)
    for index in 0..<3 {
      let expected = try mask(format == "coco" ? "labels/scene\(index).npy" : "scene\(index).npy")
      let same = try read.load(index).mask == expected
      #expect(same, "scene\(index)")
    }
    let again = try DsegProcess.run(
      [
        "train", "--checkpoint", world.checkpoint, "--images", world.images, "--labels", labels, "--classes",
        classes, "--models", "2", "--epochs", "1", "--fit", "pad", "--output",
        world.folder.path("t.safetensors"),
      ] + network)
    #expect(again.exitCode == 0, "\(again.messages)")
  }

  /// Objects of pictures that a segmenter labels.
  @Test func objectsOfASegmenter() throws {
    #expect(try train(["--scale", "0.5"]).exitCode == 0)
    let outcome = try DsegProcess.run(["measure", "--segmenter", segmenter, world.images])
    #expect(outcome.exitCode == 0, "\(outcome.messages)")
    let lines = outcome.output.split(separator: "\n")
    #expect(lines[0].hasPrefix("picture,object,class,area"))
    #expect(lines.count > 1 && lines.dropFirst().allSatisfy { $0.contains("scene") }, "\(outcome.output)")

    // The pretrained model is somewhere else by now.
    let moved = world.folder.path("moved/model.safetensors")
    _ = try world.folder.folder("moved")
    try FileManager.default.moveItem(atPath: world.checkpoint, toPath: moved)
    let lost = try DsegProcess.run(["measure", "--segmenter", segmenter, world.images])
    #expect(lost.exitCode == 66, "\(lost.messages)")
    let found = try DsegProcess.run([
      "measure", "--segmenter", segmenter, "--checkpoint", moved, world.images,
    ])
    #expect(found.exitCode == 0 && found.output == outcome.output, "\(found.messages)")
  }
}
