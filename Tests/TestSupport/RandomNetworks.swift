import Checkpoints
import DiffusionCore
import TensorCore

extension UNetConfiguration {
  /// A network of two levels of 32 channels, for tests that need any network.
  public static let tiny = UNetConfiguration(
    modelChannels: 32, outChannels: 6, levelChannels: [32, 64], residualBlocks: 1,
    levelHasAttention: [false, true], resampling: .residual, usesScaleShiftNorm: true,
    attention: AttentionSettings(heads: .channels(32)))
}

/// The tensors of a network with random weights that keep activations near 1.
public func randomNetworkTensors(_ configuration: UNetConfiguration, seed: UInt64 = 1) throws -> [NamedArray]
{
  try UNet.parameterShapes(configuration).enumerated().map { index, parameter in
    var random = Philox(seed: seed).split(UInt64(index))
    let fanIn = parameter.shape.dropFirst().reduce(1, *)
    let noise =
      random.normal(shape: parameter.shape)
      * (parameter.shape.count > 1 ? Float(1 / Double(fanIn).squareRoot()) : 0.1)
    let isNormWeight = parameter.shape.count == 1 && parameter.name.hasSuffix("weight")
    let tensor = isNormWeight ? noise + Tensor(repeating: 1, shape: parameter.shape) : noise
    return NamedArray(name: parameter.name, array: NumericArray(tensor))
  }
}

/// A network with random weights.
public func randomNetwork(_ configuration: UNetConfiguration, seed: UInt64 = 1) throws -> UNet {
  let state = StateDictionary(try randomNetworkTensors(configuration, seed: seed), file: "random")
  return try UNet(configuration, weights: WeightScope(state))
}
