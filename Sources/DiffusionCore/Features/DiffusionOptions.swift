import Layers
import TensorCore

/// What a checkpoint does not tell about a diffusion model and its network.
public struct DiffusionOptions: Sendable, Equatable {
  /// How attention divides its channels.
  public var attention: AttentionSettings
  /// Side of the square pictures that the model was trained on, in pixels.
  public var imageSize: Int
  public var noiseSchedule: NoiseSchedule
  /// Steps of the diffusion process.
  public var diffusionSteps: Int
  /// Whether the network saw time scaled to 0 ..< 1000.
  public var rescaleTimesteps: Bool
  /// How exactly, and in how much memory, convolutions are computed.
  public var precision: ConvolutionPolicy.Precision

  /// The settings of the published LSUN and FFHQ checkpoints.
  public init(
    attention: AttentionSettings = .init(), imageSize: Int = 256, noiseSchedule: NoiseSchedule = .linear,
    diffusionSteps: Int = 1000, rescaleTimesteps: Bool = false,
    precision: ConvolutionPolicy.Precision = .fast
  ) {
    self.attention = attention
    self.imageSize = imageSize
    self.noiseSchedule = noiseSchedule
    self.diffusionSteps = diffusionSteps
    self.rescaleTimesteps = rescaleTimesteps
    self.precision = precision
  }
}
