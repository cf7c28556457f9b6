import Checkpoints
import DiffusionCore
import Layers
import TensorCore

extension Operations {
  /// Group A: layers of the U-Net.
  static let layers: [String: Operation] = [
    "upsample": { known in
      try known.layerAnswers { weights in
        let layer = Upsample(
          channels: try known.parameters.int("channels"),
          outChannels: try known.parameters.int("out_channels"),
          usesConvolution: try known.parameters.bool("use_conv"), algorithm: known.algorithm, weights: weights
        )
        return { layer($0[0], tape: $1) }
      }
    },
    "downsample": { known in
      try known.layerAnswers { weights in
        let layer = Downsample(
          channels: try known.parameters.int("channels"),
          outChannels: try known.parameters.int("out_channels"),
          usesConvolution: try known.parameters.bool("use_conv"), weights: weights)
        return { layer($0[0], tape: $1) }
      }
    },
    "res_block": { known in
      try known.layerAnswers(inputs: ["x", "emb"]) { weights in
        let (up, down) = (try known.parameters.bool("up"), try known.parameters.bool("down"))
        if up && down { throw known.parameters.mismatch("down", "false, where up is true") }
        let resampling: ResBlock.Resampling = up ? .up : down ? .down : .none
        let layer = ResBlock(
          channels: try known.parameters.int("channels"),
          outChannels: try known.parameters.int("out_channels"),
          embeddingChannels: try known.parameters.int("emb_channels"),
          usesScaleShiftNorm: try known.parameters.bool("use_scale_shift_norm"),
          usesConvolutionSkip: try known.parameters.bool("use_conv"), resampling: resampling,
          algorithm: { _, _ in known.algorithm }, weights: weights)
        // Layers are evaluated, without dropout.
        known.parameters.describes("dropout")
        return { layer(ConvolutionInput($0[0]), siluEmbedding: silu($0[1], tape: $1), tape: $1) }
      }
    },
    "attention_block": { known in
      try known.layerAnswers { weights in
        let channels = try known.parameters.int("channels")
        let (heads, width) = (
          try known.parameters.int("num_heads"), try known.parameters.int("num_head_channels")
        )
        let layer = AttentionBlock(
          channels: channels, heads: width > 0 ? channels / width : heads,
          order: try known.parameters.bool("use_new_attention_order") ? .new : .legacy, weights: weights)
        return { layer($0[0], tape: $1) }
      }
    },
  ]
}

extension KnownCase {
  /// For 3×3 convolutions of stride 1.
  var algorithm: ConvolutionAlgorithm { precision == .fast ? .winograd4 : .im2col }
}
