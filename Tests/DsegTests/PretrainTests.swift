import DiffusionSegmentation
import Foundation
import Images
import SyntheticScenes
import TestSupport
import Testing

/// Training and sampling of diffusion models through the command line, on tiny pictures.
struct PretrainTests {
  let folder: TemporaryFolder
  /// Small enough for a step in some milliseconds.
  let network = [
    "--image-size", "8", "--channels", "32", "--channel-mult", "1,1", "--residual-blocks", "1",
    "--attention-resolutions", "4", "--batch", "4", "--learning-rate", "1e-3",
  ]

  init() throws {
    folder = try TemporaryFolder()
    for index in 0..<6 {
      let name = index < 3 ? "light" : "dark"
      try FileManager.default.createDirectory(
        atPath: folder.path("pictures/\(name)"), withIntermediateDirectories: true)
      let shade = UInt8(index < 3 ? 180 + 10 * index : 20 + 10 * index)
      try Image(width: 12, height: 9, color: RGB(shade, shade / 2, shade))
        .write(to: folder.path("pictures/\(name)/p\(index).png"))
    }
  }

  private func pretrain(
    _ output: String, steps: Int, _ more: [String] = [], images: String = "pictures"
  ) throws -> DsegProcess.Outcome {
    try DsegProcess.run(
      [
        "pretrain", "--images", folder.path(images), "--output", folder.path(output), "--steps", "\(steps)",
        "--sample-every", "0",
      ] + network + more)
  }

  /// A training that would not end by itself, with something saved to go on from, and until when to wait for it.
  private func startLongTraining(
    _ output: String, saveEvery: Int
  ) throws -> (process: Process, deadline: Date) {
    let process = try DsegProcess.start(
      [
        "pretrain", "--images", folder.path("pictures"), "--output", folder.path(output), "--steps",
        "100000", "--sample-every", "0", "--save-every", "\(saveEvery)",
      ] + network)
    let deadline = Date() + 60
    // A checkpoint that is being written has another name.
    while Date() < deadline, try states(output).isEmpty { usleep(2000) }
    return (process, deadline)
  }

  /// Names of the checkpoints that are complete.
  private func states(_ output: String) throws -> [String] {
    let path = "\(output)/checkpoints"
    guard FileManager.default.fileExists(atPath: folder.path(path)) else { return [] }
    return try folder.contents(path).filter { $0.hasPrefix("step-") }
  }

  private func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: folder.path(path)))
  }

  @Test func writesAModelThatOtherCommandsTake() throws {
    let trained = try pretrain("model", steps: 3, ["--save-every", "2", "--keep", "1"])
    #expect(trained.exitCode == 0, "\(trained.messages)")
    #expect(trained.output.contains("3 steps on 6 pictures"))
    #expect(
      try folder.contents("model") == [
        "checkpoints", "loss.csv", "loss.png", "model.safetensors", "samples-00000003.png",
      ])
    #expect(try folder.contents("model/checkpoints") == ["step-00000003.safetensors"])
    let rows = try String(contentsOfFile: folder.path("model/loss.csv"), encoding: .utf8).split(
      separator: "\n")
    #expect(rows.count == 4 && rows[0].hasPrefix("step,loss") && rows[3].hasPrefix("3,"))
    // Without a flag about the network.
    let features = try DsegProcess.run([
      "features", "--checkpoint", folder.path("model/model.safetensors"), "--steps", "50", "--blocks", "1,2",
      "--output", folder.path("f.safetensors"), folder.path("pictures/light/p0.png"),
    ])
    #expect(features.exitCode == 0, "\(features.messages)")
    let inspected = try DsegProcess.run(["inspect", folder.path("model/model.safetensors")])
    #expect(inspected.output.contains("GMAC at 8×8"))
  }

  @Test func resumedTrainingEndsInTheSameBytes() throws {
    #expect(try pretrain("whole", steps: 5).exitCode == 0)
    #expect(try pretrain("parts", steps: 3).exitCode == 0)
    let resumed = try pretrain("parts", steps: 5, ["--resume", "--threads", "3"])
    #expect(resumed.exitCode == 0, "\(resumed.messages)")
    #expect(try bytes("parts/model.safetensors") == bytes("whole/model.safetensors"))
    let last = "checkpoints/step-00000005.safetensors"
    #expect(try bytes("parts/\(last)") == bytes("whole/\(last)"))
  }

  /// Killed at any moment, it goes on from the last checkpoint as if nothing had been.
  @Test func killedTrainingGoesOn() throws {
    #expect(try pretrain("whole", steps: 40, ["--save-every", "5"]).exitCode == 0)
    let (process, _) = try startLongTraining("killed", saveEvery: 5)
    usleep(30_000)
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    let reached = try #require(try states("killed").last)
    let step = try #require(Int(reached.dropFirst("step-".count).dropLast(".safetensors".count)))
    let more = try pretrain("killed", steps: max(40, step + 1), ["--save-every", "5", "--resume"])
    #expect(more.exitCode == 0, "\(more.messages)")
    if step < 40 {
      #expect(try bytes("killed/model.safetensors") == bytes("whole/model.safetensors"))
    } else {
      #expect(try pretrain("longer", steps: step + 1).exitCode == 0)
      #expect(try bytes("killed/model.safetensors") == bytes("longer/model.safetensors"))
    }
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func askedToStopItSaves(signal: Int32) throws {
    let (process, deadline) = try startLongTraining("asked", saveEvery: 2)
    kill(process.processIdentifier, signal)
    while Date() < deadline && process.isRunning { usleep(2000) }
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 0)
    let rows = try String(contentsOfFile: folder.path("asked/loss.csv"), encoding: .utf8).split(
      separator: "\n")
    #expect(try states("asked").last?.contains("\(rows.count - 1).safetensors") == true)
  }

  @Test func samplesDependOnTheSeedAlone() throws {
    #expect(try pretrain("model", steps: 2, ["--class-conditional"]).exitCode == 0)
    func sample(_ output: String, _ more: [String]) throws -> Data {
      let outcome = try DsegProcess.run(
        [
          "sample", "--checkpoint", folder.path("model/model.safetensors"), "--count", "5",
          "--sampling-steps",
          "4", "--output", folder.path(output),
        ] + more)
      #expect(outcome.exitCode == 0, "\(outcome.messages)")
      return try bytes(output)
    }
    let first = try sample("a.png", [])
    #expect(try sample("b.png", ["--threads", "3"]) == first)
    #expect(try sample("c.png", ["--seed", "1"]) != first)
    #expect(try sample("d.png", ["--sampler", "ddpm"]) != first)
    #expect(try sample("e.png", ["--label", "1"]) != first)
    _ = try sample("f.png", ["--frames", folder.path("frames")])
    #expect(
      try folder.contents("frames") == (1...4).map { "frame-0000\($0).png" })
  }

  /// Words of a line; those after an @ are paths in the folder.
  private func dseg(_ line: String) throws -> DsegProcess.Outcome {
    try DsegProcess.run(
      line.split(separator: " ").map { word in
        let parts = word.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count == 2 ? String(parts[0]) + folder.path(String(parts[1])) : String(word)
      })
  }

  /// A masked autoencoder through the commands: training, inspection, painted pictures.
  @Test func maskedAutoencoder() throws {
    let command =
      "pretrain --kind mae --images @pictures --output @mae --image-size 8 --patch-size 2 --width 24 --depth 2 "
      + "--heads 3 -b decoder-width=16 -b decoder-heads=2 --batch 4 --sample-every 0"
    let first = try dseg(command + " --steps 4")
    #expect(first.exitCode == 0 && first.messages.contains("learning rate"), "\(first.messages)")
    #expect(first.output.contains("4 steps on 6 pictures"))
    // Another length is another learning rate.
    let longer = try dseg(command + " --steps 6 --resume")
    #expect(longer.exitCode == 64 && longer.messages.contains("cosine_steps"), "\(longer.messages)")
    let planned = try dseg(command + " --steps 6 --resume --cosine-steps 4")
    #expect(planned.exitCode == 0 && planned.output.contains("6 steps"), "\(planned.messages)")
    let inspected = try dseg("inspect @mae/model.safetensors")
    #expect(inspected.exitCode == 0 && inspected.output.contains("mae"), "\(inspected.messages)")
    let sample = "sample --checkpoint @mae/model.safetensors --images @pictures --count 3 --output "
    #expect(try dseg(sample + "@a.png").output.contains("3 pictures"))
    #expect(try dseg(sample + "@b.png --threads 3 --batch 1").exitCode == 0)
    #expect(try bytes("a.png") == bytes("b.png"))
    #expect(try dseg(sample + "@c.png --seed 1").exitCode == 0)
    #expect(try bytes("a.png") != bytes("c.png"))
    let more = try dseg(sample.replacing("--count 3", with: "--count 9") + "@d.png")
    #expect(more.exitCode == 0 && more.messages.contains("there are 6 pictures"), "\(more.messages)")
    for (line, word) in [
      ("sample --checkpoint @mae/model.safetensors --output @x.png", "--images"),
      (sample + "@x.png --frames @frames", "--frames"), (sample + "@x.png --eta 0.5", "--eta"),
      (sample + "@x.png --mask-ratio 2", "mask-ratio"),
      (command + " --steps 9 --learn-sigma", "--learn-sigma"),
      (command.replacing("--kind mae", with: "") + " --steps 9", "a setting of guided-diffusion"),
      (command.replacing("--kind mae", with: "--kind vae") + " --steps 9", "--kind"),
      (command.replacing("--width 24", with: "--width 25") + " --steps 9", "width"),
    ] {
      let outcome = try dseg(line)
      #expect(outcome.exitCode == 64 && outcome.messages.contains(word), "\(line): \(outcome.messages)")
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path("x.png")))
    #expect(!FileManager.default.fileExists(atPath: folder.path("frames")))
  }

  /// An autoencoder, then a latent diffusion model on it, its features and its pictures.
  @Test func latentDiffusion() throws {
    let pictures = "--images @pictures --image-size 8 --batch 4 --sample-every 0 --steps 2"
    let stage = try dseg("pretrain --kind autoencoder \(pictures) --output @stage --channel-mult 1,1")
    #expect(stage.exitCode == 0 && stage.output.contains("2 steps on 6 pictures"), "\(stage.messages)")
    let command =
      "pretrain --kind latent-diffusion \(pictures) --output @latent --first-stage @stage/model.safetensors "
      + "--channels 32 --channel-mult 1 --residual-blocks 1 --attention-resolutions 4"
    let latent = try dseg(command)
    #expect(latent.exitCode == 0, "\(latent.messages)")
    let inspected = try dseg("inspect @latent/model.safetensors")
    #expect(inspected.output.contains("latent-diffusion"), "\(inspected.messages)")
    let features = try dseg(
      "features --checkpoint @latent/model.safetensors --steps 50 --blocks 0,1 --output @f.safetensors "
        + "@pictures/light/p0.png")
    #expect(features.exitCode == 0, "\(features.messages)")
    let sample = "sample --checkpoint @latent/model.safetensors --count 2 --sampling-steps 2 --output "
    #expect(try dseg(sample + "@a.png --frames @frames").output.contains("2 pictures"))
    #expect(try folder.contents("frames") == ["frame-00001.png", "frame-00002.png"])
    #expect(try dseg(sample + "@b.png --threads 3").exitCode == 0)
    #expect(try bytes("a.png") == bytes("b.png"))
    for (line, code, word) in [
      (command.replacing("--first-stage @stage/model.safetensors", with: ""), 64, "--first-stage"),
      (command.replacing("@stage/model", with: "@f"), 65, "autoencoder"),
      (command.replacing("@stage/model.safetensors", with: "@nowhere"), 66, "nowhere"),
      (command.replacing("--image-size 8", with: "--image-size 9"), 64, "image size"),
      (command + " --resume --learning-rate 1", 64, "learning_rate"),
      (sample + "@x.png --class 1", 64, "--class"), (sample + "@x.png --images @pictures", 64, "--images"),
    ] {
      let outcome = try dseg(line)
      #expect(outcome.exitCode == code && outcome.messages.contains(word), "\(line): \(outcome.messages)")
    }
  }

  @Test func brokenPictureIsLeftOutOrRefused() throws {
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: folder.path("pictures/light/broken.png")))
    let lenient = try pretrain("lenient", steps: 1)
    #expect(lenient.exitCode == 0 && lenient.messages.contains("broken.png"))
    #expect(lenient.output.contains("on 6 pictures"))
    let strict = try pretrain("strict", steps: 1, ["--strict"])
    #expect(strict.exitCode == 65 && strict.messages.contains("broken.png"))
    #expect(!FileManager.default.fileExists(atPath: folder.path("strict")))
  }

  @Test func badInputIsRefused() throws {
    try FileManager.default.createDirectory(
      atPath: folder.path("empty"), withIntermediateDirectories: true)
    #expect(try pretrain("x", steps: 1, images: "empty").exitCode == 66)
    for more in [
      ["--batch", "0"], ["--learning-rate", "-1"], ["--image-size", "0"], ["--image-size", "9"],
      ["--channels", "20"], ["--head-channels", "0"], ["--ema-rate", "1"], ["--micro-batch", "9"],
      ["--diffusion-steps", "0"], ["--attention-resolutions", "3"], ["--dropout", "1"],
    ] {
      let outcome = try pretrain("x", steps: 1, more)
      #expect(outcome.exitCode == 64 || outcome.exitCode == 65, "\(more): \(outcome.exitCode)")
      #expect(outcome.messages.contains("error") || outcome.messages.contains("Error"), "\(more)")
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path("x")))
    // Nothing to go on from, and something that is not this training.
    #expect(try pretrain("x", steps: 1, ["--resume"]).exitCode == 66)
    #expect(try pretrain("model", steps: 1).exitCode == 0)
    let before = try bytes("model/model.safetensors")
    let again = try pretrain("model", steps: 2)
    #expect(again.exitCode == 64 && again.messages.contains("--resume"))
    let other = try pretrain("model", steps: 2, ["--resume", "--channels", "64"])
    #expect(other.exitCode == 64 && other.messages.contains("channels"))
    for change in [["--range", "values:0,100"], ["--picture-channels", "1"]] {
      let read = try pretrain("model", steps: 2, ["--resume"] + change)
      #expect(read.exitCode == 64 && read.messages.contains("picture_"), "\(read.messages)")
    }
    #expect(try bytes("model/model.safetensors") == before)
  }

  @Test func scenesAreALabelledFolder() throws {
    let written = try DsegProcess.run([
      "scenes", "--count", "3", "--masks", "--seed", "4", "--output", folder.path("scenes"),
    ])
    #expect(written.exitCode == 0, "\(written.messages)")
    let classes = try ClassList(contentsOf: folder.path("scenes/classes.json"))
    #expect(classes == SyntheticScenes.classes)
    let labelled = try LabelledImages(directory: folder.path("scenes"), classes: classes)
    #expect(labelled.count == 3)
    let scene = SyntheticScenes(seed: 4).scene(2)
    #expect(try Image(contentsOf: folder.path("scenes/scene-000002.png")) == scene.image)
    #expect(try LabelMask(contentsOf: folder.path("scenes/scene-000002.mask.png")) == scene.mask)
  }

  /// What was logged after the state that a training goes on from has not happened.
  @Test func logGoesOnWhereTheStateDoes() throws {
    #expect(try pretrain("whole", steps: 5).exitCode == 0)
    #expect(try pretrain("back", steps: 5, ["--save-every", "1"]).exitCode == 0)
    for step in 4...5 {
      try FileManager.default.removeItem(
        atPath: folder.path("back/checkpoints/step-0000000\(step).safetensors"))
    }
    #expect(try pretrain("back", steps: 5, ["--resume"]).exitCode == 0)
    func rows(_ name: String) throws -> [String] {
      try String(contentsOfFile: folder.path("\(name)/loss.csv"), encoding: .utf8)
        .split(separator: "\n").map { $0.split(separator: ",").prefix(2).joined(separator: ",") }
    }
    #expect(try rows("back") == rows("whole"))
  }
}
