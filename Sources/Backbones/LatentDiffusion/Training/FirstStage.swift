import Base
import Checkpoints
import Layers
import TensorCore

/// The autoencoder of a latent diffusion model in training, which stays as it is.
public struct FirstStage: Sendable, Equatable {
  public let autoencoder: Autoencoder
  /// Its weights, under the names of an autoencoder of its own.
  public let parameters: [NamedTensor]
  /// SHA-256 of the file that it was read from.
  public let digest: String

  /// Reads an autoencoder from a file of its own, or from that of a latent diffusion model.
  /// - Parameters:
  ///   - path: `.safetensors`, `.ckpt` or `.pt`
  ///   - notices: told of what the file has besides
  /// - Throws: `DataError` when the file holds no such autoencoder, or not one of pictures of three channels.
  public init(contentsOf path: String, notices: Notices = Notices()) throws(DataError) {
    let checkpoint = try Checkpoint(contentsOf: path)
    let networks = NetworkList(checkpoint, anchor: AutoencoderConfiguration.anchor)
    guard let member = try networks.chosen(.automatic, notices: notices) else {
      throw DataError(
        .unsupported, file: path,
        expected: "an autoencoder of latent diffusion (\(AutoencoderConfiguration.anchor), …)",
        found: "none of its names")
    }
    let all = try networks.state(of: member)
    let losses = all.tensors.filter { $0.name.hasPrefix("loss.") }
    if !losses.isEmpty {
      notices.add(.leftOut, file: path, item: "loss", "\(losses.count) tensors of a loss are not read")
    }
    let state = StateDictionary(
      all.tensors.filter { !$0.name.hasPrefix("loss.") }, file: path, prefix: all.prefix)
    let configuration = try AutoencoderConfiguration(state: state)
    guard configuration.inChannels == 3 else {
      throw DataError(
        .unsupported, file: path, item: state.prefix + AutoencoderConfiguration.anchor,
        expected: "an autoencoder of pictures of 3 channels", found: "\(configuration.inChannels)")
    }
    let scope = WeightScope(state, requiresFinite: true)
    autoencoder = Autoencoder(configuration, weights: scope)
    try scope.finish()
    parameters = state.tensors.map { NamedTensor(name: $0.name, tensor: $0.array.tensor()) }
    digest = try ModelOrigin(checkpoint.file, weights: member.name).sha256()
  }

  public static func == (a: FirstStage, b: FirstStage) -> Bool { a.digest == b.digest }
}
