import Base
import DiffusionCore
import DiffusionSegmentation
import TensorCore

/// A forward of a whole network.
public struct Forward: Sendable {
  public let network: UNet
  /// `[N, 3, H, W]`
  public let x: Tensor
  /// One a sample.
  public let timesteps: [Float]

  public init(network: UNet, x: Tensor, timesteps: [Float]) {
    self.network = network
    self.x = x
    self.timesteps = timesteps
  }

  /// A network with random weights on random pictures.
  public init(_ network: Network, batch: Int, seed: UInt64 = 1) throws(DataError) {
    var random = Philox(seed: seed).split(1)
    self.init(
      network: try network.randomBackbone(seed: seed).network,
      x: random.normal(shape: [batch, 3, network.side, network.side]),
      timesteps: (0..<batch).map { Float(50 + 100 * $0) })
  }

  /// `[N, 6, H, W]`
  public func callAsFunction() -> Tensor { network(x, timesteps: timesteps) }
}
