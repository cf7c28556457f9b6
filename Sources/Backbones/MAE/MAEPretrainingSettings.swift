import Augment
import Base
import Checkpoints
import Features
import Images
import TensorCore
import Training

/// A masked autoencoder to train, and how (He et al. 2022; `main_pretrain.py` of facebookresearch/mae).
///
/// Network, batch and moving average are of a size for a CPU, and pictures are normalised by their own statistics; the
/// rest is the reference's: three quarters of the patches are removed, AdamW with betas 0.9 and 0.95 and a decay of 0.05, a
/// learning rate of 1e-3 for 256 pictures, no average.
public struct MAEPretrainingSettings: Sendable, Equatable {
  /// Means and deviations that pictures are normalised by.
  public enum PixelStatistics: String, Sendable, CaseIterable {
    /// Those of the first batch. Pictures with little contrast would be lost beside the positions under other ones.
    case own
    /// ImageNet's, as in the reference.
    case imagenet
  }

  /// Side of the pictures that the network sees, in pixels.
  public var imageSize = 64
  /// Side of a patch, in pixels.
  public var patchSize = 4
  public var encoder = MAEConfiguration.Stack(channels: 192, depth: 8, heads: 3, hidden: 768)
  public var decoder = MAEConfiguration.Stack(channels: 96, depth: 2, heads: 3, hidden: 384)
  /// Share of the patches that are removed.
  public var maskRatio = 0.75
  /// Whether the decoder paints patches less their mean and over their deviation.
  public var normalizesPatches = true
  /// What pictures are normalised by.
  public var statistics = PixelStatistics.own
  /// Share of a picture's area that the smallest part of it has that is shown.
  public var smallestCrop = 0.2
  /// Whether every other part is mirrored.
  public var flips = true
  /// Whether parts are turned by a random number of right angles.
  public var quarterTurns = false
  public var reading = PictureReading()
  /// Of what parts are cut: whole pictures, or squares at random places of them.
  public var crop = PictureCrop.centre
  public var trainer = TrainerOptions()

  public init() {
    trainer.batch = 64
    trainer.optimizer = Adam(
      learningRate: 2.5e-4, beta1: 0.9, beta2: 0.95, weightDecay: 0.05, decay: .decoupled)
    trainer.average = ExponentialAverage(decay: 0)
  }

  public var configuration: MAEConfiguration {
    MAEConfiguration(
      patchSize: patchSize, grid: imageSize / max(1, patchSize), encoder: encoder, decoder: decoder)
  }
}

extension MAEPretrainingSettings {
  /// - Throws: `DataError` that names the setting that cannot be.
  public func validate() throws(DataError) {
    func check(_ holds: Bool, _ name: String, _ expected: String, _ found: Any) throws(DataError) {
      if !holds { throw DataError(.invalidArgument, file: name, expected: expected, found: "\(found)") }
    }
    try check((1...1 << 12).contains(patchSize), "patch size", "1 to \(1 << 12)", patchSize)
    try check(
      imageSize > 0 && imageSize <= 1 << 14 && imageSize % patchSize == 0, "image size",
      "a multiple of \(patchSize), the side of a patch, up to \(1 << 14)", imageSize)
    for (stack, name) in [(encoder, ""), (decoder, "decoder ")] {
      // Sines and cosines of two directions fill the table of positions.
      try check(
        stack.channels > 0 && stack.channels <= 1 << 14 && stack.channels % 4 == 0, "\(name)width",
        "a multiple of 4 up to \(1 << 14)", stack.channels)
      try check((1...512).contains(stack.depth), "\(name)depth", "1 to 512", stack.depth)
      try check(
        stack.heads > 0 && stack.channels % stack.heads == 0, "\(name)heads",
        "a number that divides the \(stack.channels) channels", stack.heads)
    }
    try check(maskRatio >= 0 && maskRatio < 1, "mask ratio", "0 to below 1", maskRatio)
    let patches = configuration.grid * configuration.grid
    let kept = Int(Double(patches) * (1 - maskRatio))
    try check(
      kept > 0 && kept < patches, "mask ratio", "a share that leaves some of \(patches) patches, and not all",
      maskRatio)
    try check(smallestCrop > 0 && smallestCrop <= 1, "smallest crop", "above 0, up to 1", smallestCrop)
    try trainer.validate()
  }

  /// What the layers keep of the patches that are seen, and of all in the decoder.
  public var trainingBytes: Double {
    let parameters = configuration.parameterShapes.reduce(0.0) { sum, parameter in
      sum + parameter.shape.reduce(1.0) { $0 * Double($1) }
    }
    let patches = Double(configuration.grid) * Double(configuration.grid)
    func activations(_ stack: MAEConfiguration.Stack, tokens: Double) -> Double {
      tokens * Double(stack.depth) * (8 * Double(stack.channels) + 2 * Double(stack.hidden))
    }
    let picture =
      activations(encoder, tokens: 1 + patches * (1 - maskRatio)) + activations(decoder, tokens: 1 + patches)
    return 4 * (5 * parameters + Double(trainer.microBatch ?? trainer.batch) * picture)
  }
}
