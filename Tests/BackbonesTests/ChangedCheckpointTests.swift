import Backbones
import Base
import Checkpoints
import Features
import Layers
import TensorCore
import TestSupport
import Testing

/// Sound files whose tensors are not those of a network: some left out, of other shapes, under other names. Each is read,
/// or refused with an error.
struct ChangedCheckpointTests {
  private typealias Shapes = [(name: String, shape: [Int])]

  private static func changed(_ shapes: Shapes, _ random: inout Philox) -> Shapes {
    var shapes = shapes
    for _ in 0..<random.integer(in: 1...3) {
      let place = random.integer(below: shapes.count)
      switch random.integer(below: 6) {
      case 0: shapes.remove(at: place)
      case 1: shapes[place].name += "x"
      case 2: shapes[place].shape.append(random.integer(below: 3))
      case 3 where !shapes[place].shape.isEmpty: shapes[place].shape.removeLast()
      case 4:
        // All tensors of one width get another, as a network of other sizes has.
        let (from, to) = (shapes[place].shape.first ?? 1, random.integer(in: 1...40))
        for index in shapes.indices {
          for axis in shapes[index].shape.indices where shapes[index].shape[axis] == from {
            shapes[index].shape[axis] = to
          }
        }
      default:
        let rank = shapes[place].shape.count
        if rank > 0 {
          shapes[place].shape[random.integer(below: rank)] =
            [0, 1, 2, 3, 7, 32, 64][random.integer(below: 7)]
        }
      }
      if shapes.isEmpty { return shapes }
    }
    return shapes
  }

  /// Writes changed networks and hands each file on; the share that was read.
  private func readAll(
    _ shapes: Shapes, seed: UInt64, count: Int = 150, read: (Checkpoint) throws -> Void
  ) throws -> Double {
    let folder = try TemporaryFolder()
    var random = Philox(seed: seed)
    var sound = 0
    for index in 0..<count {
      let path = folder.path("\(index).safetensors")
      try RandomBackbones.write(index == 0 ? shapes : Self.changed(shapes, &random), to: path)
      do {
        try read(try Checkpoint(contentsOf: path))
        sound += 1
      } catch is DataError {
        #expect(index > 0)
      }
    }
    return Double(sound) / Double(count)
  }

  private func extractsAll(_ settings: [String: String]) -> (Checkpoint) throws -> Void {
    { checkpoint in
      let features = try BackboneRegistry.standard.features(of: checkpoint, settings: settings)
      let side = min(features.input.size, 64) / features.input.multiple * features.input.multiple
      guard side > 0 else { return }
      let maps = try features.extract(Tensor(zeros: [3, side, side]))
      #expect(maps.maps.map(\.channels) == features.layout.map(\.channels))
    }
  }

  @Test(arguments: [nil, 16])
  func maskedAutoencoders(decoder: Int?) throws {
    let share = try readAll(
      RandomBackbones.maeShapes(grid: 4, decoder: decoder), seed: 1,
      read: extractsAll(["heads": "1", "decoder-heads": "1"]))
    #expect((0.005..<0.6).contains(share))
  }

  @Test func residualNetworks() throws {
    let share = try readAll(
      RandomBackbones.resNetShapes(blocks: [2, 1, 2]), seed: 2, read: extractsAll(["image-size": "64"]))
    #expect((0.005..<0.6).contains(share))
  }

  @Test(arguments: [(nil, nil), (8, nil), (8, 6)] as [(Int?, Int?)])
  func latentDiffusion(context: Int?, classes: Int?) throws {
    let shapes = try RandomLatentModel(contextChannels: context, classes: classes).shapes()
    let told = context != nil && classes == nil ? ["context": "zero"] : [:]
    let settings = ["image-size": "32", "steps": "20", "head-channels": "1"]
    let share = try readAll(
      shapes, seed: 4, count: 60, read: extractsAll(settings.merging(told) { first, _ in first }))
    #expect((0.005..<0.6).contains(share))
  }

  /// Pixels through encoder and decoder.
  @Test(arguments: [nil, 6])
  func autoencoders(codes: Int?) throws {
    let share = try readAll(RandomBackbones.autoencoderShapes(codes: codes), seed: 3) { checkpoint in
      let state = try StateDictionary(checkpoint)
      let scope = WeightScope(state, requiresFinite: true)
      let model = Autoencoder(try AutoencoderConfiguration(state: state), weights: scope)
      try scope.finish()
      let side = 2 * model.configuration.factor
      let latents = model.latents(
        of: Tensor(zeros: [1, side, side, model.configuration.inChannels]))
      #expect(model.decode(latents).shape == [1, side, side, model.configuration.inChannels])
    }
    #expect((0.005..<0.6).contains(share))
  }
}
