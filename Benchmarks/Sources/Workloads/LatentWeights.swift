import Backbones
import Base
import Checkpoints
import DiffusionCore
import TensorCore

/// Latent diffusion models that are timed, as they were published, with random weights.
public enum LatentWeights: String, CaseIterable, Sendable {
  /// That of faces, 256 px: a U-Net of 274 million parameters and a VQ-regularised autoencoder of factor 4.
  case faces = "ldm-faces"
  /// The U-Net of Stable Diffusion 1 alone, 860 million parameters.
  case stableDiffusion = "ldm-sd1"
  /// The KL-regularised autoencoder of factor 8 alone, 84 million parameters.
  case autoencoder = "ldm-autoencoder"

  /// What stands before the names of a U-Net in a model's file.
  public static let networkPrefix = "model.diffusion_model."
  private static let autoencoderPrefix = "first_stage_model."

  /// Name and shape of every parameter, in the order of the layers.
  private func shapes() throws(DataError) -> [(name: String, shape: [Int])] {
    switch self {
    case .faces:
      try network(
        UNetConfiguration(
          inChannels: 3, modelChannels: 224, outChannels: 3, channelMult: [1, 2, 3, 4], residualBlocks: 2,
          attentionDownsampleFactors: [2, 4, 8], resampling: .convolution, usesScaleShiftNorm: false,
          attention: AttentionSettings(heads: .channels(32))))
        + Autoencoder.parameterShapes(
          AutoencoderConfiguration(
            channels: 128, levelChannels: [128, 256, 512], residualBlocks: 2, latentChannels: 3,
            embedChannels: 3, bottleneck: .codebook(8192))
        ).map { (Self.autoencoderPrefix + $0.name, $0.shape) }
    case .stableDiffusion:
      try network(
        UNetConfiguration(
          inChannels: 4, modelChannels: 320, outChannels: 4, channelMult: [1, 2, 4, 4], residualBlocks: 2,
          attentionDownsampleFactors: [1, 2, 4], resampling: .convolution, usesScaleShiftNorm: false,
          attention: AttentionSettings(heads: .count(8)),
          transformer: TransformerSettings(contextChannels: 768)))
    case .autoencoder:
      Autoencoder.parameterShapes(
        AutoencoderConfiguration(
          channels: 128, levelChannels: [128, 256, 512, 512], residualBlocks: 2, latentChannels: 4,
          embedChannels: 4, bottleneck: .gaussian))
    }
  }

  private func network(
    _ configuration: UNetConfiguration
  ) throws(DataError) -> [(name: String, shape: [Int])] {
    try UNet.parameterShapes(configuration).map { (Self.networkPrefix + $0.name, $0.shape) }
  }

  /// Writes a checkpoint of weights that keep activations near 1.
  public func writeCheckpoint(to path: String, seed: UInt64) throws(DataError) {
    var writer = SafetensorsWriter()
    for parameter in randomParameters(try shapes(), seed: seed) {
      writer.append(parameter.name, parameter.array)
    }
    try writer.write(to: path)
  }
}

/// The U-Net of a latent diffusion model whose file may hold more.
public func latentNetwork(checkpoint path: String, latentSide: Int) throws(DataError) -> UNet {
  let prefix = LatentWeights.networkPrefix
  let state = StateDictionary(
    try Checkpoint(contentsOf: path).tensors.filter { $0.name.hasPrefix(prefix) }.map {
      NamedArray(name: String($0.name.dropFirst(prefix.count)), array: $0.array)
    }, file: path, prefix: prefix)
  let shapes = Dictionary(uniqueKeysWithValues: state.tensors.map { ($0.name, $0.array.shape) })
  return try UNet(
    LatentDiffusionConfiguration.network(shapes: shapes, file: path), weights: WeightScope(state),
    convolutions: LatentDiffusion.convolutions(imageSize: latentSide))
}
