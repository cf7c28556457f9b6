import Base
import Features
import Foundation

/// What formats before 4 say of the model: its settings and the choice of activations in guided-diffusion's words, the
/// only kind of model that they know.
package enum EarlierRecord {
  private struct Fields: Decodable {
    var steps: [Int]
    var blocks: [Int]
    var noise: Noise
    var conditioningClass: Int
    var checkpoint: SegmenterRecord.CheckpointReference
    var backbone: Model
  }

  private struct Noise: Decodable {
    /// `shared` or `perImage`.
    var kind: String
    var seed: UInt64?
    var count: Int?
  }

  /// The model's settings, in the segmenter's file as in an experiment's.
  package struct Model: Decodable {
    var headChannels: Int?
    var heads: Int?
    var headsUpsample: Int?
    var attentionOrder: String
    var imageSize: Int
    var noiseSchedule: String
    var diffusionSteps: Int
    var rescaleTimesteps: Bool

    package var options: [String: String] {
      var options = [
        "attention-order": attentionOrder, "image-size": "\(imageSize)", "noise-schedule": noiseSchedule,
        "diffusion-steps": "\(diffusionSteps)", "rescale-timesteps": "\(rescaleTimesteps)",
      ]
      if let heads {
        options["heads"] = "\(heads)"
      } else {
        options["head-channels"] = "\(headChannels ?? 64)"
      }
      options["heads-upsample"] = headsUpsample.map { "\($0)" }
      return options
    }
  }

  package static func selection(steps: [Int], blocks: [Int], conditioningClass: Int) -> [String: String] {
    func list(_ numbers: [Int]) -> String { numbers.map { "\($0)" }.joined(separator: ",") }
    var selection = ["steps": list(steps), "blocks": list(blocks)]
    // 0 is also what networks without classes have.
    if conditioningClass != 0 { selection["class"] = "\(conditioningClass)" }
    return selection
  }

  /// The record of an earlier format as one of the last.
  /// - Throws: `DataError` when it is no such record.
  static func brought(_ json: Data, file: String) throws(DataError) -> Data {
    let backbone = try backbone(of: json, file: file)
    do {
      guard var fields = try JSONSerialization.jsonObject(with: json) as? [String: Any] else {
        throw CocoaError(.fileReadCorruptFile)
      }
      for key in ["steps", "blocks", "noise", "conditioningClass", "checkpoint"] { fields[key] = nil }
      fields["backbone"] = try JSONSerialization.jsonObject(with: JSONEncoder().encode(backbone))
      return try JSONSerialization.data(withJSONObject: fields)
    } catch {
      throw malformed(file, error)
    }
  }

  private static func backbone(of json: Data, file: String) throws(DataError) -> SegmenterRecord.Backbone {
    let fields: Fields
    do {
      fields = try JSONDecoder().decode(Fields.self, from: json)
    } catch {
      throw malformed(file, error)
    }
    var selection = selection(
      steps: fields.steps, blocks: fields.blocks, conditioningClass: fields.conditioningClass)
    switch (fields.noise.kind, fields.noise.seed) {
    case ("shared", _): selection["noise"] = "recorded"
    case ("perImage", .some(let seed)):
      (selection["noise"], selection["noise-seed"]) = ("per-image", "\(seed)")
    default:
      throw DataError(
        .malformed, file: file, item: "noise", expected: "shared, or perImage with a seed",
        found: fields.noise.kind)
    }
    selection["noises"] = "\(fields.noise.count ?? 1)"
    return SegmenterRecord.Backbone(
      kind: "guided-diffusion", options: fields.backbone.options, selection: selection,
      checkpoint: fields.checkpoint)
  }

  private static func malformed(_ file: String, _ error: any Error) -> DataError {
    DataError(.malformed, file: file, item: "settings", expected: "those of a segmenter", found: "\(error)")
  }
}
