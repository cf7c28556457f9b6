import TensorCore

/// What computes each operation of a manifest.
enum Operations {
  typealias Operation = @Sendable (KnownCase) throws -> [String: Answer]

  /// Those whose results depend on the algorithm of convolutions.
  static let withConvolutions: Set = [
    "conv2d", "upsample", "downsample", "res_block", "unet_forward", "ddpm_features", "prepare_training_data",
    "evaluate_ensemble", "deeplab_forward",
    "deeplab_forward_file", "unet_loss_grad", "training_losses_unet", "calc_bpd_loop",
    "bottleneck", "resnet_forward", "swav_features", "ldm_ae_upsample",
    "ldm_unet_forward", "ldm_unet_loss_grad", "ldm_latent", "ldm_features",
    "ldm_ae_resnet_block", "ldm_kl_encode", "ldm_kl_decode", "ldm_vq_encode", "ldm_vq_decode",
  ]

  static let table: [String: Operation] =
    kernels.merging(layers) { first, _ in first }
    .merging(randomNumbers) { first, _ in first }
    .merging(networks) { first, _ in first }
    .merging(diffusion) { first, _ in first }
    .merging(training) { first, _ in first }
    .merging(files) { first, _ in first }
    .merging(classifiers) { first, _ in first }
    .merging(pipeline) { first, _ in first }
    .merging(augmentation) { first, _ in first }
    .merging(swav) { first, _ in first }
    .merging(transformers) { first, _ in first }
    .merging(mae) { first, _ in first }
    .merging(latentDiffusion) { first, _ in first }
    .merging(latentNetworks) { first, _ in first }
    .merging(latentFiles) { first, _ in first }
    .merging(latentProcess) { first, _ in first }
    .merging(deepLab) { first, _ in first }
    .merging(datasetDDPM) { first, _ in first }
}
