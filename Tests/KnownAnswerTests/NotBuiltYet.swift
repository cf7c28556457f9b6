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
    // Augmentation, morphology, test-time augmentation.
    [
      "color_jitter", "to_gray", "horizontal_flip", "channel_shuffle", "coarse_dropout",
      "random_resized_crop",
      "rotate", "elastic_field", "elastic", "elastic_affine", "morphology", "augment_replay", "tta_vote",
    ].map { .init(operation: $0, output: "*") }
}
