import Base
import Checkpoints
import Features
import Layers
import TensorCore

/// A masked autoencoder (He et al. 2022) as a backbone: its encoder without a mask.
public struct MAE: Backbone {
  public static let kind = "mae"
  public static let summary = "the vision transformer of a masked autoencoder (He et al. 2022)"

  public static let anchor = MAEConfiguration.anchor
  public static let landmarks = [
    anchor, "pos_embed", "cls_token", "blocks.0.attn.qkv.weight", "blocks.0.mlp.fc1.weight",
  ]
  public static let experiments: ExperimentNames? = ExperimentNames(types: ["mae"])

  public let network: MaskedAutoencoder
  public let options: MAEOptions
  public let origin: ModelOrigin

  /// Side of the square pictures that are shown to the network, in pixels.
  public var imageSize: Int { options.imageSize ?? network.configuration.imageSize }

  public init(
    _ checkpoint: Checkpoint, options: MAEOptions, weights: WeightsChoice, notices: Notices
  ) throws(DataError) {
    let (state, origin) = try Self.state(in: checkpoint, weights: weights, notices: notices)
    let configuration = try MAEConfiguration(state: state, options: options)
    guard configuration.inChannels == 3 else {
      throw DataError(
        .unsupported, file: checkpoint.path, item: state.prefix + MAEConfiguration.anchor,
        expected: "a network of pictures of 3 channels", found: "\(configuration.inChannels)")
    }
    try Self.check(options.imageSize, for: configuration)
    let scope = WeightScope(state, requiresFinite: true)
    network = MaskedAutoencoder(configuration, weights: scope)
    // A head for classes, of a fine-tuned encoder.
    for name in scope.children where name == "head" || name == "fc_norm" {
      for tensor in state.tensors where tensor.name.hasPrefix(name + ".") { scope.ignore(tensor.name) }
    }
    if configuration.decoder == nil { scope.ignore("mask_token") }
    try scope.finish()
    (self.options, self.origin) = (options, origin)
  }

  /// - Throws: `DataError` when pictures of this size cannot be cut into patches.
  static func check(_ imageSize: Int?, for configuration: MAEConfiguration) throws(DataError) {
    guard let imageSize else { return }
    guard imageSize > 0, imageSize <= 1 << 14, imageSize % configuration.patchSize == 0 else {
      throw DataError(
        .invalidArgument, file: "image size",
        expected: "a multiple of \(configuration.patchSize), the side of a patch, up to \(1 << 14)",
        found: "\(imageSize)")
    }
  }

  public func features(
    _ selection: MAESelection, tensors: [String: Tensor], notices: Notices
  ) throws(DataError) -> any ModelFeatures {
    let depth = network.configuration.encoder.depth
    let features = MAEFeatures(
      self, blocks: selection.blocks ?? Array(depth - min(12, (depth + 1) / 2)..<depth))
    try features.validate()
    return features
  }
}
