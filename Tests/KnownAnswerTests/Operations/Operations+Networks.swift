import Checkpoints
import DiffusionCore
import TensorCore

extension Operations {
  /// Group B: U-Nets.
  static let networks: [String: Operation] = [
    "checkpoint_tensors": { known in
      let tensors = try known.stateDictionary().tensors
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
      var answers: [String: Answer] = [:]
      let out = network(
        try known.tensor("x"), timesteps: try known.tensor("timesteps").elements,
        classes: known.has("y") ? try known.ints("y") : nil
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
private struct TensorStatistics {
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
  /// The parameters in the checkpoint that the case names.
  func stateDictionary() throws -> StateDictionary {
    guard let file = try object("checkpoint")["file"]?.string else { throw badConfiguration("checkpoint") }
    return try StateDictionary(Checkpoint(contentsOf: path(file)))
  }

  /// The network of the case's configuration with the weights of its checkpoint.
  func network() throws -> UNet {
    let (configuration, weights) = (try networkConfiguration(), WeightScope(try stateDictionary()))
    return try UNet(
      configuration, weights: weights, convolutions: ConvolutionPolicy(precision: precision, imageSize: 64))
  }

  /// The reference's flags as a configuration.
  func networkConfiguration() throws -> UNetConfiguration {
    let flags = try object("config")
    func int(_ name: String) throws -> Int {
      guard let value = flags[name]?.int else { throw badConfiguration(name) }
      return value
    }
    let (heads, width, upHeads) = (
      try int("num_heads"), try int("num_head_channels"), try int("num_heads_upsample")
    )
    let resampling: UNetConfiguration.Resampling =
      flags["resblock_updown"]?.bool == true
      ? .residual : flags["conv_resample"]?.bool == false ? .parameterless : .convolution
    return UNetConfiguration(
      inChannels: try int("in_channels"), modelChannels: try int("model_channels"),
      outChannels: try int("out_channels"),
      channelMult: flags["channel_mult"]?.array?.compactMap(\.double) ?? [],
      residualBlocks: try int("num_res_blocks"),
      attentionDownsampleFactors: Set(flags["attention_downsample_factors"]?.array?.compactMap(\.int) ?? []),
      resampling: resampling, usesScaleShiftNorm: flags["use_scale_shift_norm"]?.bool ?? false,
      classCount: flags["num_classes"]?.int,
      attention: AttentionSettings(
        heads: width > 0 ? .channels(width) : .count(heads), headsUpsample: upHeads > 0 ? upHeads : nil,
        order: flags["use_new_attention_order"]?.bool == true ? .new : .legacy))
  }

  private func badConfiguration(_ name: String) -> DataError {
    DataError(.malformed, file: id, item: name, expected: "this setting of the network", found: "none")
  }
}
