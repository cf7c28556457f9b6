import Backbones
import Base
import Checkpoints
import DiffusionCore
import Foundation
import TensorCore
import Workloads

/// A forward of a latent diffusion model's U-Net.
struct LatentForwardWork: RepeatedWork {
  private struct Inputs: Decodable {
    var checkpoint: String
    /// `[N, C, H, W]`
    var x: String
    var timesteps: [Float]
    /// `[N, tokens, channels]`, for a network with transformers
    var context: String?
  }
  private let network: UNet
  private let x: Tensor
  private let timesteps: [Float]
  private let context: Tensor?
  var last: Tensor?

  init(inputs: Data) throws {
    let inputs = try JSONDecoder().decode(Inputs.self, from: inputs)
    x = try Tensor(npy: inputs.x)
    timesteps = inputs.timesteps
    context = try inputs.context.map { try Tensor(npy: $0) }
    network = try latentNetwork(checkpoint: inputs.checkpoint, latentSide: x.shape[2])
  }

  func runOnce() -> Tensor { network(x, timesteps: timesteps, context: context) }

  func write(_ output: Tensor, to folder: String) throws { try output.write(npy: "\(folder)/output.npy") }
}

/// A picture to the means and variances of its latent, and the mean to a picture again.
struct AutoencoderWork: RepeatedWork {
  private struct Inputs: Decodable {
    var checkpoint: String
    /// `[3, H, W]` in [-1, 1]
    var picture: String
  }
  private let autoencoder: Autoencoder
  private let picture: Tensor
  /// Moments and the picture, channels first.
  var last: [Tensor]?

  init(inputs: Data) throws {
    let inputs = try JSONDecoder().decode(Inputs.self, from: inputs)
    let picture = try Tensor(npy: inputs.picture)
    let state = try StateDictionary(Checkpoint(contentsOf: inputs.checkpoint))
    let scope = WeightScope(state)
    autoencoder = Autoencoder(
      try AutoencoderConfiguration(state: state),
      convolutions: LatentDiffusion.convolutions(imageSize: picture.shape[1]),
      weights: scope)
    try scope.finish()
    self.picture = picture.reshaped([1] + picture.shape)
  }

  func runOnce() -> [Tensor] {
    let moments = autoencoder.encode(picture.channelsLast)
    let again = autoencoder.decode(GaussianPosterior(moments: moments).mean)
    return [moments.channelsFirst, again.channelsFirst]
  }

  /// One after the other.
  func write(_ output: [Tensor], to folder: String) throws {
    let values = output.flatMap(\.elements)
    try Tensor(values, shape: [values.count]).write(npy: "\(folder)/output.npy")
  }
}
