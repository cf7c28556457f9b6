import Checkpoints
import DiffusionSegmentation
import Foundation
import Images
import TestSupport
import Testing

/// Bad input through the command line: a message that names file and cause, the exit code, and nothing written.
struct BadInputTests {
  let world: TinyWorld
  let network = ["--image-size", "32", "--head-channels", "32"]

  init() throws { world = try TinyWorld() }

  private func expectFailure(
    _ arguments: [String], exitCode: Int32, mentioning words: [String],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let before = try everything()
    let outcome = try DsegProcess.run(arguments)
    #expect(outcome.exitCode == exitCode, "\(outcome.messages)", sourceLocation: sourceLocation)
    for word in words {
      #expect(outcome.messages.contains(word), "\(outcome.messages)", sourceLocation: sourceLocation)
    }
    #expect(outcome.output.isEmpty, sourceLocation: sourceLocation)
    #expect(try everything() == before, "something was written", sourceLocation: sourceLocation)
  }

  /// Every file of the world's folder.
  private func everything() throws -> Set<String> {
    Set(try FileManager.default.subpathsOfDirectory(atPath: world.folder.path))
  }

  private func training(
    checkpoint: String? = nil, images: String? = nil, classes: String = "2", output: String = "s.safetensors",
    _ more: [String] = []
  ) -> [String] {
    let destination = output.hasPrefix("/") ? output : world.folder.path(output)
    var arguments = ["train", "--checkpoint", checkpoint ?? world.checkpoint, "--output", destination]
    arguments += ["--images", images ?? world.images, "--classes", classes, "--blocks", "1", "--steps", "50"]
    arguments += ["--models", "1", "--epochs", "1"]
    return arguments + network + more
  }

  @Test func missingFiles() throws {
    try expectFailure(training(checkpoint: "/nowhere.pt"), exitCode: 66, mentioning: ["/nowhere.pt"])
    try expectFailure(training(images: "/nowhere"), exitCode: 66, mentioning: ["/nowhere"])
    try expectFailure(training(classes: "/nowhere.json"), exitCode: 66, mentioning: ["/nowhere.json"])
    try expectFailure(["inspect", "/nowhere.pt"], exitCode: 66, mentioning: ["/nowhere.pt"])
    try expectFailure(
      ["predict", "--segmenter", "/nowhere.safetensors", "--output", world.folder.path("out"), world.images],
      exitCode: 66, mentioning: ["/nowhere.safetensors"])
  }

  @Test(arguments: ["1", "-1", "0", "63MB", "4XB", "GB", "1e9", "nan", ""])
  func memoryThatIsNoSize(_ size: String) throws {
    try expectFailure(training(["--memory=\(size)"]), exitCode: 64, mentioning: ["--memory"])
  }

  @Test func workAboveTheBudgetIsRefused() throws {
    let arguments = [
      "features", "--checkpoint", world.checkpoint, "--head-channels", "32", "--steps", "50", "--blocks", "1",
      "--output", world.folder.path("f.safetensors"), "\(world.images)/scene0.png",
    ]
    try expectFailure(
      arguments + ["--image-size", "512", "--memory", "70MB"], exitCode: 65,
      mentioning: ["the memory budget", "0.07 GB"])
    let outcome = try DsegProcess.run(arguments + ["--image-size", "32", "--memory", "0.07G"])
    #expect(outcome.exitCode == 0, "\(outcome.messages)")
  }

  /// One picture at a time they fit, but the components need all.
  @Test func componentsOfManyPicturesAreRefused() throws {
    let folder = try world.folder.folder("many")
    for index in 0..<40 {
      try FileManager.default.copyItem(
        atPath: "\(world.images)/scene0.png", toPath: "\(folder)/\(index).png")
    }
    try expectFailure(
      [
        "features", "--checkpoint", world.checkpoint, "--head-channels", "32", "--steps", "50", "--blocks",
        "1",
        "--image-size", "128", "--memory", "70MB", "--pca", world.folder.path("p.png"), folder,
      ], exitCode: 65, mentioning: ["the memory budget", "40 pictures, all at once"])
  }

  @Test func damagedCheckpoints() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: world.checkpoint))
    let cut = try world.folder.file("cut.safetensors", whole.prefix(whole.count / 2))
    try expectFailure(training(checkpoint: cut), exitCode: 65, mentioning: ["cut.safetensors"])
    let empty = try world.folder.file("empty.pt", [])
    try expectFailure(training(checkpoint: empty), exitCode: 65, mentioning: ["empty.pt"])
    let noise = try world.folder.file("noise.pt", (0..<1000).map { UInt8($0 % 251) })
    try expectFailure(training(checkpoint: noise), exitCode: 65, mentioning: ["noise.pt"])
  }

  @Test func pickleThatWouldRunACommand() throws {
    // What `pickle.dumps` makes of an object whose `__reduce__` is `(os.system, ("touch owned",))`.
    var pickle: [UInt8] = [0x80, 2]
    pickle += Array("cposix\nsystem\n".utf8)
    pickle += [0x58, 11, 0, 0, 0] + Array("touch owned".utf8)
    pickle += [0x85, 0x52, 0x2E]
    let path = try world.folder.file("evil.pt", pickle)
    try expectFailure(training(checkpoint: path), exitCode: 65, mentioning: ["evil.pt", "posix.system"])
  }

  @Test func masksThatDoNotFit() throws {
    try NpyFile.write(
      NumericArray([UInt8](repeating: 0, count: 64), shape: [8, 8]), to: "\(world.images)/scene1.npy")
    try expectFailure(training(), exitCode: 65, mentioning: ["scene1.npy", "32×32", "8×8"])
    try NpyFile.write(
      NumericArray([UInt8](repeating: 9, count: 1024), shape: [32, 32]), to: "\(world.images)/scene1.npy")
    try expectFailure(training(), exitCode: 65, mentioning: ["scene1.npy", "found 9"])
    try FileManager.default.removeItem(atPath: "\(world.images)/scene1.npy")
    try expectFailure(training(), exitCode: 66, mentioning: ["scene1.png", "scene1.npy"])
  }

  @Test func damagedPictures() throws {
    let path = "\(world.images)/scene2.png"
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    try whole.prefix(whole.count - 40).write(to: URL(fileURLWithPath: path))
    try expectFailure(training(), exitCode: 65, mentioning: ["scene2.png"])
    try Data("no picture".utf8).write(to: URL(fileURLWithPath: path))
    try expectFailure(training(), exitCode: 65, mentioning: ["scene2.png"])
  }

  @Test func impossibleArguments() throws {
    try expectFailure(
      training(["--head-channels", "48"]), exitCode: 64, mentioning: ["head channels", "48"])
    try expectFailure(training(["--image-size", "31"]), exitCode: 64, mentioning: ["image size", "31"])
    try expectFailure(training(["--blocks", "7"]), exitCode: 64, mentioning: ["blocks", "0: 64@16"])
    try expectFailure(training(["--steps", "1000"]), exitCode: 64, mentioning: ["steps", "1000"])
    try expectFailure(training(["--threads", "0"]), exitCode: 64, mentioning: ["--threads"])
    try expectFailure(training(["--models", "0"]), exitCode: 64, mentioning: ["--models"])
    try expectFailure(training(["--steps", "fifty"]), exitCode: 64, mentioning: ["fifty"])
    try expectFailure(["train"], exitCode: 64, mentioning: ["--checkpoint"])
    try expectFailure(["dance"], exitCode: 64, mentioning: ["dance"])
    try expectFailure(training(classes: "0"), exitCode: 64, mentioning: ["--classes"])
    try expectFailure(training(["--limit", "0"]), exitCode: 64, mentioning: ["limit"])
  }

  /// A network of other than 18 blocks has no default; the message lists what there is.
  @Test func blocksMustBeNamed() throws {
    let arguments = [
      "features", "--checkpoint", world.checkpoint, "--output", world.folder.path("f.safetensors"),
    ]
    try expectFailure(
      arguments + network + ["\(world.images)/scene0.png"], exitCode: 64,
      mentioning: ["--blocks", "0: 64@16, 1: 64@32, 2: 32@32, 3: 32@32"])
  }

  @Test func placesThatCannotBeWrittenTo() throws {
    try expectFailure(training(output: "/nowhere/s.safetensors"), exitCode: 73, mentioning: ["/nowhere"])
  }

  @Test func inputsAreNeverOverwritten() throws {
    let segmenter = world.folder.path("s.safetensors")
    #expect(try DsegProcess.run(training()).exitCode == 0)
    func predict(_ output: String, _ images: [String]) -> [String] {
      ["predict", "--segmenter", segmenter, "--output", output] + images
    }
    try expectFailure(predict(world.images, [world.images]), exitCode: 64, mentioning: ["scene0.npy"])
    let out = world.folder.path("out")
    let scene = "\(world.images)/scene0.png"
    try expectFailure(predict(out, [world.images, scene]), exitCode: 64, mentioning: ["the same name"])
    // Labels made by hand beside a picture that has another ending.
    try FileManager.default.copyItem(atPath: scene, toPath: world.folder.path("a.png"))
    _ = try world.folder.file("a.npy", [1])
    try expectFailure(
      predict(world.folder.path, [world.folder.path("a.png")]), exitCode: 64, mentioning: ["a.npy"])
    // a.overlay.png is both a picture's name and a result's.
    try FileManager.default.copyItem(atPath: scene, toPath: world.folder.path("a.overlay.png"))
    try expectFailure(
      predict(out, [world.folder.path("a.png"), world.folder.path("a.overlay.png")]), exitCode: 64,
      mentioning: ["a.overlay.png"])
    try expectFailure(training(output: world.checkpoint), exitCode: 64, mentioning: ["tiny.safetensors"])
    try expectFailure(
      ["features", "--checkpoint", world.checkpoint, "--blocks", "1", "--output", scene, scene] + network,
      exitCode: 64, mentioning: ["scene0.png"])
  }

  /// What could not be written in the end stops the work before it begins.
  @Test func outputIsCheckedFirst() throws {
    let folder = try world.folder.folder("folder")
    try expectFailure(training(output: folder), exitCode: 73, mentioning: ["a folder"])
  }

  @Test(arguments: ["-1", "1001", "9223372036854775807"])
  func absurdNumbers(_ number: String) throws {
    try expectFailure(training(["--models=\(number)"]), exitCode: 64, mentioning: ["--models"])
    try expectFailure(training(["--epochs=\(number)"]), exitCode: 64, mentioning: ["--epochs"])
    try expectFailure(training(["--image-size=\(number)"]), exitCode: 64, mentioning: ["image size"])
    try expectFailure(training(["--diffusion-steps=0"]), exitCode: 64, mentioning: ["steps"])
  }

  @Test func linksThatGoRound() throws {
    try FileManager.default.createSymbolicLink(atPath: "\(world.images)/loop", withDestinationPath: ".")
    try expectFailure(training(), exitCode: 66, mentioning: ["loop"])
  }

  @Test func hugeMask() throws {
    // A header that asks for 2^30 labels, and no labels.
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (32768, 32768), }"
    let padded = header + String(repeating: " ", count: 117 - header.count) + "\n"
    let bytes = [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(padded.utf8)
    try Data(bytes).write(to: URL(fileURLWithPath: "\(world.images)/scene0.npy"))
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(world.images)/scene0.npy"))
    try file.truncate(atOffset: 128 + 1 << 30)
    try file.close()
    try expectFailure(training(), exitCode: 65, mentioning: ["scene0.npy", "32768"])
  }

  @Test func veryLongPictures() throws {
    try Image(width: 2, height: 90).write(to: "\(world.images)/scene1.png")
    try NpyFile.write(
      NumericArray([UInt8](repeating: 0, count: 180), shape: [90, 2]), to: "\(world.images)/scene1.npy")
    try expectFailure(training(), exitCode: 65, mentioning: ["scene1.png", "2 x 90"])
  }

  @Test func fullDiskBehindStandardOutput() throws {
    guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
    let outcome = try DsegProcess.run(["inspect", world.checkpoint], outputPath: "/dev/full")
    #expect(outcome.exitCode == 74)
  }

  @Test func wrongTypeInAConfiguration() throws {
    let path = try world.folder.file(
      "c.json", #"{"exp_dir": 3, "dim": [32, 32, 64], "ignore_label": 255}"#.utf8)
    try expectFailure(["train", "--config", path], exitCode: 65, mentioning: ["c.json"])
    let alae = try world.folder.file("alae.json", #"{"model_type": "alae"}"#.utf8)
    try expectFailure(
      ["train", "--config", alae], exitCode: 65, mentioning: ["model_type", "alae", "ddpm, mae, swav"])
  }

  @Test func augmentationsOutOfRange() throws {
    let augment = ["augment", "--images", world.images, "--preview", world.folder.path("p.png")]
    try expectFailure(
      augment + ["--augment-probability", "1.5"], exitCode: 64, mentioning: ["probability", "1.5"])
    try expectFailure(augment + ["--growth", "1"], exitCode: 64, mentioning: ["2 to 1000", "found 1"])
    try expectFailure(augment + ["--augmentations", "wild"], exitCode: 64, mentioning: ["wild"])
    try expectFailure(training(["--growth", "0"]), exitCode: 64, mentioning: ["--growth", "found 0"])
    try expectFailure(
      training(["--growth", "2", "--augment-probability=-0.1"]), exitCode: 64,
      mentioning: ["probability", "-0.1"])
    try expectFailure(training(["--redraw"]), exitCode: 64, mentioning: ["--redraw", "no copies"])
    try expectFailure(
      training(["--preset", "best-ever"]), exitCode: 64, mentioning: ["best-ever", "init-11"])
    try expectFailure(training(["--dropout", "1"]), exitCode: 64, mentioning: ["--dropout"])
    try expectFailure(training(["--noises", "3"]), exitCode: 64, mentioning: ["noises", "found 3"])
    try expectFailure(training(["--prepare", "zca"]), exitCode: 64, mentioning: ["standardize", "zca"])
    try expectFailure(
      training(["--test-time", "twice"]), exitCode: 64, mentioning: ["--test-time", "twice"])
    try expectFailure(training(["--post", "close"]), exitCode: 64, mentioning: ["--post", "close"])
  }

  @Test func flipPairsNameClasses() throws {
    let classes = try world.folder.file(
      "pairs.json",
      #"{"classes": [{"id": 0, "name": "ground"}, {"id": 1, "name": "left ear"}], "flip_pairs": [["left ear", "right ear"]]}"#
        .utf8)
    try expectFailure(training(classes: classes), exitCode: 65, mentioning: ["pairs.json", "right ear"])
  }

  @Test func experimentsThatCannotBe() throws {
    let output = world.folder.path("e")
    let base =
      [
        "experiment", "--checkpoint", world.checkpoint, "--train", world.images, "--classes", "2", "--blocks",
        "1",
      ]
      + ["--output", output] + network
    let tested = base + ["--test", world.images]
    try expectFailure(base, exitCode: 64, mentioning: ["--test", "--folds"])
    try expectFailure(tested + ["--folds", "2"], exitCode: 64, mentioning: ["--test", "--folds"])
    try expectFailure(
      base + ["--folds", "4"], exitCode: 64, mentioning: ["folds", "2 to the number", "found 4"])
    try expectFailure(tested + ["--presets", "init,best-ever"], exitCode: 64, mentioning: ["best-ever"])
    try expectFailure(tested + ["--presets", "init,init"], exitCode: 64, mentioning: ["each once"])
    try expectFailure(
      tested + ["--variant", "a=init,speed=2"], exitCode: 64, mentioning: ["a=init,speed=2", "growth"])
    try expectFailure(tested + ["--seeds", "0"], exitCode: 64, mentioning: ["--seeds"])
    try expectFailure(
      base + ["--test", world.folder.path("nowhere")], exitCode: 66, mentioning: ["nowhere"])
  }

  @Test func demoKeepsToItsFolder() throws {
    try expectFailure(
      ["demo", "--output", world.images], exitCode: 73, mentioning: [world.images, "scene0.npy in it"])
    try expectFailure(
      ["demo", "--output", world.folder.path("d"), "--checkpoint", world.folder.path("none.pt")],
      exitCode: 66,
      mentioning: ["none.pt"])
  }

  @Test func convertRefusesWhatIsNoModel() throws {
    try expectFailure(
      ["convert", "--checkpoint", world.checkpoint, "--output", world.checkpoint] + network, exitCode: 64,
      mentioning: [world.checkpoint])
    let text = try world.folder.file("model.pt", Array("not a model".utf8))
    try expectFailure(
      ["convert", "--checkpoint", text, "--output", world.folder.path("o.safetensors")], exitCode: 65,
      mentioning: ["model.pt"])
    try expectFailure(
      [
        "convert", "--checkpoint", world.checkpoint, "--output", world.folder.path("o.safetensors"),
        "--image-size", "33",
      ], exitCode: 64, mentioning: ["multiple of 2"])
  }
}
