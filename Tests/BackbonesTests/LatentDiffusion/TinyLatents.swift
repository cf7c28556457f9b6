import Backbones
import Base
import Checkpoints
import TensorCore
import Training

/// Pictures of 8×8 pixels: a bright square somewhere on a dark ground.
struct TinySquares: TrainingPictures, Sendable {
  var count = 12
  var imageSize = 8

  func label(of index: Int) -> Int? { nil }

  func read(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    var random = Philox(seed: UInt64(index))
    let (row, column) = (random.integer(below: imageSize - 3), random.integer(below: imageSize - 3))
    for place in 0..<3 * imageSize * imageSize {
      let (y, x) = (place / imageSize % imageSize, place % imageSize)
      target[place] = row..<row + 4 ~= y && column..<column + 4 ~= x ? 0.7 : -0.6
    }
  }
}

extension AutoencoderConfiguration {
  /// Of two levels, for pictures of even sides.
  static let tiny = AutoencoderConfiguration(
    channels: 32, levelChannels: [32, 32], residualBlocks: 1, middleHasAttention: true, latentChannels: 3,
    embedChannels: 2, bottleneck: .gaussian)
}

/// An autoencoder before training, with its parameters.
func tinyAutoencoder(
  _ configuration: AutoencoderConfiguration = .tiny, _ change: (inout NamedTensor) -> Void = { _ in }
) throws -> (model: Autoencoder, parameters: [NamedTensor]) {
  let parameters = Autoencoder.initialParameters(configuration, random: Philox(seed: 4)).map { parameter in
    var parameter = parameter
    change(&parameter)
    return parameter
  }
  let scope = WeightScope(StateDictionary(parameters, file: "tiny"))
  let model = Autoencoder(configuration, weights: scope)
  try scope.finish()
  return (model, parameters)
}
