import Checkpoints
import DiffusionCore
import TensorCore

extension Operations {
  /// Group A: layers of the U-Net.
  static let layers: [String: Operation] = [
    "upsample": { known in
      let weights = try known.weightScope()
      let layer = Upsample(
        channels: try known.int("channels"), outChannels: try known.int("out_channels"),
        usesConvolution: try known.bool("use_conv"), algorithm: known.algorithm, weights: weights)
      try weights.finish()
      return ["y": .tensor(layer(try known.tensor("x").channelsLast).channelsFirst)]
    },
    "downsample": { known in
      let weights = try known.weightScope()
      let layer = Downsample(
        channels: try known.int("channels"), outChannels: try known.int("out_channels"),
        usesConvolution: try known.bool("use_conv"), weights: weights)
      try weights.finish()
      return ["y": .tensor(layer(try known.tensor("x").channelsLast).channelsFirst)]
    },
    "res_block": { known in
      let weights = try known.weightScope()
      let resampling: ResBlock.Resampling = try known.bool("up") ? .up : known.bool("down") ? .down : .none
      let layer = ResBlock(
        channels: try known.int("channels"), outChannels: try known.int("out_channels"),
        embeddingChannels: try known.int("emb_channels"),
        usesScaleShiftNorm: try known.bool("use_scale_shift_norm"),
        usesConvolutionSkip: try known.bool("use_conv"), resampling: resampling,
        algorithm: { _, _ in known.algorithm }, weights: weights)
      try weights.finish()
      let y = layer(
        ConvolutionInput(try known.tensor("x").channelsLast),
        siluEmbedding: silu(try known.tensor("emb")))
      return ["y": .tensor(y.channelsFirst)]
    },
    "attention_block": { known in
      let weights = try known.weightScope()
      let (channels, width) = (try known.int("channels"), try known.int("num_head_channels"))
      let layer = AttentionBlock(
        channels: channels, heads: width > 0 ? channels / width : try known.int("num_heads"),
        order: try known.bool("use_new_attention_order") ? .new : .legacy, weights: weights)
      try weights.finish()
      return ["y": .tensor(layer(try known.tensor("x").channelsLast).channelsFirst)]
    },
  ]
}

extension KnownCase {
  /// For 3×3 convolutions of stride 1.
  var algorithm: ConvolutionAlgorithm { precision == .fast ? .winograd4 : .im2col }

  /// The inputs `w.<name>` as a state dictionary.
  func weightScope() throws -> WeightScope {
    let names = inputs.keys.filter { $0.hasPrefix("w.") }.sorted()
    let arrays = try names.map { NamedArray(name: String($0.dropFirst(2)), array: try array($0)) }
    return WeightScope(StateDictionary(arrays, file: id))
  }
}
