import ArgumentParser
import Augment
import Base
import DiffusionSegmentation
import Features

/// How the classifiers are trained: a preset and the settings of its table.
struct ClassifierOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Settings of one of the report's experiments: \(SegmenterPreset.all.map(\.id).joined(separator: ", ")). Flags change them.",
      valueName: "name"))
  var preset = "init"
  @Option(help: .of("models", in: SegmenterPreset.self)) var models: String?
  @Option(help: .of("epochs", in: SegmenterPreset.self)) var epochs: String?
  @Option(help: "Pixels in a batch. (default: 64, or the configuration's)")
  var batchSize: Int?
  @Option(
    help:
      "Most labelled pixels of a picture that is cut into tiles to train on, drawn at random. (default: \(SegmenterOptions().pixelsPerPicture))"
  )
  var pixels: Int?
  @Option(help: .of("dropout", in: SegmenterPreset.self)) var dropout: String?
  @Option(help: .of("weight-decay", in: SegmenterPreset.self)) var weightDecay: String?
  @Option(help: .of("schedule", in: SegmenterPreset.self)) var schedule: String?
  @Option(help: .of("noises", in: SegmenterPreset.self)) var noises: String?
  @Option(help: .of("prepare", in: SegmenterPreset.self)) var prepare: String?
  @Option(help: .of("growth", in: SegmenterPreset.self)) var growth: String?
  @Option(help: .of("augmentations", in: SegmenterPreset.self)) var augmentations: String?
  @Option(help: .of("augment-probability", in: SegmenterPreset.self)) var augmentProbability: String?
  @Flag(help: .of("redraw", in: SegmenterPreset.self)) var redraw = false

  func validate() throws {
    if let batchSize, !(2...1 << 20).contains(batchSize) {
      throw ValidationError("--batch-size must be 2 to \(1 << 20).")
    }
    if let pixels, !(1...1 << 24).contains(pixels) {
      throw ValidationError("--pixels must be 1 to \(1 << 24).")
    }
  }

  /// What was given on the command line, by the keys of the table.
  var given: [String: String] {
    let all = [
      "models": models, "epochs": epochs, "dropout": dropout,
      "weight-decay": weightDecay, "schedule": schedule, "noises": noises, "prepare": prepare,
      "growth": growth, "augmentations": augmentations,
      "augment-probability": augmentProbability, "redraw": redraw ? "1" : nil,
    ]
    return all.compactMapValues(\.self)
  }

  /// The preset with what was given.
  func chosen() throws(DataError) -> SegmenterPreset {
    var chosen = try SegmenterPreset.named(preset)
    try chosen.setFlags(given)
    try chosen.augmentation?.validate()
    return chosen
  }

  func options(seed: UInt64, fit: ImageFit) throws(DataError) -> SegmenterOptions {
    var options = SegmenterOptions(seed: seed, fit: fit)
    if let pixels {
      guard fit.tiling != nil else {
        throw DataError(
          .invalidArgument, file: "--pixels", expected: "--fit tile: of other pictures all pixels are used",
          found: "--fit \(fit)")
      }
      options.pixelsPerPicture = pixels
    }
    try chosen().apply(to: &options)
    if let batchSize { options.batchSize = batchSize }
    return options
  }
}

extension OptionTable {
  /// Changes settings that flags of the same names ask for.
  /// - Throws: `DataError` naming the flag.
  mutating func setFlags(_ given: [String: String]) throws(DataError) {
    for option in Self.options {
      guard let text = given[option.key] else { continue }
      do {
        try set(option.key, to: text)
      } catch {
        throw DataError(
          error.kind, file: "--\(option.key)", item: error.item, expected: error.expected, found: error.found)
      }
    }
  }
}
