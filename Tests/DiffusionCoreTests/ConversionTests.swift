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
    #expect(try BackboneOptions(checkpoint: output) == options)
    _ = try DiffusionBackbone(checkpoint: output, options: options)
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
