import Base
import Checkpoints
import DiffusionCore
import Foundation
import TensorCore
import TestSupport
import Testing
import Training

/// States of a training with numbers that no training leaves.
struct DamagedStateTests {
  let folder: TemporaryFolder
  let trainer: DiffusionTrainer

  init() throws {
    folder = try TemporaryFolder()
    var trainer = try DiffusionTrainer.tiny { $0.timesteps = .lossSecondMoment }
    try trainer.run(1)
    self.trainer = trainer
    try trainer.write(to: folder.path("sound.safetensors"))
  }

  /// Writes the state with other metadata, or with one number of one tensor changed.
  private func damage(_ metadata: [String: String] = [:], tensor: String = "", value: Float = 0) throws
    -> String
  {
    let sound = try SafetensorsFile(contentsOf: folder.path("sound.safetensors"))
    var writer = SafetensorsWriter(metadata: sound.metadata.merging(metadata) { $1 })
    for item in sound.tensors {
      var elements = item.array.tensor().elements
      if item.name == tensor { elements[elements.count / 2] = value }
      writer.append(item.name, Tensor(elements, shape: item.array.shape))
    }
    try writer.write(to: folder.path("damaged.safetensors"))
    return folder.path("damaged.safetensors")
  }

  private func read(_ path: String) throws -> TrainingState {
    let fresh = try DiffusionTrainer.tiny { $0.timesteps = .lossSecondMoment }.objective
    return try DiffusionTrainer(objective: fresh, options: trainer.options, contentsOf: path).state
  }

  @Test func theSoundOneIsRead() throws {
    #expect(try read(folder.path("sound.safetensors")).step == 1)
    #expect(try read(damage()).step == 1)
  }

  @Test(arguments: ["-1", "4611686018427387904", "9223372036854775807", "1e3", "", "99999999999999999999"])
  func steps(_ number: String) throws {
    for key in ["dseg.step", "dseg.adam_steps"] {
      let path = try damage([key: number])
      #expect { _ = try read(path) } throws: { error in
        let error = error as? DataError
        return error?.kind == .malformed && error?.file == path && error?.item.contains(key) == true
      }
    }
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func numbersThatAreNotFinite(_ value: Float) throws {
    for tensor in [
      "model.out.2.bias", "ema.input_blocks.0.0.weight", "adam.mean.out.2.bias",
      "adam.square.time_embed.0.weight",
      "timesteps.losses", "timesteps.counts",
    ] {
      let path = try damage(tensor: tensor, value: value)
      #expect("\(tensor)") { _ = try read(path) } throws: {
        ($0 as? DataError)?.kind == .malformed && ($0 as? DataError)?.item == tensor
      }
    }
  }

  @Test func numbersThatCannotBe() throws {
    for (tensor, value) in [
      ("adam.square.out.2.bias", -1e-9), ("timesteps.counts", 11), ("timesteps.counts", -1),
      ("timesteps.counts", 0.5),
      ("timesteps.counts", 1e30),
    ] as [(String, Float)] {
      let path = try damage(tensor: tensor, value: value)
      #expect("\(tensor)") { _ = try read(path) } throws: { ($0 as? DataError)?.item == tensor }
    }
  }

  /// Also when it was made in memory.
  @Test(arguments: [-1, Int.max]) func aTrainerChecksTheStep(_ step: Int) throws {
    var state = trainer.state
    state.step = step
    #expect {
      _ = try DiffusionTrainer(objective: trainer.objective, options: trainer.options, state: state)
    } throws: { ($0 as? DataError)?.kind == .invalidArgument }
  }
}

struct NetworkMemoryTests {
  /// Counted without the network as with it.
  @Test(arguments: [false, true]) func parameterCount(isVaried: Bool) throws {
    let configuration = UNetConfiguration(
      modelChannels: 32, outChannels: isVaried ? 6 : 3, levelChannels: [32, 64, 96],
      residualBlocks: isVaried ? 2 : 1,
      levelHasAttention: [false, true, isVaried], resampling: isVaried ? .convolution : .residual,
      usesScaleShiftNorm: !isVaried, classCount: isVaried ? 7 : nil,
      attention: AttentionSettings(heads: .channels(32)))
    let shapes = try UNet.parameterShapes(configuration)
    #expect(configuration.parameterCount == Double(shapes.reduce(0) { $0 + $1.shape.reduce(1, *) }))
  }

  @Test func absurdSettingsDoNotOverflow() {
    let configuration = UNetConfiguration(
      modelChannels: 1 << 14, outChannels: 6, levelChannels: [Int](repeating: 1 << 14, count: 10),
      residualBlocks: 64,
      levelHasAttention: [Bool](repeating: true, count: 10), resampling: .residual, usesScaleShiftNorm: true,
      classCount: nil, attention: AttentionSettings(heads: .channels(32)))
    let bytes = configuration.trainingBytes(imageSize: 1 << 14, pictures: 1 << 16, recomputesBlocks: false)
    #expect(bytes.isFinite && bytes > 1e18)
  }
}
