import ArgumentParser
import Backbones
import Features

/// The network to train and how, for kinds of models that share few settings: what is given goes by its key to the table
/// of the kind, which refuses what it does not know.
struct PretrainOptions: ParsableArguments {
  @Option(
    name: .customShort("b"),
    help: ArgumentHelp(
      "A setting of the model or its training, as often as wanted; --settings lists them.",
      valueName: "key=value"))
  var settings: [String] = []

  // Short forms: `-b channels=32` is `--channels 32`.

  @Option(help: .of("image-size")) var imageSize: String?
  @Option(help: .of("batch")) var batch: String?
  @Option(help: .of("micro-batch")) var microBatch: String?
  @Option(help: .of("learning-rate")) var learningRate: String?
  @Option(help: .of("weight-decay")) var weightDecay: String?
  @Option(help: .of("warm-up")) var warmUp: String?
  @Option(help: .of("cosine-steps")) var cosineSteps: String?
  @Option(help: .of("gradient-norm")) var gradientNorm: String?
  @Option(help: .of("ema-rate")) var emaRate: String?
  @Flag(
    help:
      "Keep that share from the first step on, as the reference does, rather than less of the first steps.")
  var constantEma = false
  @Flag(help: "Leave pictures as they are, rather than mirror every other one.")
  var noFlips = false
  @Flag(help: .of("quarter-turns")) var quarterTurns = false
  @OptionGroup(title: "Diffusion models") var diffusion: DiffusionPretrainOptions
  @OptionGroup(title: "Masked autoencoders") var mae: MAEPretrainOptions
  @OptionGroup(title: "Latent diffusion models") var latent: LatentPretrainOptions

  func validate() throws {
    for text in settings where !text.contains("=") {
      throw ValidationError("-b takes key=value, not \(text).")
    }
  }

  /// What was given on the command line, by the keys of the tables.
  var given: [String: String] {
    var given = diffusion.given.merging(mae.given) { first, _ in first }
    given["first-stage"] = latent.firstStage
    let shortForms = [
      "image-size": imageSize, "batch": batch, "micro-batch": microBatch, "learning-rate": learningRate,
      "weight-decay": weightDecay, "warm-up": warmUp, "cosine-steps": cosineSteps,
      "gradient-norm": gradientNorm, "ema-rate": emaRate, "ema-warm-up": constantEma ? "false" : nil,
      "flips": noFlips ? "false" : nil, "quarter-turns": quarterTurns ? "true" : nil,
    ]
    for (key, value) in shortForms { if let value { given[key] = value } }
    for text in settings {
      let pair = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      given[String(pair[0])] = String(pair[1])
    }
    return given
  }
}

/// Short forms for what diffusion models alone have.
struct DiffusionPretrainOptions: ParsableArguments {
  @Option(help: .of("channels")) var channels: String?
  @Option(help: .of("channel-mult")) var channelMult: String?
  @Option(help: .of("residual-blocks")) var residualBlocks: String?
  @Option(help: .of("attention-resolutions")) var attentionResolutions: String?
  @Option(help: .of("head-channels")) var headChannels: String?
  @Flag(help: .of("learn-sigma")) var learnSigma = false
  @Option(help: .of("noise-schedule")) var noiseSchedule: String?
  @Option(help: .of("diffusion-steps")) var diffusionSteps: String?
  @Flag(help: .of("class-conditional")) var classConditional = false
  @Option(help: .of("dropout")) var dropout: String?
  @Option(help: .of("loss")) var loss: String?
  @Option(help: .of("timesteps")) var timesteps: String?
  @Flag(help: .of("recompute")) var recompute = false

  var given: [String: String] {
    [
      "channels": channels, "channel-mult": channelMult, "residual-blocks": residualBlocks,
      "attention-resolutions": attentionResolutions, "head-channels": headChannels,
      "learn-sigma": learnSigma ? "true" : nil, "noise-schedule": noiseSchedule,
      "diffusion-steps": diffusionSteps, "class-conditional": classConditional ? "true" : nil,
      "dropout": dropout, "loss": loss, "timesteps": timesteps, "recompute": recompute ? "true" : nil,
    ].compactMapValues { $0 }
  }
}

/// Short forms for what masked autoencoders alone have.
struct MAEPretrainOptions: ParsableArguments {
  @Option(help: .of("patch-size", in: MAEPretrainingSettings.self)) var patchSize: String?
  @Option(help: .of("width", in: MAEPretrainingSettings.self)) var width: String?
  @Option(help: .of("depth", in: MAEPretrainingSettings.self)) var depth: String?
  @Option(help: .of("heads", in: MAEPretrainingSettings.self)) var heads: String?
  @Option(help: .of("mask-ratio", in: MAEPretrainingSettings.self)) var maskRatio: String?

  var given: [String: String] {
    ["patch-size": patchSize, "width": width, "depth": depth, "heads": heads, "mask-ratio": maskRatio]
      .compactMapValues { $0 }
  }
}

/// Short forms for what latent diffusion models alone have.
struct LatentPretrainOptions: ParsableArguments {
  @Option(help: .of("first-stage", in: LatentDiffusionPretrainingSettings.self)) var firstStage: String?
}

extension ArgumentHelp {
  /// The help of a setting of diffusion models; its default may be another for other kinds.
  fileprivate static func of(_ key: String) -> ArgumentHelp {
    .of(key, in: DiffusionPretrainingSettings.self)
  }
}
