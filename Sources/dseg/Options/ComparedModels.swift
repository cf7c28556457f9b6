import ArgumentParser
import Backbones
import Base
import Features

/// Pretrained models to compare, each with options of its own.
struct ComparedModels: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A pretrained model (.pt or .safetensors), as often as wanted; the first is what the others are compared with. (default name: the file's)",
      valueName: "[name=]file"))
  var checkpoint: [String]
  @OptionGroup var options: NamedModelOptions
  @OptionGroup var selection: FeatureOptions
  @OptionGroup var drawing: NoiseOptions

  func validate() throws {
    if drawing.freshNoise && selection.noise != nil {
      throw ValidationError("--fresh-noise and --noise exclude each other.")
    }
  }

  /// The features of all, in the order of the command line.
  /// - Throws: `DataError` when a file is no model, a name or a setting is unknown, or a setting does not fit.
  func features(notices: Notices) throws(DataError) -> [NamedFeatures] {
    let common = drawing.given.merging(selection.given) { _, new in new }
      .merging(options.flags.shortForms) { _, new in new }
    return try NamedModels(checkpoint, kinds: options.backbone, notices: notices).features(
      common: common, settings: options.flags.settings, weights: options.weights, notices: notices)
  }
}
