import Checkpoints
import DiffusionCore
import TensorCore

extension Operations {
  /// Group A: layers of the U-Net.
  static let layers: [String: Operation] = [
    "upsample": { known in
      try known.layerAnswers { weights in
        let layer = Upsample(
          channels: try known.int("channels"), outChannels: try known.int("out_channels"),
          usesConvolution: try known.bool("use_conv"), algorithm: known.algorithm, weights: weights)
        return { layer($0[0], tape: $1) }
      }
    },
    "downsample": { known in
      try known.layerAnswers { weights in
        let layer = Downsample(
          channels: try known.int("channels"), outChannels: try known.int("out_channels"),
          usesConvolution: try known.bool("use_conv"), weights: weights)
        return { layer($0[0], tape: $1) }
      }
    },
    "res_block": { known in
      try known.layerAnswers(inputs: ["x", "emb"]) { weights in
        let resampling: ResBlock.Resampling = try known.bool("up") ? .up : known.bool("down") ? .down : .none
        let layer = ResBlock(
          channels: try known.int("channels"), outChannels: try known.int("out_channels"),
          embeddingChannels: try known.int("emb_channels"),
          usesScaleShiftNorm: try known.bool("use_scale_shift_norm"),
          usesConvolutionSkip: try known.bool("use_conv"), resampling: resampling,
          algorithm: { _, _ in known.algorithm }, weights: weights)
        return { layer(ConvolutionInput($0[0]), siluEmbedding: silu($0[1], tape: $1), tape: $1) }
      }
    },
    "attention_block": { known in
      try known.layerAnswers { weights in
        let (channels, width) = (try known.int("channels"), try known.int("num_head_channels"))
        let layer = AttentionBlock(
          channels: channels, heads: width > 0 ? channels / width : try known.int("num_heads"),
          order: try known.bool("use_new_attention_order") ? .new : .legacy, weights: weights)
        return { layer($0[0], tape: $1) }
      }
    },
  ]
}

extension KnownCase {
  /// For 3×3 convolutions of stride 1.
  var algorithm: ConvolutionAlgorithm { precision == .fast ? .winograd4 : .im2col }
}
