import Base
import Checkpoints
import DiffusionCore

extension LatentDiffusionConfiguration {
  /// Settings with what the file tells, or else what is guessed.
  /// - Throws: `DataError` when the file's factor of the latents is none.
  func completed(
    _ given: LatentDiffusionOptions, state: StateDictionary, notices: Notices
  ) throws(DataError) -> LatentDiffusionOptions {
    var options = given
    func guess(_ item: String, _ text: String) { notices.add(.guessed, file: state.file, item: item, text) }
    if options.attentionHeads == nil {
      let heads = Self.guessedHeads(of: network)
      switch heads {
      case .count(let count): options.heads = count
      case .channels(let width): options.headChannels = width
      }
      guess(
        "heads",
        "no weight tells how attention is divided; it is as in the published models of this shape:"
          + " \(options.heads.map { "heads=\($0)" } ?? "head-channels=\(options.headChannels!)")")
    }
    if options.imageSize == nil { options.imageSize = guessedImageSize }
    if let stored = try storedScaleFactor(state) {
      if let scale = options.scaleFactor, Float(scale) != Float(stored) {
        notices.add(
          .suspicious, file: state.file, item: "scale factor \(scale)", "the file says \(Float(stored))")
      }
      options.scaleFactor = options.scaleFactor ?? stored
    } else if options.scaleFactor == nil {
      options.scaleFactor = guessedScaleFactor
      guess("scale factor", "the file does not tell it; scale-factor=\(guessedScaleFactor) is taken")
    }
    if steps != nil {
      if given.betaStart != nil || given.betaEnd != nil || given.diffusionSteps != nil {
        notices.add(
          .ignored, file: state.file, item: "beta-start, beta-end, diffusion-steps",
          "the file has a schedule of its own")
      }
      (options.betaStart, options.betaEnd, options.diffusionSteps) = (nil, nil, nil)
    } else {
      let guessed = guessedBetas
      options.betaStart = given.betaStart ?? guessed.first
      options.betaEnd = given.betaEnd ?? guessed.last
      options.diffusionSteps = given.diffusionSteps ?? 1000
      if given.betaStart == nil || given.betaEnd == nil {
        guess(
          "noise schedule",
          "the file has none; \(options.diffusionSteps!) steps from beta-start=\(options.betaStart!) to"
            + " beta-end=\(options.betaEnd!) are taken")
      }
    }
    try check(options)
    return options
  }

  private func storedScaleFactor(_ state: StateDictionary) throws(DataError) -> Double? {
    guard let array = state["scale_factor"] else { return nil }
    let values = array.count == 1 ? array.doubles() : []
    guard let value = values.first, value.isFinite, value > 0 else {
      throw DataError(
        .malformed, file: state.file, item: state.prefix + "scale_factor", expected: "a number above 0",
        found: array.count == 1 ? "\(values)" : "shape \(array.shape)")
    }
    return value
  }

  private func check(_ options: LatentDiffusionOptions) throws(DataError) {
    guard let scale = options.scaleFactor, scale > 0, Float(scale).isNormal else {
      throw DataError(
        .invalidArgument, file: "scale factor", expected: "a number above 0",
        found: "\(options.scaleFactor ?? 0)")
    }
    for (name, beta) in [("beta start", options.betaStart), ("beta end", options.betaEnd)] {
      guard let beta else { continue }
      guard beta > 0, beta < 1 else {
        throw DataError(.invalidArgument, file: name, expected: "a number between 0 and 1", found: "\(beta)")
      }
    }
    if let steps = options.diffusionSteps, !(1...1_000_000).contains(steps) {
      throw DataError(
        .invalidArgument, file: "diffusion steps", expected: "1 to 1,000,000", found: "\(steps)")
    }
  }

  // MARK: What keeps it from giving features

  /// - Throws: `DataError` when the autoencoder is missing, or pictures alone are not what the U-Net is shown.
  func checkMakesFeatures(of state: StateDictionary) throws(DataError) {
    guard let autoencoder else {
      throw DataError(
        .unsupported, file: state.file,
        item: state.prefix + LatentCheckpoint.Part.firstStage.rawValue + AutoencoderConfiguration.anchor,
        expected: "an autoencoder beside the U-Net", found: "a U-Net alone, which sees no pictures")
    }
    guard autoencoder.inChannels == 3 else {
      throw DataError(
        .unsupported, file: state.file,
        item: state.prefix + LatentCheckpoint.Part.firstStage.rawValue + AutoencoderConfiguration.anchor,
        expected: "an autoencoder of the 3 channels of a picture", found: "\(autoencoder.inChannels)")
    }
    let (channels, inner) = (autoencoder.embedChannels, network.inChannels)
    guard inner == channels else {
      throw DataError(
        .unsupported, file: state.file,
        item: state.prefix + LatentCheckpoint.Part.network.rawValue + "input_blocks.0.0.weight",
        expected: "a network that takes the \(channels) channels of a latent",
        found: "one that takes \(inner)"
          + (inner > channels ? ", a latent and a picture beside it (inpainting, upsampling, layouts)" : ""))
    }
    guard network.outChannels == channels else {
      throw DataError(
        .unsupported, file: state.file,
        item: state.prefix + LatentCheckpoint.Part.network.rawValue + "out.2.weight",
        expected: "\(channels) channels of noise", found: "\(network.outChannels)")
    }
    guard network.transformer == nil || network.classCount == nil else {
      throw DataError(
        .unsupported, file: state.file,
        item: state.prefix + LatentCheckpoint.Part.network.rawValue + "label_emb.weight",
        expected: "a context or classes", found: "both")
    }
  }

  /// Height and width of a picture must be multiples of this.
  var sizeMultiple: Int { (autoencoder?.factor ?? 1) * network.sizeMultiple }

  /// - Throws: `DataError` when the network cannot see pictures of this size.
  func check(imageSize: Int) throws(DataError) {
    guard imageSize > 0, imageSize <= 1 << 14, imageSize % sizeMultiple == 0 else {
      throw DataError(
        .invalidArgument, file: "image size",
        expected: "a multiple of \(sizeMultiple) up to \(1 << 14), for an autoencoder of factor"
          + " \(autoencoder?.factor ?? 1) and a U-Net of \(network.levels) levels", found: "\(imageSize)")
    }
  }
}
