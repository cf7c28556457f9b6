import Backbones
import Base
import Checkpoints
import Layers
import TensorCore

/// Networks other than diffusion models that are timed, with random weights.
public enum BackboneWeights: String, CaseIterable, Sendable {
  /// ViT-L with patches of 8 pixels, as published for ddpm-segmentation: 361 GMAC a picture of 256 px.
  case mae
  /// SwAV's ResNet-50.
  case swav
  /// The same, twice as wide.
  case swavWide = "swav_w2"

  private var shapes: [(name: String, shape: [Int])] {
    switch self {
    case .mae: MAEConfiguration.published.parameterShapes
    case .swav: ResNetConfiguration(blocks: [3, 4, 6, 3]).parameterShapes
    case .swavWide: ResNetConfiguration(blocks: [3, 4, 6, 3], stem: 128).parameterShapes
    }
  }

  /// Writes a checkpoint of weights that keep activations near 1.
  public func writeCheckpoint(to path: String, seed: UInt64) throws(DataError) {
    var writer = SafetensorsWriter()
    for (index, parameter) in shapes.enumerated() {
      let random = Philox(seed: seed).split(UInt64(index))
      writer.append(
        parameter.name, NumericArray(Self.tensor(parameter.name, parameter.shape, random: random)))
    }
    try writer.write(to: path)
  }

  private static func tensor(_ name: String, _ shape: [Int], random: Philox) -> Tensor {
    var random = random
    let noise = random.normal(shape: shape)
    if name.hasSuffix("running_var") { return noise * noise * 0.1 + Tensor(repeating: 1, shape: shape) }
    guard shape.count == 1 else {
      // Half of the variance that a ReLU leaves is made up for.
      return noise * Float((2 / Double(shape.dropFirst().reduce(1, *))).squareRoot())
    }
    // The last normalisation of a residual block is small, so that sums do not grow with depth.
    let one: Float = name.hasSuffix("bn3.weight") ? 0.2 : 1
    return name.hasSuffix("weight") ? noise * 0.1 * one + Tensor(repeating: one, shape: shape) : noise * 0.1
  }
}
