import Base
import Checkpoints
import DiffusionCore
import Foundation
import TensorCore
import TestSupport
import Testing

/// Checkpoints written anew, as they are or in halves.
struct ConversionTests {
  let world: TinyWorld
  let output: String

  init() throws {
    world = try TinyWorld()
    output = world.folder.path("converted.safetensors")
  }

  /// By what a number of 11 significant bits, or of 8, may differ, and the smallest half there is.
  @Test(arguments: [(ElementType.float32, Float(0)), (.float16, 0x1p-11), (.bfloat16, 0x1p-8)])
  func keepsNamesNumbersAndSettings(type: ElementType, rounding: Float) throws {
    var options = TinyWorld.options
    options.noiseSchedule = .cosine
    options.rescaleTimesteps = true
    try DiffusionBackbone.convert(checkpoint: world.checkpoint, options: options, to: output, as: type)
    let (before, after) = (
      try StateDictionary(contentsOf: world.checkpoint), try StateDictionary(contentsOf: output)
    )
    #expect(before.tensors.map(\.name) == after.tensors.map(\.name))
    for (old, new) in zip(before.tensors, after.tensors) {
      #expect(new.array.elementType == type && new.array.shape == old.array.shape)
      for (a, b) in zip(old.array.tensor().elements, new.array.tensor().elements) {
        #expect(abs(a - b) <= abs(a) * rounding + (type == .float16 ? 0x1p-25 : 0), "\(old.name)")
      }
    }
    // What the weights do not tell is in the file, but not how it is computed.
    #expect(try DiffusionOptions(checkpoint: output) == options)
    _ = try DiffusionBackbone(checkpoint: output, options: options)
  }

  /// The largest half is 65504; from 65520 on, half-way to what would be the next, numbers round to infinity.
  @Test(arguments: [(Float(65519), true), (-65519, true), (65520, false), (-65520, false)])
  func halvesReachTo65504(value: Float, isTaken: Bool) throws {
    var writer = SafetensorsWriter()
    for (index, named) in try randomNetworkTensors(.tiny).enumerated() {
      var tensor = named.array.tensor()
      if index == 3 { tensor = Tensor([value] + tensor.elements.dropFirst(), shape: tensor.shape) }
      writer.append(named.name, tensor)
    }
    let checkpoint = world.folder.path("large.safetensors")
    try writer.write(to: checkpoint)
    func convert() throws {
      try DiffusionBackbone.convert(
        checkpoint: checkpoint, options: TinyWorld.options, to: output, as: .float16)
    }
    if isTaken {
      try convert()
      let written = try StateDictionary(contentsOf: output).tensors[3].array.tensor().elements[0]
      #expect(abs(written) == 65504 && (written < 0) == (value < 0))
    } else {
      #expect(throws: DataError.self) { try convert() }
    }
  }

  /// What else a checkpoint says of itself stays; its settings are those that were given.
  @Test func keepsWhatElseTheFileSays() throws {
    var writer = SafetensorsWriter(metadata: ["origin": "a test", "dseg.image_size": "64"])
    for named in try randomNetworkTensors(.tiny) { writer.append(named.name, named.array) }
    let checkpoint = world.folder.path("says.safetensors")
    try writer.write(to: checkpoint)
    try DiffusionBackbone.convert(checkpoint: checkpoint, options: TinyWorld.options, to: output)
    #expect(try Checkpoint(contentsOf: output).metadata["origin"] == "a test")
    #expect(try DiffusionOptions(checkpoint: output) == TinyWorld.options)
  }

  /// Of two settings that exclude each other, the file's goes.
  @Test(arguments: [
    (AttentionSettings(heads: .count(2)), ["dseg.head_channels": "32"]),
    (AttentionSettings(heads: .channels(32)), ["dseg.heads": "4", "dseg.heads_upsample": "2"]),
    (AttentionSettings(heads: .count(2), headsUpsample: 4), ["dseg.heads": "1", "dseg.heads_upsample": "2"]),
  ])
  func rivalsOfTheSettingsGo(attention: AttentionSettings, metadata: [String: String]) throws {
    var writer = SafetensorsWriter(metadata: metadata)
    for named in try randomNetworkTensors(.tiny) { writer.append(named.name, named.array) }
    let checkpoint = world.folder.path("says.safetensors")
    try writer.write(to: checkpoint)
    var options = TinyWorld.options
    options.attention = attention
    try DiffusionBackbone.convert(checkpoint: checkpoint, options: options, to: output)
    #expect(try DiffusionOptions(checkpoint: output) == options)
    #expect(try Checkpoint(contentsOf: output).metadata == options.metadata)
  }

  /// No two settings are those of the published checkpoints, which stand for what is not said.
  @Test(arguments: [
    DiffusionOptions(),
    DiffusionOptions(
      attention: AttentionSettings(heads: .count(3), headsUpsample: 5, order: .new), imageSize: 48,
      noiseSchedule: .cosine, diffusionSteps: 500, rescaleTimesteps: true),
    DiffusionOptions(attention: AttentionSettings(heads: .channels(16), headsUpsample: 2)),
  ])
  func settingsComeBackFromTheirStrings(options: DiffusionOptions) throws {
    #expect(try DiffusionOptions(metadata: options.metadata, file: "file") == options)
  }

  @Test(arguments: [
    "image_size", "heads", "head_channels", "heads_upsample", "attention_order", "noise_schedule",
    "diffusion_steps", "rescale_timesteps",
  ])
  func whatIsNoSettingIsRefused(key: String) {
    #expect {
      _ = try DiffusionOptions(metadata: ["dseg.\(key)": "blue"], file: "file")
    } throws: { error in
      let error = error as? DataError
      return error?.kind == .malformed && error?.item == "metadata dseg.\(key)" && error?.found == "blue"
    }
  }

  @Test func refusesWhatIsTooLargeForAHalf() throws {
    var writer = SafetensorsWriter()
    for (index, tensor) in try randomNetworkTensors(.tiny).enumerated() {
      let factor: Float = index == 3 ? 1e6 : 1
      writer.append(tensor.name, tensor.array.tensor() * factor)
    }
    let large = world.folder.path("large.safetensors")
    try writer.write(to: large)
    let name = try randomNetworkTensors(.tiny)[3].name
    #expect {
      try DiffusionBackbone.convert(checkpoint: large, options: TinyWorld.options, to: output, as: .float16)
    } throws: { ($0 as? DataError)?.item == name }
    #expect(!FileManager.default.fileExists(atPath: output))
    try DiffusionBackbone.convert(checkpoint: large, options: TinyWorld.options, to: output, as: .bfloat16)
  }
}
