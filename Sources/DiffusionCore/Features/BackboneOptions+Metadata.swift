import Checkpoints
import TensorCore

/// What a checkpoint of this package says of itself, beside its weights: what their shapes do not tell.
extension BackboneOptions {
  enum Key: String, CaseIterable {
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

  /// What a file says beside these settings, with these settings in the place of its own: none of them stays, since
  /// two of them can exclude each other.
  public func metadata(replacingThoseOf other: [String: String]) -> [String: String] {
    let keys = Set(Key.allCases.map(\.rawValue))
    return other.filter { !keys.contains($0.key) }.merging(metadata) { _, new in new }
  }

  /// The settings that a file says it needs; where it says nothing, those of the published checkpoints.
  /// - Throws: `DataError` when what it says is not a setting.
  public init(
    metadata: [String: String], notices: Notices = Notices(), file: String
  ) throws(DataError) {
    self.init()
    if let heads = metadata[Key.heads.rawValue], let width = metadata[Key.headChannels.rawValue] {
      notices.add(
        .guessed, file: file, item: "metadata",
        "it says both \(heads) heads and heads of \(width) channels; those of \(width) channels are taken")
    }
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

  /// Tells where settings that somebody asks for are not those that a model was trained with.
  /// - Parameters:
  ///   - stated: the settings that are known; a file's metadata name those that it knows
  ///   - metadata: of the file; nil when all settings are known
  ///   - file: what knows them, for messages
  public func noticeContradictions(
    to stated: BackboneOptions, metadata: [String: String]? = nil, file: String, notices: Notices
  ) {
    let known = stated.metadata
    for (key, value) in self.metadata.sorted(by: { $0.key < $1.key }) {
      guard metadata.map({ $0[key] != nil }) ?? true, let right = known[key], right != value else { continue }
      let name = key.replacing("dseg.", with: "").replacing("_", with: " ")
      notices.add(
        .suspicious, file: file, item: "\(name) \(value)",
        "the model was trained with \(right) by what the file says")
    }
    // Heads are told by their number or by their width.
    let isKnown =
      metadata.map { $0[Key.heads.rawValue] != nil || $0[Key.headChannels.rawValue] != nil } ?? true
    switch (attention.heads, stated.attention.heads) {
    case (.count(let count), .channels(let width)) where isKnown:
      notices.add(
        .suspicious, file: file, item: "heads \(count)",
        "the model was trained with heads of \(width) channels by what the file says")
    case (.channels(let width), .count(let count)) where isKnown:
      notices.add(
        .suspicious, file: file, item: "head channels \(width)",
        "the model was trained with \(count) heads by what the file says")
    default: break
    }
    if attention.headsUpsample != nil, case .channels = attention.heads, attention != stated.attention {
      notices.add(
        .ignored, file: file, item: "heads upsample", "heads of a fixed width are the same on the way up")
    }
  }
}
