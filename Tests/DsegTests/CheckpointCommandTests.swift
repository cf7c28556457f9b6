import Checkpoints
import DiffusionCore
import DiffusionSegmentation
import Foundation
import TensorCore
import TestSupport
import Testing

/// Checkpoints of other people through the command line.
struct CheckpointCommandTests {
  let world: TinyWorld

  init() throws { world = try TinyWorld(pictures: 2) }

  private func write(
    _ name: String, _ configuration: UNetConfiguration = .tiny, prefixes: [String] = [""],
    metadata: [String: String] = [:]
  ) throws -> String {
    var writer = SafetensorsWriter(metadata: metadata)
    for (index, prefix) in prefixes.enumerated() {
      for tensor in try randomNetworkTensors(configuration, seed: UInt64(index)) {
        writer.append(prefix + tensor.name, tensor.array)
      }
    }
    try writer.write(to: world.folder.path(name))
    return world.folder.path(name)
  }

  private func features(_ checkpoint: String, _ more: [String], output: String = "f.safetensors") throws
    -> DsegProcess.Outcome
  {
    try DsegProcess.run(
      [
        "features", "--checkpoint", checkpoint, "--steps", "50", "--blocks", "1", "--output",
        world.folder.path(output),
      ]
        + more + ["\(world.images)/scene0.png"])
  }

  static let network = ["--image-size", "32", "--head-channels", "32"]

  private func train(_ checkpoint: String, _ more: [String]) throws -> DsegProcess.Outcome {
    try DsegProcess.run(
      [
        "train", "--checkpoint", checkpoint, "--images", world.images, "--classes", "2", "--steps", "50",
        "--blocks", "1",
      ]
        + ["--models", "1", "--epochs", "1", "--output", world.folder.path("s.safetensors")] + Self.network
        + more)
  }

  @Test func networkOfSeveralIsSaidAndChosen() throws {
    let path = try write("two.safetensors", prefixes: ["model.", "ema."])
    let average = try features(path, Self.network)
    #expect(average.exitCode == 0 && average.messages.contains("ema"), "\(average.messages)")
    let chosen = try features(path, Self.network + ["--weights", "model"], output: "g.safetensors")
    #expect(chosen.exitCode == 0 && !chosen.messages.contains("ema"))
    let files = try ["f", "g"].map {
      try Data(contentsOf: URL(fileURLWithPath: world.folder.path("\($0).safetensors")))
    }
    #expect(files[0] != files[1])
    let wrong = try features(path, Self.network + ["--weights", "average"])
    #expect(wrong.exitCode == 64 && wrong.messages.contains("model, ema"))
    let report = try DsegProcess.run(["inspect", path, "--image-size", "32", "--json"])
    #expect(report.output.contains("\"weights\" : \"ema\""))

    // A segmenter keeps the choice.
    #expect(try train(path, ["--weights", "model"]).exitCode == 0)
    let inspected = try DsegProcess.run(["inspect", world.folder.path("s.safetensors"), "--json"])
    #expect(inspected.output.contains("\"weights\" : \"model\""))
    let predicted = try DsegProcess.run([
      "predict", "--segmenter", world.folder.path("s.safetensors"), "--output", world.folder.path("o"),
      world.images,
    ])
    #expect(predicted.exitCode == 0 && !predicted.messages.contains("warning"), "\(predicted.messages)")
  }

  @Test func flagsThatContradictTheModelAreSaid() throws {
    let path = try write(
      "says.safetensors",
      metadata: ["dseg.image_size": "32", "dseg.head_channels": "32", "dseg.noise_schedule": "linear"])
    let silent = try features(path, Self.network)
    #expect(silent.exitCode == 0 && !silent.messages.contains("warning"), "\(silent.messages)")
    for (flags, words) in [
      (["--image-size", "64"], ["image size 64", "32"]),
      (["--head-channels", "16"], ["head channels 16", "32"]),
      (["--heads", "2"], ["heads 2", "32"]),
      (["--noise-schedule", "cosine"], ["noise schedule cosine", "linear"]),
    ] {
      let outcome = try features(path, flags)
      #expect(outcome.exitCode == 0)
      for word in words + ["warning"] { #expect(outcome.messages.contains(word), "\(outcome.messages)") }
    }
    #expect(try train(path, []).exitCode == 0)
    let predicted = try DsegProcess.run([
      "predict", "--segmenter", world.folder.path("s.safetensors"), "--fit", "crop", "--noise-schedule",
      "cosine",
      "--output",
      world.folder.path("o"), world.images,
    ])
    #expect(
      predicted.messages.contains("noise schedule cosine") && predicted.messages.contains("--fit crop"),
      "\(predicted.messages)")
  }

  @Test func headsGivenToConvertStay() throws {
    let path = try write("says.safetensors", metadata: ["dseg.image_size": "32", "dseg.head_channels": "32"])
    let output = world.folder.path("c.safetensors")
    #expect(
      try DsegProcess.run(["convert", "--checkpoint", path, "--heads", "2", "--output", output]).exitCode == 0
    )
    #expect(try DiffusionOptions(checkpoint: output).attention.heads == .count(2))
  }

  @Test func classesAreAskedFor() throws {
    var configuration = UNetConfiguration.tiny
    configuration.classCount = 3
    let path = try write("classes.safetensors", configuration)
    let guessed = try features(path, Self.network)
    #expect(guessed.exitCode == 0 && guessed.messages.contains("--class"), "\(guessed.messages)")
    let first = try features(path, Self.network + ["--class", "0"], output: "g.safetensors")
    #expect(first.exitCode == 0 && !first.messages.contains("--class"))
    let second = try features(path, Self.network + ["--class", "2"], output: "h.safetensors")
    #expect(second.exitCode == 0)
    let files = try ["f", "g", "h"].map {
      try Data(contentsOf: URL(fileURLWithPath: world.folder.path("\($0).safetensors")))
    }
    #expect(files[0] == files[1] && files[0] != files[2])
    #expect(try features(path, Self.network + ["--class", "3"]).exitCode == 64)
    #expect(try features(world.checkpoint, Self.network + ["--class", "0"]).exitCode == 64)
    #expect(try train(path, ["--class", "1"]).exitCode == 0)
    #expect(
      try Segmenter(contentsOf: world.folder.path("s.safetensors")).features.models[0].record.selection[
        "class"] == "1")
    for flag in ["--class", "--label"] {
      let outcome = try DsegProcess.run(
        [
          "sample", "--checkpoint", path, "--count", "1", "--sampling-steps", "1", "--output",
          world.folder.path("x.png"),
        ]
          + Self.network + [flag, "2"])
      #expect(outcome.exitCode == 0, "\(outcome.messages)")
    }
  }

  @Test func filesInEachOthersPlaceAreNamed() throws {
    #expect(try train(world.checkpoint, []).exitCode == 0)
    let segmenter = world.folder.path("s.safetensors")
    let asCheckpoint = try features(segmenter, Self.network)
    #expect(
      asCheckpoint.exitCode == 65 && asCheckpoint.messages.contains("--segmenter"), "\(asCheckpoint.messages)"
    )
    let asSegmenter = try DsegProcess.run([
      "predict", "--segmenter", world.checkpoint, "--output", world.folder.path("o"), world.images,
    ])
    #expect(
      asSegmenter.exitCode == 65 && asSegmenter.messages.contains("--checkpoint"), "\(asSegmenter.messages)")
  }

  @Test func inspectSaysWhatKeepsANetworkFromBeingUsed() throws {
    var configuration = UNetConfiguration.tiny
    configuration.inChannels = 6
    let upsampler = try DsegProcess.run(["inspect", write("u.safetensors", configuration)])
    #expect(upsampler.output.contains("upsampler") && upsampler.exitCode == 0, "\(upsampler.output)")
    var writer = SafetensorsWriter()
    for (index, tensor) in try randomNetworkTensors(.tiny).enumerated() {
      let values = tensor.array.tensor().elements.enumerated().map { index == 0 && $0 < 2 ? Float.nan : $1 }
      writer.append(tensor.name, NumericArray(values, shape: tensor.array.shape))
    }
    try writer.write(to: world.folder.path("nan.safetensors"))
    let damaged = try DsegProcess.run(["inspect", world.folder.path("nan.safetensors")])
    #expect(damaged.output.contains("time_embed.0.weight: 2 of"), "\(damaged.output)")
  }

  /// A megabyte of zeros takes a kilobyte: the table of contents must not cost what it promises.
  @Test func archivesAreNotInflatedToBeInspected() throws {
    let path = try world.folder.file("bomb.npz", NpzBomb.bytes(gigabytes: 3))
    let outcome = try DsegProcess.run(["inspect", path])
    #expect(outcome.exitCode == 0 && outcome.output.contains("3,221,225,472"), "\(outcome.messages)")
  }

  @Test(.timeLimit(.minutes(1))) func pipesAreRefused() throws {
    let pipe = world.folder.path("pipe.npy")
    #expect(mkfifo(pipe, 0o600) == 0)
    for arguments in [
      ["inspect", pipe], ["predict", "--segmenter", pipe, "--output", world.folder.path("o"), world.images],
      [
        "features", "--checkpoint", world.checkpoint, "--blocks", "1", "--noise", pipe, "--output",
        world.folder.path("f"), world.images,
      ]
        + Self.network,
      ["features", "--checkpoint", pipe, "--blocks", "1", "--output", world.folder.path("f"), world.images],
      ["train", "--config", pipe],
    ] {
      let outcome = try DsegProcess.run(arguments)
      #expect(outcome.exitCode == 65 && outcome.messages.contains("a pipe"), "\(outcome.messages)")
    }
  }
}

/// An archive of one array of zeros.
private enum NpzBomb {
  static func bytes(gigabytes: Int) -> [UInt8] {
    let size = gigabytes << 30
    var text = Array("{'descr': '|u1', 'fortran_order': False, 'shape': (\(size),), }".utf8)
    text += [UInt8](repeating: 0x20, count: 117 - text.count) + [0x0A]
    let header = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.count), 0] + text
    // One stored block with the header, and zeros as copies of the byte before: 258 at two bits each in a fixed block.
    var data: [UInt8] = [0, UInt8(header.count), 0, 0xFF - UInt8(header.count), 0xFF] + header
    // A literal 0 and then the code of length 258, distance 1, again and again: bits 1 10 | 00110000 | 11000101 00000.
    var bits = Bits()
    bits.append([1, 1, 0])
    bits.append([0, 0, 1, 1, 0, 0, 0, 0])
    for _ in 0..<20_000 { bits.append([1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]) }
    data += bits.bytes
    let name = Array("zeros.npy".utf8)
    func number(_ value: Int, _ count: Int) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    let fields =
      number(20, 2) + number(0, 2) + number(8, 2) + number(0, 4) + number(0, 4) + number(data.count, 4)
      + number(size + header.count, 4) + number(name.count, 2) + number(0, 2)
    let local = number(0x0403_4B50, 4) + fields + name + data
    let directory = number(0x0201_4B50, 4) + number(20, 2) + fields + number(0, 10) + number(0, 4) + name
    let end =
      number(0x0605_4B50, 4) + number(0, 4) + number(1, 2) + number(1, 2) + number(directory.count, 4)
      + number(local.count, 4) + number(0, 2)
    return local + directory + end
  }

  private struct Bits {
    var bytes: [UInt8] = []
    private var used = 8

    mutating func append(_ bits: [UInt8]) {
      for bit in bits {
        if used == 8 {
          bytes.append(0)
          used = 0
        }
        bytes[bytes.count - 1] |= bit << used
        used += 1
      }
    }
  }
}
