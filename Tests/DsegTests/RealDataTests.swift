import Checkpoints
import DiffusionSegmentation
import Foundation
import TestSupport
import Testing

/// Folders and files as people have them, through the command line.
struct RealDataTests {
  let world: TinyWorld
  let segmenter: String
  let network = ["--image-size", "32", "--head-channels", "32"]

  init() throws {
    world = try TinyWorld()
    segmenter = world.folder.path("s.safetensors")
    try world.train().write(to: segmenter)
  }

  private func json(_ outcome: DsegProcess.Outcome) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
  }

  private func breakPicture(_ name: String) throws {
    let url = URL(fileURLWithPath: "\(world.images)/\(name)")
    let whole = try Data(contentsOf: url)
    try whole.prefix(whole.count / 2).write(to: url)
  }

  private func predict(_ more: [String] = [], output: String = "out") throws -> DsegProcess.Outcome {
    try DsegProcess.run(
      ["predict", "--segmenter", segmenter, "--output", world.folder.path(output), "--json"] + more
        + [world.images])
  }

  @Test func aBrokenPictureDoesNotEndAPrediction() throws {
    try breakPicture("scene1.png")
    let outcome = try predict()
    #expect(outcome.exitCode == 65 && outcome.messages.contains("left out: \(world.images)/scene1.png"))
    let figures = try json(outcome)
    #expect((figures["pictures"] as? [[String: Any]])?.count == 2)
    let failed = try #require(figures["failed"] as? [[String: Any]])
    #expect(failed.map { $0["image"] as? String } == ["\(world.images)/scene1.png"])
    #expect((figures["notices"] as? [[String: Any]])?.first?["kind"] as? String == "left out")
    #expect(try world.folder.contents("out").filter { $0.hasSuffix(".npy") } == ["scene0.npy", "scene2.npy"])
  }

  @Test func aBrokenPictureEndsAStrictPrediction() throws {
    try breakPicture("scene1.png")
    let outcome = try predict(["--strict"])
    #expect(outcome.exitCode == 65 && outcome.output.isEmpty)
    #expect(outcome.messages.contains("error: \(world.images)/scene1.png"))
  }

  @Test func theSameNameInTwoFolders() throws {
    for folder in ["a", "b"] {
      _ = try world.folder.folder("images/\(folder)")
      for ending in ["png", "npy"] {
        try FileManager.default.copyItem(
          atPath: "\(world.images)/scene0.\(ending)", toPath: "\(world.images)/\(folder)/scene0.\(ending)")
      }
    }
    let predicted = try predict()
    #expect(predicted.exitCode == 0, "\(predicted.messages)")
    #expect(try world.folder.contents("out/a").contains("scene0.npy"))
    #expect(try world.folder.contents("out/b").contains("scene0.overlay.png"))
    let results = world.folder.path("results")
    let evaluated = try DsegProcess.run(
      ["evaluate", "--segmenter", segmenter, "--images", world.images, "--output", results])
    #expect(evaluated.exitCode == 0, "\(evaluated.messages)")
    #expect(try world.folder.contents("results/predictions/b") == ["scene0.npy"])
    let features = try DsegProcess.run(
      ["features", "--checkpoint", world.checkpoint, "--steps", "50", "--blocks", "1", "--output"]
        + [world.folder.path("f.safetensors"), world.images] + network)
    #expect(features.exitCode == 0, "\(features.messages)")
    let names = try SafetensorsFile(contentsOf: world.folder.path("f.safetensors")).tensors.map(\.name)
    #expect(names.contains("a/scene0/step50/block1") && names.contains("scene0/step50/block1"))
    let copies = try DsegProcess.run(
      ["augment", "--images", world.images, "--classes", "2", "--growth", "2", "--output"]
        + [world.folder.path("copies")])
    #expect(copies.exitCode == 0, "\(copies.messages)")
    #expect(try world.folder.contents("copies/a") == ["scene0_0.npy", "scene0_0.png"])
  }

  @Test func trainShowsItsLabels() throws {
    let arguments =
      [
        "train", "--checkpoint", world.checkpoint, "--images", world.images, "--classes", "2", "--steps",
        "50",
      ]
      + ["--blocks", "1", "--models", "1", "--epochs", "1", "--output", world.folder.path("t.safetensors")]
      + network
    let table = try DsegProcess.run(arguments)
    #expect(table.exitCode == 0 && table.output.contains("ignored (255)"), "\(table.messages)")
    let labels = try #require(try json(DsegProcess.run(arguments + ["--json"]))["labels"] as? [String: Any])
    #expect(labels["pixels"] as? Int == 3 * 1024 && labels["ignored"] as? Int == 0)
    let classes = try #require(labels["classes"] as? [[String: Any]])
    #expect(classes.map { $0["name"] as? String } == ["class 0", "class 1"])
    #expect(classes.compactMap { $0["used"] as? Int }.reduce(0, +) == 3 * 1024)
  }

  @Test func evaluationTellsWhatWasNotLearned() throws {
    for index in 0..<3 {
      let labels = (0..<1024).map { UInt8($0 % 2 == 0 ? 0 : 255) }
      try NpyFile.write(
        NumericArray(labels, shape: [32, 32]), to: "\(world.images)/scene\(index).npy")
    }
    try world.train().write(to: segmenter)
    let outcome = try DsegProcess.run(["evaluate", "--segmenter", segmenter, "--images", world.images])
    #expect(outcome.exitCode == 0)
    #expect(outcome.messages.contains("trained without a pixel of it"), "\(outcome.messages)")
    #expect(outcome.messages.contains("no pixel of any mask"), "\(outcome.messages)")
    let standard = try DsegProcess.run(
      ["evaluate", "--segmenter", segmenter, "--images", world.images, "--metric", "standard"])
    #expect(standard.output.contains("mean IoU (standard), 1 of 2 classes"), "\(standard.output)")
  }

  @Test func flagsThatTrainedMembersIgnoreAreSaid() throws {
    let text = """
      {"exp_dir": "out", "model_type": "ddpm", "category": "x", "number_class": 2, "ignore_label": 255,
       "training_path": "images", "model_path": "tiny.safetensors", "dim": [32, 32, 64],
       "steps": [50], "blocks": [1], "model_num": 1, "batch_size": 64}
      """
    _ = try world.folder.file("ddpm.json", text.utf8)
    let arguments = ["train", "--config", "ddpm.json", "--head-channels", "32", "--epochs", "0", "--json"]
    let first = try DsegProcess.run(arguments, in: world.folder.path)
    #expect(first.exitCode == 0, "\(first.messages)")
    let trained = try Segmenter(contentsOf: world.folder.path("out/50_1/segmenter.safetensors"))
    var writer = SafetensorsWriter()
    for tensor in trained.ensemble.members[0].namedTensors { writer.append(tensor.name, tensor.array) }
    try writer.write(to: world.folder.path("out/50_1/model_0.pth"))
    let second = try DsegProcess.run(arguments, in: world.folder.path)
    #expect(second.exitCode == 0 && second.messages.contains("ignored: --epochs"), "\(second.messages)")
  }
}
