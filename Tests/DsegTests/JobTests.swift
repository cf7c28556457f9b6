import Checkpoints
import DiffusionCore
import DiffusionSegmentation
import Experiments
import Foundation
import Images
import TestSupport
import Testing

/// The main job through the command line, on a tiny model.
struct JobTests {
  let world: TinyWorld
  let network = ["--image-size", "32", "--head-channels", "32"]

  init() throws { world = try TinyWorld() }

  private func train(_ output: String, _ more: [String] = []) throws -> DsegProcess.Outcome {
    try DsegProcess.run(
      [
        "train", "--checkpoint", world.checkpoint, "--images", world.images, "--classes", "2", "--steps",
        "50,250",
      ]
        + ["--blocks", "1,3", "--models", "2", "--epochs", "1", "--output", output] + network + more)
  }

  @Test func trainsPredictsAndEvaluates() throws {
    let segmenter = world.folder.path("s.safetensors")
    let trained = try train(segmenter)
    #expect(trained.exitCode == 0, "\(trained.messages)")

    let masks = world.folder.path("masks")
    let predicted = try DsegProcess.run([
      "predict", "--segmenter", segmenter, "--output", masks, world.images,
    ])
    #expect(predicted.exitCode == 0, "\(predicted.messages)")
    let expected = (0..<3).flatMap { index in
      ["npy", "overlay.png", "png", "uncertainty.png"].map { "scene\(index).\($0)" }
    }
    #expect(try world.folder.contents("masks") == ["predictions.jsonl"] + expected.sorted())
    let labels = try NpyFile(contentsOf: "\(masks)/scene1.npy").array
    #expect(labels.elementType == .uint8 && labels.shape == [32, 32])
    #expect(try LabelMask(contentsOf: "\(masks)/scene1.png").labels == labels.uint8s())

    let results = world.folder.path("results")
    let evaluated = try DsegProcess.run(
      ["evaluate", "--segmenter", segmenter, "--images", world.images, "--output", results])
    #expect(evaluated.exitCode == 0, "\(evaluated.messages)")
    #expect(evaluated.output.contains("mean IoU (ledm)"))
    #expect(try world.folder.contents("results") == ["metrics.json", "predictions", "sheet.png"])
    let metrics = try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: "\(results)/metrics.json")))
        as? [String: Any])
    #expect(metrics["metric"] as? String == "ledm")
    #expect((metrics["miou"] as? Double).map { $0 > 0.9 && $0 <= 1 } == true)
    let classes = try #require(metrics["per_class"] as? [[String: Any]])
    #expect(classes.map { $0["name"] as? String } == ["class 0", "class 1"])
    #expect(classes.allSatisfy { $0["iou"] is Double })
    #expect(metrics["pixel_accuracy"] is Double && metrics["seconds"] is Double)
  }

  @Test func configurationOfTheReferenceWorks() throws {
    let text = """
      {"exp_dir": "out", "model_type": "ddpm", "category": "x", "number_class": 2, "ignore_label": 255,
       "training_path": "images", "testing_path": "images", "model_path": "tiny.safetensors",
       "dim": [32, 32, 192], "steps": [50, 250], "blocks": [1, 3], "model_num": 2, "batch_size": 64,
       "training_number": 3, "testing_number": 2, "upsample_mode": "bilinear", "share_noise": true}
      """
    _ = try world.folder.file("ddpm.json", text.utf8)
    let outcome = try DsegProcess.run(
      ["train", "--config", "ddpm.json", "--head-channels", "32", "--epochs", "1"], in: world.folder.path)
    #expect(outcome.exitCode == 0, "\(outcome.messages)")
    let files = try world.folder.contents("out/50_250_1_3")
    #expect(files == ["metrics.json", "predictions", "segmenter.safetensors", "sheet.png"])
    #expect(try world.folder.contents("out/50_250_1_3/predictions") == ["scene0.npy", "scene1.npy"])
  }

  @Test func featuresHaveTheirNamesAndShapes() throws {
    let path = world.folder.path("f.safetensors")
    let outcome = try DsegProcess.run(
      [
        "features", "--checkpoint", world.checkpoint, "--steps", "250,50", "--blocks", "3,1", "--output",
        path,
      ]
        + network + ["\(world.images)/scene2.png"])
    #expect(outcome.exitCode == 0, "\(outcome.messages)")
    let tensors = try SafetensorsFile(contentsOf: path).tensors
    let found = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.array.shape) })
    let expected = [
      "scene2/step50/block1": [64, 32, 32], "scene2/step50/block3": [32, 32, 32],
      "scene2/step250/block1": [64, 32, 32], "scene2/step250/block3": [32, 32, 32],
    ]
    #expect(found == expected)
  }

  /// Noise from a file replaces the seed's; that of the seed gives the same features.
  @Test func noiseFileIsUsed() throws {
    let noise = try #require(FeatureNoise.shared(seed: 4).sharedTensor(channels: 3, size: 32))
    try NpyFile.write(NumericArray(noise.reshaped([1, 3, 32, 32])), to: world.folder.path("noise.npy"))
    func features(_ more: [String]) throws -> Data {
      let path = world.folder.path("f.safetensors")
      let outcome = try DsegProcess.run(
        ["features", "--checkpoint", world.checkpoint, "--blocks", "1", "--output", path]
          + network + more + ["\(world.images)/scene0.png"])
      #expect(outcome.exitCode == 0, "\(outcome.messages)")
      return try Data(contentsOf: URL(fileURLWithPath: path))
    }
    let fromFile = try features(["--noise", world.folder.path("noise.npy")])
    #expect(try features(["--seed", "4"]) == fromFile)
    #expect(try features(["--seed", "5"]) != fromFile)
  }

  /// Pictures beside the components of their features; the same bytes for the same seed.
  @Test func featuresAsColours() throws {
    func sheet(_ name: String, _ more: [String]) throws -> Image {
      let outcome = try DsegProcess.run(
        ["features", "--checkpoint", world.checkpoint, "--blocks", "1,3", "--pca", world.folder.path(name)]
          + network + more + [world.images])
      #expect(outcome.exitCode == 0 && outcome.output.contains(name), "\(outcome.messages)")
      return try Image(contentsOf: world.folder.path(name))
    }
    let one = try sheet("one.png", ["--output", world.folder.path("f.safetensors")])
    #expect(one.width > 256 && one.height > 3 * 128)
    #expect(try SafetensorsFile(contentsOf: world.folder.path("f.safetensors")).tensors.count == 3 * 3 * 2)
    #expect(try sheet("two.png", []) == one)
    #expect(try sheet("three.png", ["--seed", "3"]) != one)
    #expect(try DsegProcess.run(["features", "--checkpoint", world.checkpoint, world.images]).exitCode == 64)
  }

  /// Copies on a sheet and in a folder; the labels are those of the pictures.
  @Test func augmentShowsAndWrites() throws {
    let (sheet, grown) = (world.folder.path("copies.png"), world.folder.path("grown"))
    let outcome = try DsegProcess.run([
      "augment", "--images", world.images, "--classes", "2", "--augmentations", "flip",
      "--augment-probability", "1",
      "--growth", "2", "--preview", sheet, "--output", grown,
    ])
    #expect(outcome.exitCode == 0 && outcome.output.contains("3 pictures, 3 copies"), "\(outcome.messages)")
    #expect(try Image(contentsOf: sheet).height > 3 * 32)
    let labelled = try LabelledImages(directory: grown, classes: world.classes)
    #expect(labelled.count == 3 || labelled.count == 6)
    let copy = try labelled.load(labelled.count - 1)
    let original = try world.labelled().load(2)
    for x in 0..<32 {
      #expect(copy.mask[x, 16] == original.mask[31 - x, 16] && copy.image[x, 9] == original.image[31 - x, 9])
    }
  }

  /// An experiment with folds, a variant and JSON; a second run has nothing to do.
  @Test func experimentsFromTheCommandLine() throws {
    let arguments =
      [
        "experiment", "--checkpoint", world.checkpoint, "--train", world.images, "--classes", "2", "--steps",
        "50",
      ]
      + ["--blocks", "1,3", "--folds", "3", "--presets", "none", "--seeds", "1", "--json"] + network
      + [
        "--variant", "one=init,models=1", "--variant",
        "two=init,models=2,noises=2,test-time=flip,combine=mean", "--output",
        world.folder.path("e"),
      ]
    let outcome = try DsegProcess.run(arguments)
    #expect(outcome.exitCode == 0, "\(outcome.messages)")
    let report = try JSONDecoder().decode(ExperimentReport.self, from: Data(outcome.output.utf8))
    #expect(report.presets.map(\.id) == ["one", "two"] && report.setup.folds == 3)
    #expect(outcome.messages.contains("seed 0, fold 2, two"))
    let again = try DsegProcess.run(arguments.filter { $0 != "--json" })
    #expect(again.exitCode == 0 && !again.messages.contains("seed 0"), "\(again.messages)")
    let mean = report.presets[1].scores[0].miou.mean
    #expect(
      again.output.contains(String(format: "%.2f", mean * 100))
        && again.output.contains("report.html shows it"))
  }

  /// `-b key=value` is the flag of that name.
  @Test func settingsByTheirKeys() throws {
    func features(_ name: String, _ flags: [String]) throws -> DsegProcess.Outcome {
      try DsegProcess.run(
        ["features", "--checkpoint", world.checkpoint, "--output", world.folder.path(name)] + flags
          + ["\(world.images)/scene0.png"])
    }
    let short = ["--image-size", "32", "--head-channels", "32", "--steps", "50", "--blocks", "1,3"]
    let keys = ["image-size=32", "head-channels=32", "steps=50", "blocks=1,3"].flatMap { ["-b", $0] }
    for (name, flags) in [("a", short), ("b", keys), ("c", keys + ["--backbone", "guided-diffusion"])] {
      let outcome = try features("\(name).safetensors", flags)
      #expect(outcome.exitCode == 0, "\(outcome.messages)")
    }
    let files = try ["a", "b", "c"].map {
      try Data(contentsOf: URL(fileURLWithPath: world.folder.path("\($0).safetensors")))
    }
    #expect(files[0] == files[1] && files[0] == files[2])
    for (flags, word) in [
      (["-b", "speed=9"], "speed=9"), (["-b", "steps"], "key=value"),
      (["--backbone", "other"], "guided-diffusion"),
      (["-b", "steps=x"], "numbers joined by commas"),
    ] {
      let outcome = try features("d.safetensors", keys + flags)
      #expect(outcome.exitCode == 64 && outcome.messages.contains(word), "\(outcome.messages)")
    }
  }

  @Test func inspectListsSettings() throws {
    let outcome = try DsegProcess.run(["inspect", "--settings"])
    #expect(outcome.exitCode == 0 && outcome.output.hasPrefix("guided-diffusion: "))
    for key in ["head-channels", "steps", "noise-seed"] {
      #expect(outcome.output.split(separator: "\n").contains { $0.hasPrefix("  \(key) ") })
    }
    #expect(try DsegProcess.run(["inspect", "--settings", world.checkpoint]).exitCode == 64)
    #expect(try DsegProcess.run(["inspect"]).exitCode == 64)
  }

  @Test func inspectTellsTheArchitecture() throws {
    let outcome = try DsegProcess.run(["inspect", "--json", "--image-size", "32", world.checkpoint])
    #expect(outcome.exitCode == 0)
    let report = try #require(JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    let network = try #require(report["network"] as? [String: Any])
    #expect(network["levels"] as? Int == 2 && network["resampling"] as? String == "residual")
    #expect((network["activations"] as? [Any])?.count == 4)
    #expect((report["blasCore"] as? String)?.isEmpty == false)
  }

  @Test func helpHasAnExampleForEveryCommand() throws {
    for command in ["inspect", "features", "train", "predict", "evaluate"] {
      let outcome = try DsegProcess.run(["help", command])
      #expect(outcome.exitCode == 0 && outcome.output.contains("Example:\n"), "\(command)")
      #expect(outcome.output.contains("--threads") && outcome.output.contains("--json"), "\(command)")
    }
  }

  @Test func aConvertedModelNeedsNoFlags() throws {
    let model = world.folder.path("half.safetensors")
    let converted = try DsegProcess.run(
      ["convert", "--checkpoint", world.checkpoint, "--half", "--output", model] + network)
    #expect(converted.exitCode == 0, "\(converted.messages)")
    #expect(converted.output.hasPrefix(model))
    let bare = try DsegProcess.run([
      "features", "--checkpoint", model, "--steps", "50", "--blocks", "1", "--output",
      world.folder.path("f.safetensors"), "\(world.images)/scene0.png",
    ])
    #expect(bare.exitCode == 0, "\(bare.messages)")
  }
}
