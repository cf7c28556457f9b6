import Base
import Checkpoints
import DiffusionCore
import DiffusionSegmentation
import TensorCore

/// The networks that are timed, with random weights.
public enum Network: String, CaseIterable, Sendable {
  /// 64 pixels, 64 channels, 8.85 GMAC a forward.
  case small64
  /// The same with 32 channels and without a learned variance, to be trained: 6.3 million parameters, 6.74 GMAC a
  /// picture forward and backward.
  case small32
  /// That of the published LSUN checkpoints: 256 pixels, 552.8 million parameters, 1,119.8 GMAC a forward.
  case lsun256

  public var configuration: UNetConfiguration {
    switch self {
    case .small64:
      UNetConfiguration(
        modelChannels: 64, outChannels: 6, channelMult: [1, 2, 3, 4], residualBlocks: 2,
        attentionDownsampleFactors: [4, 8], resampling: .residual, usesScaleShiftNorm: true)
    case .small32:
      UNetConfiguration(
        modelChannels: 32, outChannels: 3, channelMult: [1, 2, 3, 4], residualBlocks: 2,
        attentionDownsampleFactors: [4, 8], resampling: .residual, usesScaleShiftNorm: true,
        attention: AttentionSettings(heads: .channels(32)))
    case .lsun256:
      UNetConfiguration(
        modelChannels: 256, outChannels: 6, channelMult: [1, 1, 2, 2, 4, 4], residualBlocks: 2,
        attentionDownsampleFactors: [8, 16, 32], resampling: .residual, usesScaleShiftNorm: true)
    }
  }

  /// Side of the pictures it is made for, in pixels.
  public var side: Int { self == .lsun256 ? 256 : 64 }

  /// Its parameters under the names of a checkpoint.
  public func randomParameters(seed: UInt64) throws(DataError) -> [NamedArray] {
    try Workloads.randomParameters(UNet.parameterShapes(configuration), seed: seed)
  }

  /// A model with these weights.
  public func randomBackbone(seed: UInt64) throws(DataError) -> DiffusionBackbone {
    let state = StateDictionary(try randomParameters(seed: seed), file: rawValue)
    return try DiffusionBackbone(
      network: UNet(configuration, weights: WeightScope(state)), options: DiffusionOptions(imageSize: side),
      checkpointPath: rawValue)
  }

  /// Writes them as a checkpoint.
  public func writeCheckpoint(to path: String, seed: UInt64) throws(DataError) {
    var writer = SafetensorsWriter()
    for parameter in try randomParameters(seed: seed) { writer.append(parameter.name, parameter.array) }
    try writer.write(to: path)
  }
}

/// Parameters that keep activations near 1, each with random numbers of its own.
func randomParameters(_ shapes: [(name: String, shape: [Int])], seed: UInt64) -> [NamedArray] {
  var tensors = [Tensor](repeating: Tensor(zeros: [0]), count: shapes.count)
  let random = Philox(seed: seed)
  tensors.withUnsafeMutableBufferPointer { tensors in
    // Each item is written by the one call that has its index.
    nonisolated(unsafe) let places = tensors
    parallelFor(shapes.count) { index in
      places[index] = randomTensor(
        shapes[index].name, shapes[index].shape, random: random.split(UInt64(index)))
    }
  }
  return zip(shapes, tensors).map { NamedArray(name: $0.name, array: NumericArray($1)) }
}

/// Deviation 1 / sqrt(inputs); normalisations near the identity.
private func randomTensor(_ name: String, _ shape: [Int], random: Philox) -> Tensor {
  var random = random
  let noise = random.normal(shape: shape)
  guard shape.count == 1 else {
    return noise * Float(1 / Double(shape.dropFirst().reduce(1, *)).squareRoot())
  }
  return name.hasSuffix("weight") ? noise * 0.1 + Tensor(repeating: 1, shape: shape) : noise * 0.1
}
