import Base
import DiffusionSegmentation
import Foundation
import TestSupport
import Testing

/// Where commands write to: pipes, links, folders that others use, and what a stopped command leaves.
struct OutputTests {
  let world: TinyWorld
  let network = ["--image-size", "32", "--head-channels", "32"]

  init() throws { world = try TinyWorld(pictures: 2) }

  private func features(_ output: [String]) throws -> DsegProcess.Outcome {
    try DsegProcess.run(
      ["features", "--checkpoint", world.checkpoint, "--steps", "50", "--blocks", "1"] + network + output
        + ["\(world.images)/scene0.png"])
  }

  private func kind(_ path: String) -> mode_t {
    var status = stat()
    lstat(path, &status)
    return status.st_mode & S_IFMT
  }

  @Test func pipesAndDevicesStay() throws {
    let pipe = world.folder.path("pipe")
    mkfifo(pipe, 0o600)
    let reader = try PipeReader(pipe)
    #expect(try features(["--output", pipe]).exitCode == 0)
    #expect(try features(["--output", world.folder.path("f.safetensors")]).exitCode == 0)
    #expect(
      try reader.data() == Data(contentsOf: URL(fileURLWithPath: world.folder.path("f.safetensors"))))
    #expect(kind(pipe) == S_IFIFO)
    // A picture without an ending, and two results in one place.
    let outcome = try features(["--output", "/dev/null", "--pca", "/dev/null"])
    #expect(outcome.exitCode == 0, "\(outcome.messages)")
    #expect(kind("/dev/null") == S_IFCHR)
  }

  /// Results must not follow the file on the same stream.
  @Test func standardOutputTakesAFile() throws {
    let outcome = try features(["--pca", "/dev/stdout"])
    #expect(outcome.exitCode == 0 && outcome.messages.contains("1 pictures"), "\(outcome.messages)")
  }

  @Test func linksStay() throws {
    let link = world.folder.path("link.safetensors")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "target.safetensors")
    #expect(try features(["--output", link]).exitCode == 0)
    #expect(kind(link) == S_IFLNK && kind(world.folder.path("target.safetensors")) == S_IFREG)
  }

  /// Before the model is opened, which is not there.
  @Test(arguments: [
    ["sample", "--output", "sheet.jgp"], ["sample", "--output", "sheet"],
    ["features", "--pca", "sheet.gif", "."],
    ["features", "--output", "f.npz", "."], ["convert", "--output", "model.pt"],
    ["augment", "--preview", "copies.bmp", "--images", "."],
  ])
  func endingsAreLookedAtFirst(arguments: [String]) throws {
    let model = arguments[0] == "augment" ? [] : ["--checkpoint", "/nowhere.pt"]
    let outcome = try DsegProcess.run(
      [arguments[0]] + model + arguments.dropFirst(), in: world.images)
    #expect(outcome.exitCode == 64 && outcome.messages.contains("extension"), "\(outcome.messages)")
  }

  /// Two names for one folder, and a command that would not write to it for long.
  @Test(arguments: ["scenes", "pretrain", "demo", "evaluate", "experiment"])
  func foldersThatAreInUse(command: String) throws {
    let folder = try world.folder.folder("out")
    let lock = try FolderLock(folder: folder, owner: "a test")
    let arguments: [String]
    switch command {
    case "scenes": arguments = ["--count", "1"]
    case "pretrain":
      arguments = [
        "--images", world.images, "--steps", "1", "--image-size", "8", "--channel-mult", "1",
        "--residual-blocks", "1",
        "--attention-resolutions", "8", "--batch", "2", "--sample-every", "0",
      ]
    case "demo": arguments = []
    case "evaluate":
      let trained = try DsegProcess.run(
        [
          "train", "--checkpoint", world.checkpoint, "--images", world.images, "--classes", "2", "--steps",
          "50",
        ]
          + [
            "--blocks", "1", "--models", "1", "--epochs", "1", "--output", world.folder.path("s.safetensors"),
          ]
          + network)
      #expect(trained.exitCode == 0, "\(trained.messages)")
      arguments = ["--segmenter", world.folder.path("s.safetensors"), "--images", world.images]
    default:
      arguments =
        ["--checkpoint", world.checkpoint, "--train", world.images, "--test", world.images, "--classes", "2"]
        + ["--blocks", "1", "--steps", "50", "--presets", "init", "--seeds", "1"] + network
    }
    let outcome = try DsegProcess.run([command] + arguments + ["--output", folder])
    #expect(outcome.exitCode == 73 && outcome.messages.contains("process \(getpid())"), "\(outcome.messages)")
    withExtendedLifetime(lock) {}
  }

  /// What a killed command left goes with the next one in the folder.
  @Test func leftoversAreClearedAway() throws {
    let scenes = try DsegProcess.start([
      "scenes", "--count", "100000", "--masks", "--output", world.folder.path("s"),
    ])
    let deadline = Date() + 30
    func contents() -> [String] { (try? world.folder.contents("s")) ?? [] }
    while Date() < deadline, !contents().contains(where: { $0.hasSuffix(".tmp") }) { usleep(200) }
    kill(scenes.processIdentifier, SIGKILL)
    scenes.waitUntilExit()
    #expect(
      try DsegProcess.run(["scenes", "--count", "1", "--masks", "--output", world.folder.path("s")]).exitCode
        == 0)
    #expect(!contents().contains { $0.hasPrefix(".") })
    // Every picture has its labels.
    for name in contents() where name.hasSuffix(".png") && !name.hasSuffix(".mask.png") {
      #expect(contents().contains(name.replacing(".png", with: ".mask.png")))
    }
  }

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func askedToStopItSaysSo(signal: Int32, exitCode: Int32) throws {
    let process = try DsegProcess.start(["scenes", "--count", "100000", "--output", world.folder.path("s")])
    let deadline = Date() + 30
    while Date() < deadline, ((try? world.folder.contents("s")) ?? []).count < 3 { usleep(1000) }
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == exitCode)
    #expect(try world.folder.contents("s").allSatisfy { $0.hasSuffix(".png") && !$0.hasPrefix(".") })
  }

  /// More than any machine has, with figures.
  @Test func whatNoMemoryHolds() throws {
    #if os(Linux)
      let pretrain = try DsegProcess.run([
        "pretrain", "--images", world.images, "--steps", "1", "--image-size", "1024", "--batch", "65536",
        "--output",
        world.folder.path("p"),
      ])
      #expect(pretrain.exitCode == 65 && pretrain.messages.contains(" GB needed"), "\(pretrain.messages)")
      #expect(!FileManager.default.fileExists(atPath: world.folder.path("p")))
      let sample = try DsegProcess.run([
        "sample", "--checkpoint", world.checkpoint, "--image-size", "16384", "--head-channels", "32",
        "--batch", "16",
        "--output", world.folder.path("s.png"),
      ])
      #expect(sample.exitCode == 65 && sample.messages.contains(" GB needed"), "\(sample.messages)")
    #endif
  }
}
