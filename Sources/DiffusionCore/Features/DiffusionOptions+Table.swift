import Base
import Checkpoints
import Features
import Layers
import TensorCore

extension DiffusionOptions: OptionTable {
  public init() { self.init(imageSize: 256) }

  public static let options: [TableOption<DiffusionOptions>] = [
    TableOption(
      "image-size", "Side of the pictures that the model was trained on, in pixels. (default: 256)",
      \.imageSize),
    TableOption(
      "heads", "Number of attention heads, instead of --head-channels.", expected: "number",
      rivals: ["head-channels"],
      get: { if case .count(let count) = $0.attention.heads { "\(count)" } else { nil } },
      set: { options, text in
        guard let count = Int(text) else { return false }
        options.attention.heads = .count(count)
        return true
      }),
    TableOption(
      "head-channels", "Channels of an attention head. (default: 64)", expected: "number", rivals: ["heads"],
      get: { if case .channels(let width) = $0.attention.heads { "\(width)" } else { nil } },
      set: { options, text in
        guard let width = Int(text) else { return false }
        options.attention.heads = .channels(width)
        return true
      }),
    TableOption(
      "heads-upsample", "Number of attention heads on the way up, if it differs from --heads.",
      \.attention.headsUpsample),
    TableOption(
      "attention-order", "How queries, keys and values lie in the weights: legacy or new. (default: legacy)",
      \.attention.order),
    TableOption(
      "noise-schedule", "Noise schedule of the diffusion: linear or cosine. (default: linear)",
      \.noiseSchedule),
    TableOption("diffusion-steps", "Steps of the diffusion. (default: 1000)", \.diffusionSteps),
    TableOption(
      "rescale-timesteps", "The model saw time scaled to 0-1000, whatever the number of steps.",
      \.rescaleTimesteps),
    TableOption(
      "precision",
      "How convolutions are computed: fast, or reference, which rounds a few times less and takes twice as long. (default: fast)",
      isRecorded: false, \.precision),
  ]

  public func ineffective(besides stated: DiffusionOptions) -> [(key: String, reason: String)] {
    guard attention.headsUpsample != nil, case .channels = attention.heads, attention != stated.attention
    else {
      return []
    }
    return [("heads-upsample", "heads of a fixed width are the same on the way up")]
  }
}
