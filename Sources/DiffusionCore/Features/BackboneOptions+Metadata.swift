import Checkpoints
import TensorCore

/// What a checkpoint of this package says of itself, beside its weights: what their shapes do not tell.
extension BackboneOptions {
  private enum Key: String, CaseIterable {
    case imageSize = "dseg.image_size"
    case heads = "dseg.heads"
    case headChannels = "dseg.head_channels"
    case headsUpsample = "dseg.heads_upsample"
    case attentionOrder = "dseg.attention_order"
    case noiseSchedule = "dseg.noise_schedule"
    case diffusionSteps = "dseg.diffusion_steps"
    case rescaleTimesteps = "dseg.rescale_timesteps"
  }

  /// Strings for the metadata of a safetensors file.
  public var metadata: [String: String] {
    var strings: [Key: String] = [
      .imageSize: "\(imageSize)", .attentionOrder: attention.order.rawValue,
      .noiseSchedule: noiseSchedule.rawValue, .diffusionSteps: "\(diffusionSteps)",
      .rescaleTimesteps: "\(rescaleTimesteps)",
    ]
    switch attention.heads {
    case .count(let count): strings[.heads] = "\(count)"
    case .channels(let width): strings[.headChannels] = "\(width)"
    }
    if let count = attention.headsUpsample { strings[.headsUpsample] = "\(count)" }
    return Dictionary(uniqueKeysWithValues: strings.map { ($0.key.rawValue, $0.value) })
  }

  /// The settings that a file says it needs; where it says nothing, those of the published checkpoints.
  /// - Throws: `DataError` when what it says is not a setting.
  public init(metadata: [String: String], file: String) throws(DataError) {
    self.init()
    func read<Value>(_ key: Key, _ expected: String, _ parse: (String) -> Value?) throws(DataError) -> Value?
    {
      guard let text = metadata[key.rawValue] else { return nil }
      guard let value = parse(text) else {
        throw DataError(
          .malformed, file: file, item: "metadata \(key.rawValue)", expected: expected, found: text)
      }
      return value
    }
    if let size = try read(.imageSize, "a number", { Int($0) }) { imageSize = size }
    if let count = try read(.heads, "a number", { Int($0) }) { attention.heads = .count(count) }
    if let width = try read(.headChannels, "a number", { Int($0) }) { attention.heads = .channels(width) }
    attention.headsUpsample = try read(.headsUpsample, "a number") { Int($0) }
    if let order = try read(.attentionOrder, "legacy or new", { AttentionOrder(rawValue: $0) }) {
      attention.order = order
    }
    if let schedule = try read(.noiseSchedule, "linear or cosine", { NoiseSchedule(rawValue: $0) }) {
      noiseSchedule = schedule
    }
    if let steps = try read(.diffusionSteps, "a number", { Int($0) }) { diffusionSteps = steps }
    if let scaled = try read(.rescaleTimesteps, "true or false", { Bool($0) }) { rescaleTimesteps = scaled }
  }

  /// The settings that a checkpoint says it needs.
  /// - Throws: `DataError` when it cannot be read.
  public init(checkpoint path: String) throws(DataError) {
    try self.init(metadata: Checkpoint(contentsOf: path).metadata, file: path)
  }
}
