/// Outputs of operations that a later version owns. Everything else must be computed and agree.
struct NotBuiltYet: Sendable {
  /// Operation.
  var operation: String
  /// An output's name, or the beginning of it followed by `*`.
  var output: String

  func matches(_ operation: String, _ output: String) -> Bool {
    guard operation == self.operation else { return false }
    return self.output.hasSuffix("*") ? output.hasPrefix(self.output.dropLast()) : output == self.output
  }

  static let list: [NotBuiltYet] =
    // Gradients of the network's kernels and layers.
    [
      "conv2d", "conv1d", "group_norm", "silu", "softmax", "log_softmax", "qkv_attention", "upsample",
      "downsample", "res_block", "attention_block", "avg_pool_2x2",
    ].map { .init(operation: $0, output: "d_*") }
    // Training of the diffusion model.
    + [
      "unet_loss_grad", "unet_train", "training_losses", "training_losses_unet", "normal_kl",
      "discretized_gaussian_log_likelihood", "calc_bpd_loop", "sample_loop", "ddim_reverse_sample",
      "ema_warmup",
    ].map { .init(operation: $0, output: "*") }
    + [.init(operation: "optimizer_trace", output: "ema_after")]
    // Augmentation, morphology, test-time augmentation.
    + [
      "color_jitter", "to_gray", "horizontal_flip", "channel_shuffle", "coarse_dropout",
      "random_resized_crop",
      "rotate", "elastic_field", "elastic", "elastic_affine", "morphology", "augment_replay", "tta_vote",
    ].map { .init(operation: $0, output: "*") }
}
