import Checkpoints
import DiffusionCore
import Layers
import TensorCore

extension Operations {
  /// Group B: U-Nets.
  static let networks: [String: Operation] = [
    "checkpoint_tensors": { known in
      let state = try known.stateDictionary()
      // What data-parallel training puts before all names is taken off, and told apart.
      let parallel = state.prefix.hasSuffix("module.") ? "module." : ""
      let prefix = try known.parameters.part("checkpoint").stringIfPresent("key_prefix") ?? ""
      let tensors = state.tensors.compactMap { tensor -> NamedArray? in
        if prefix.isEmpty || prefix == parallel {
          return NamedArray(name: parallel + tensor.name, array: tensor.array)
        }
        guard tensor.name.hasPrefix(prefix) else { return nil }
        return NamedArray(name: String(tensor.name.dropFirst(prefix.count)), array: tensor.array)
      }
      let columns = tensors.map { TensorStatistics($0.array.doubles()) }
      return [
        "names": .strings(tensors.map(\.name)), "dtypes": .strings(tensors.map(\.array.elementType.rawValue)),
        "shapes": .value(.array(tensors.map { .array($0.array.shape.map { .number(Double($0)) }) })),
        "sum": .list(columns.map(\.sum)), "l2": .list(columns.map(\.norm)),
        "first": .list(columns.map(\.first)),
        "last": .list(columns.map(\.last)), "position_weighted_sum": .list(columns.map(\.weightedSum)),
      ]
    },
    "unet_forward": { known in
      let network = try known.network()
      // More outputs, which are given in any case.
      known.parameters.describes("debug_activations")
      var answers: [String: Answer] = [:]
      let out = network(
        try known.tensor("x"), timesteps: try known.tensor("timesteps").elements,
        classes: try known.classesIfPresent()
      ) { place, activation in
        switch place {
        case .timeEmbedding: answers["time_embed"] = .tensor(activation)
        case .inputBlock(let index): answers["input_blocks.\(index)"] = .tensor(activation.channelsFirst)
        case .middleBlock: answers["middle_block"] = .tensor(activation.channelsFirst)
        case .outputBlock(let index):
          answers["output_blocks.\(index)"] = .tensor(activation.channelsFirst)
        }
      }
      answers["out"] = .tensor(out)
      return answers
    },
  ]
}

/// What `checkpoint_tensors` tells of each tensor.
struct TensorStatistics {
  var sum = 0.0, norm = 0.0, first = 0.0, last = 0.0, weightedSum = 0.0

  init(_ values: [Double]) {
    guard let head = values.first, let tail = values.last else { return }
    (first, last) = (head, tail)
    for (index, value) in values.enumerated() {
      sum += value
      norm += value * value
      weightedSum += value * Double(index + 1) / Double(values.count)
    }
    norm = norm.squareRoot()
  }
}

extension KnownCase {
  /// The file of the checkpoint that the case names. Its format and prefixes are found out from the file.
  func checkpointPath() throws -> String {
    let checkpoint = try parameters.part("checkpoint")
    checkpoint.describes("format", "wrapped_under", "key_prefix")
    return path(try checkpoint.string("file"))
  }

  /// The parameters in the checkpoint that the case names.
  func stateDictionary() throws -> StateDictionary {
    try StateDictionary(Checkpoint(contentsOf: checkpointPath()))
  }

  /// The network of the case's configuration with the weights of its checkpoint.
  func network() throws -> UNet {
    let (configuration, weights) = (try networkConfiguration(), WeightScope(try stateDictionary()))
    return try UNet(
      configuration, weights: weights, convolutions: ConvolutionPolicy(precision: precision, imageSize: 64))
  }

  /// The reference's flags as a configuration.
  func networkConfiguration() throws -> UNetConfiguration {
    let flags = try parameters.part("config")
    // Pictures come with the case; networks are evaluated, without dropout.
    flags.describes("image_size", "dropout", "use_checkpoint")
    try flags.expect("use_fp16", .bool(false))
    let (heads, width) = (try flags.int("num_heads"), try flags.int("num_head_channels"))
    let upHeads = try flags.intIfPresent("num_heads_upsample") ?? -1
    let (movesInBlocks, convolves) = (
      try flags.boolIfPresent("resblock_updown") ?? false, try flags.boolIfPresent("conv_resample") ?? true
    )
    let hasTransformers = try flags.boolIfPresent("use_spatial_transformer") ?? false
    flags.describes("transformer_depth", "context_dim", "legacy")
    return UNetConfiguration(
      inChannels: try flags.int("in_channels"), modelChannels: try flags.int("model_channels"),
      outChannels: try flags.int("out_channels"), channelMult: try flags.doubles("channel_mult"),
      residualBlocks: try flags.int("num_res_blocks"),
      attentionDownsampleFactors: Set(try flags.ints("attention_downsample_factors")),
      resampling: movesInBlocks ? .residual : convolves ? .convolution : .parameterless,
      usesScaleShiftNorm: try flags.bool("use_scale_shift_norm"),
      classCount: try flags.intIfPresent("num_classes"),
      attention: AttentionSettings(
        heads: width > 0 ? .channels(width) : .count(heads), headsUpsample: upHeads > 0 ? upHeads : nil,
        order: try flags.bool("use_new_attention_order") ? .new : .legacy),
      transformer: hasTransformers
        ? TransformerSettings(
          depth: try flags.int("transformer_depth"), contextChannels: try flags.int("context_dim"),
          isLegacy: try flags.bool("legacy")) : nil)
  }

  /// Holds the network in the words of the command line against its configuration.
  func checkModelFlags() throws {
    guard parameters.has("model_flags") else { return }
    let (flags, config) = (try parameters.part("model_flags"), try parameters.part("config"))
    let size = try config.int("image_size")
    try flags.expect("image_size", .number(Double(size)))
    try flags.expect("num_channels", .number(Double(try config.int("model_channels"))))
    for name in [
      "num_res_blocks", "num_heads", "num_head_channels", "num_heads_upsample", "use_scale_shift_norm",
      "resblock_updown", "use_new_attention_order",
    ] where flags.has(name) {
      guard let value = config[name] else { throw flags.mismatch(name, "what config says, nothing") }
      try flags.expect(name, value)
    }
    func list(_ name: String) throws -> [Double]? {
      try flags.stringIfPresent(name)?.split(separator: ",").map { Double($0) ?? .nan }
    }
    if let multiples = try list("channel_mult"), try multiples != config.doubles("channel_mult") {
      throw flags.mismatch("channel_mult", "what config says")
    }
    if let sides = try list("attention_resolutions"),
      try Set(sides.map { size / Int($0) }) != Set(config.ints("attention_downsample_factors"))
    {
      throw flags.mismatch("attention_resolutions", "what config says")
    }
    let learns = try config.int("out_channels") == 2 * config.int("in_channels")
    try flags.expect("learn_sigma", .bool(learns))
    try flags.expect("class_cond", .bool(config.has("num_classes")))
    try flags.expect("use_fp16", .bool(false))
    flags.describes("dropout")
  }
}
