import Base
import Checkpoints

extension UNetConfiguration {
  /// A tensor that every guided-diffusion U-Net has.
  public static let anchor = "time_embed.0.weight"
  /// Tensors that every such network has.
  public static let landmarks = [
    anchor, "input_blocks.0.0.weight", "middle_block.0.in_layers.0.weight",
    "output_blocks.0.0.in_layers.0.weight", "out.2.weight",
  ]

  /// Finds the network in a checkpoint, whatever its names begin with.
  /// - Returns: its parameters, and where they come from
  /// - Throws: `DataError` that says what the file holds instead, or lists the networks when there is none to prefer.
  public static func state(
    in checkpoint: Checkpoint, weights: WeightsChoice = .automatic, notices: Notices = Notices()
  ) throws(DataError) -> (state: StateDictionary, origin: ModelOrigin) {
    if let other = OtherCheckpoint(checkpoint) { throw other.error(file: checkpoint.path) }
    let networks = NetworkList(checkpoint, anchor: anchor)
    guard let member = try networks.chosen(weights, notices: notices) else {
      throw OtherCheckpoint.unknown(checkpoint).error(file: checkpoint.path)
    }
    if member.prefix.hasSuffix("diffusion_model.") {
      notices.add(
        .guessed, file: checkpoint.path, item: member.name,
        "the network lies where latent diffusion has its own; without an autoencoder (first_stage_model.) it is taken"
          + " for one of pixels")
    }
    let earlier = try? networks.chosen(.version010)
    return (
      try networks.state(of: member),
      ModelOrigin(
        checkpoint.file, weights: member.name, isNewChoice: earlier?.prefix != member.prefix)
    )
  }

  /// - Throws: `DataError` when the network takes something else than pictures of three channels, or gives something
  ///   else than noise and perhaps variances.
  public func checkSeesPictures(file: String, prefix: String) throws(DataError) {
    guard inChannels == 3 else {
      let what =
        switch inChannels {
        case 1: "channel: a network for grey pictures"
        case 2, 4, 8, 16: "channels: one for latents of an autoencoder (latent diffusion)"
        case 6: "channels, a picture and its low-resolution copy: an upsampler"
        case 7, 9: "channels, a picture or latents with a mask: an inpainting model"
        default: "channels, which pictures do not have"
        }
      throw DataError(
        .unsupported, file: file, item: "\(prefix)input_blocks.0.0.weight",
        expected: "a network that takes the 3 channels of a picture",
        found: "one that takes \(inChannels) \(what)")
    }
    guard outChannels == inChannels || outChannels == 2 * inChannels else {
      throw DataError(
        .unsupported, file: file, item: "\(prefix)out.2.weight",
        expected: "3 channels of noise, or 6 with the variance", found: "\(outChannels)")
    }
  }
}
