import Base
import DiffusionCore
import Features
import Layers

/// What a checkpoint of a latent diffusion model does not tell. What is nil is as in the published model of the same
/// shape.
public struct LatentDiffusionOptions: OptionTable {
  /// Number of attention heads, where it is fixed.
  public var heads: Int?
  /// Channels of an attention head, where they are fixed.
  public var headChannels: Int?
  /// Whether heads of a fixed width that does not divide the channels are widened; nil where the weights tell it.
  public var legacy: Bool?
  /// Side of the square pictures that the model was trained on, in pixels.
  public var imageSize: Int?
  /// What the autoencoder's latents are multiplied by; nil for what the file says.
  public var scaleFactor: Double?
  /// Variance of the first step, where the file has no table.
  public var betaStart: Double?
  /// Variance of the last step, where the file has no table.
  public var betaEnd: Double?
  /// Steps of the process, where the file has no table.
  public var diffusionSteps: Int?
  public var precision = ConvolutionPolicy.Precision.fast

  public init() {}

  /// How attention divides its channels; nil where nobody said it.
  package var attentionHeads: AttentionSettings.Heads? {
    headChannels.map { .channels($0) } ?? heads.map { .count($0) }
  }

  public static let options: [TableOption<LatentDiffusionOptions>] = [
    TableOption(
      "image-size",
      "Side of the pictures that the model was trained on, in pixels. (default: 512 for Stable Diffusion, else 256)",
      \.imageSize),
    TableOption(
      "heads", "Number of attention heads, instead of --head-channels.", expected: "number",
      rivals: ["head-channels"], get: { $0.heads.map { "\($0)" } },
      set: { options, text in
        guard let count = Int(text) else { return false }
        (options.heads, options.headChannels) = (count, nil)
        return true
      }),
    TableOption(
      "head-channels",
      "Channels of an attention head. (default: as in the published model of the same shape)",
      expected: "number", rivals: ["heads"], get: { $0.headChannels.map { "\($0)" } },
      set: { options, text in
        guard let width = Int(text) else { return false }
        (options.heads, options.headChannels) = (nil, width)
        return true
      }),
    TableOption(
      "legacy",
      "Whether transformers widen heads that do not divide the channels. (default: as the weights tell)",
      \.legacy),
    TableOption(
      "scale-factor", "What latents are multiplied by. (default: what the file says, or 1, or 0.18215)",
      \.scaleFactor),
    TableOption(
      "beta-start", "Variance of the first step, for a file without a schedule.", \.betaStart),
    TableOption("beta-end", "Variance of the last step, for a file without a schedule.", \.betaEnd),
    TableOption(
      "diffusion-steps", "Steps of the diffusion, for a file without a schedule. (default: 1000)",
      \.diffusionSteps),
    TableOption(
      "precision",
      "How convolutions are computed: fast, or reference, which rounds a few times less and takes longer. (default: fast)",
      isRecorded: false, \.precision),
  ]
}
