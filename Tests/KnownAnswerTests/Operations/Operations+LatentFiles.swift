import Backbones
import Base
import Checkpoints
import DiffusionCore
import Foundation
import TensorCore

extension Operations {
  /// Checkpoints of latent diffusion models.
  static let latentFiles: [String: Operation] = [
    "ldm_checkpoint_contents": { known in
      let checkpoint = try Checkpoint(contentsOf: known.path(try known.parameters.string("file")))
      guard case .dictionary(let top) = checkpoint.root else { return [:] }
      let model = try LatentCheckpoint(checkpoint)
      let counts = model.counts.map { ($0.key.rawValue, JSONValue.number(Double($0.value))) }
      var answers: [String: Answer] = [
        "top_level_keys": .strings(top.map(\.path)), "tensor_count": .int(model.tensors.count),
        "tensors_by_prefix": .value(.object(Dictionary(uniqueKeysWithValues: counts))),
        "has_ema": .bool(model.averages == .all), "has_scale_factor": .bool(model.scaleFactor != nil),
      ]
      if case .integer(let step) = checkpoint["global_step"] { answers["global_step"] = .int(step) }
      // In the digits of single precision.
      answers["scale_factor"] = model.scaleFactor.map { .value(.number(Double("\(Float($0))")!)) }
      answers["ema_updates"] = model.averageUpdates.map { .int($0) }
      return answers
    },
    "ldm_ema_names": { known in
      ["ema_names": .strings(try known.parameters.strings("names").map(LatentCheckpoint.averageName))]
    },
    "ldm_ema_weights": { known in
      let model = try known.latentCheckpoint()
      let weights = model.network(averaged: try known.parameters.bool("use_ema"))
      let columns = weights.map { TensorStatistics($0.array.doubles()) }
      return [
        "names": .strings(weights.map(\.name)), "num_updates": .int(model.averageUpdates ?? -1),
        "sum": .list(columns.map(\.sum)), "l2": .list(columns.map(\.norm)),
        "first": .list(columns.map(\.first)), "last": .list(columns.map(\.last)),
        "position_weighted_sum": .list(columns.map(\.weightedSum)),
      ]
    },
    "ldm_infer_configuration": { known in
      guard known.parameters.has("keys_file") else {
        let model = try LatentCheckpoint(
          Checkpoint(contentsOf: known.path(try known.parameters.string("file"))))
        let state = StateDictionary(model.tensors, file: known.id)
        let found = try LatentDiffusionConfiguration(state: state)
        return [
          "unet": .value(found.network.flags), "first_stage": .value(found.autoencoder?.flags ?? .null),
          "has_ema": .bool(model.averages == .all),
          "timesteps": .value(found.steps.map { .number(Double($0)) } ?? .null),
          "class_embedder": .value(
            found.classCount.map {
              .object([
                "n_classes": .number(Double($0)),
                "embed_dim": .number(Double(found.network.transformer?.contextChannels ?? 0)),
              ])
            } ?? .null),
        ]
      }
      let shapes = try known.shapes(ofKeys: known.path(try known.parameters.string("keys_file")))
      guard shapes["time_embed.0.weight"] != nil else {
        let found = try AutoencoderConfiguration(shapes: shapes, file: known.id)
        let count = shapes.values.reduce(0) { $0 + $1.reduce(1, *) }
        return ["first_stage": .value(found.flags.with("parameters", Double(count)))]
      }
      let found = try LatentDiffusionConfiguration.network(shapes: shapes, file: known.id)
      return ["unet": .value(found.flags.with("parameters", found.parameterCount))]
    },
  ]
}

extension KnownCase {
  /// A list of names and shapes: a name, a tab, sizes joined by x.
  fileprivate func shapes(ofKeys path: String) throws -> [String: [Int]] {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let rows = text.split(separator: "\n").map { $0.split(separator: "\t") }
    return Dictionary(
      uniqueKeysWithValues: rows.map { row in
        (String(row[0]), row.count > 1 ? row[1].split(separator: "x").map { Int($0)! } : [])
      })
  }
}

extension JSONValue {
  fileprivate func with(_ name: String, _ value: Double) -> JSONValue {
    .object((object ?? [:]).merging([name: .number(value)]) { _, new in new })
  }
}

private func number(_ value: Int?) -> JSONValue { value.map { .number(Double($0)) } ?? .null }

private func factors(_ levels: [Bool]) -> JSONValue {
  .array(levels.indices.filter { levels[$0] }.map { .number(Double(1 << $0)) })
}

extension UNetConfiguration {
  /// In the words of the reference's constructor.
  fileprivate var flags: JSONValue {
    .object([
      "in_channels": number(inChannels), "out_channels": number(outChannels),
      "model_channels": number(modelChannels), "num_res_blocks": number(residualBlocks),
      "channel_mult": .array(levelChannels.map { .number(Double($0) / Double(modelChannels)) }),
      "attention_downsample_factors": factors(levelHasAttention),
      "use_scale_shift_norm": .bool(usesScaleShiftNorm), "resblock_updown": .bool(resampling == .residual),
      "use_spatial_transformer": .bool(transformer != nil),
      "transformer_depth": number(transformer?.depth), "context_dim": number(transformer?.contextChannels),
      "num_classes": number(classCount),
    ])
  }
}

extension AutoencoderConfiguration {
  fileprivate var flags: JSONValue {
    var codes: Int?
    if case .codebook(let count) = bottleneck { codes = count }
    return .object([
      "kind": .string(codes == nil ? "kl" : "vq"), "in_channels": number(inChannels), "ch": number(channels),
      "ch_mult": .array(levelChannels.map { .number(Double($0) / Double(channels)) }),
      "num_res_blocks": number(residualBlocks), "z_channels": number(latentChannels),
      "embed_dim": number(embedChannels), "n_embed": number(codes), "double_z": .bool(codes == nil),
      "attention_downsample_factors": factors(levelHasAttention), "mid_attention": .bool(middleHasAttention),
      "downsample_factor": number(factor),
    ])
  }
}
