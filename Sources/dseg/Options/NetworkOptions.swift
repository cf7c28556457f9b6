import ArgumentParser
import Backbones
import Base
import Checkpoints
import DiffusionCore
import Features

/// The pretrained model: its kind, and what its weights do not tell. What is not given keeps the value that the file or
/// the segmenter has, or else its default.
struct NetworkOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Kind of the pretrained model: \(BackboneRegistry.standard.kinds.map { $0.kind }.joined(separator: ", ")). (default: as its file shows)",
      valueName: "kind"))
  var backbone: String?

  @Option(
    help: ArgumentHelp(
      "Which network of a checkpoint that holds several, by what stands before its names, such as ema or model. (default: the moving average)",
      valueName: "name"))
  var weights: String?

  @OptionGroup var flags: NetworkSettings

  /// Which network was asked for.
  var weightsChoice: WeightsChoice { weights.map { .named($0) } ?? .automatic }

  /// What was given on the command line, by the keys of option tables.
  /// - Parameter others: settings from other flags and files, which these take the place of
  func given(_ others: [String: String] = [:]) -> [String: String] {
    others.merging(flags.shortForms) { _, new in new }.merging(flags.settings.map(NetworkSettings.pair)) {
      _, new in new
    }
  }
}

/// Settings of pretrained models and of their activations.
struct NetworkSettings: ParsableArguments {
  @Option(
    name: .customShort("b"),
    help: ArgumentHelp(
      "A setting of the pretrained model or of its activations, as often as wanted; `dseg inspect --settings` lists them.",
      valueName: "key=value"))
  var settings: [String] = []

  // Short forms of the settings of guided-diffusion: `-b head-channels=32` is `--head-channels 32`.

  @Option(help: .of("image-size", in: DiffusionOptions.self)) var imageSize: String?
  @Option(help: .of("head-channels", in: DiffusionOptions.self)) var headChannels: String?
  @Option(help: .of("heads", in: DiffusionOptions.self)) var heads: String?
  @Option(help: .of("heads-upsample", in: DiffusionOptions.self)) var headsUpsample: String?
  @Option(help: .of("attention-order", in: DiffusionOptions.self)) var attentionOrder: String?
  @Option(help: .of("noise-schedule", in: DiffusionOptions.self)) var noiseSchedule: String?
  @Option(help: .of("diffusion-steps", in: DiffusionOptions.self)) var diffusionSteps: String?
  @Flag(help: .of("rescale-timesteps", in: DiffusionOptions.self)) var rescaleTimesteps = false
  @Option(help: .of("precision", in: DiffusionOptions.self)) var precision: String?

  func validate() throws {
    if headChannels != nil && heads != nil {
      throw ValidationError("--head-channels and --heads exclude each other.")
    }
    for text in settings where !text.contains("=") {
      throw ValidationError("-b takes key=value, not \(text).")
    }
  }

  /// What was given in short forms, by the keys of option tables.
  var shortForms: [String: String] {
    let all = [
      "image-size": imageSize, "head-channels": headChannels, "heads": heads, "heads-upsample": headsUpsample,
      "attention-order": attentionOrder, "noise-schedule": noiseSchedule, "diffusion-steps": diffusionSteps,
      "rescale-timesteps": rescaleTimesteps ? "true" : nil, "precision": precision,
    ]
    return all.compactMapValues(\.self)
  }

  /// Key and value of a setting.
  static func pair(_ text: String) -> (key: String, value: String) {
    let pair = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    return (String(pair[0]), String(pair[1]))
  }
}

extension ArgumentHelp {
  /// The help of a setting.
  static func of(_ key: String, in table: (some OptionTable).Type) -> ArgumentHelp {
    ArgumentHelp(stringLiteral: table.option(key)!.help)
  }
}
