import Base
import DiffusionSegmentation
import Foundation

extension ExperimentSettings {
  /// Keys of a model, which stood beside the others before there could be several.
  private static let backboneKeys = ["checkpointSHA256", "weights", "kind", "options", "selection", "arrays"]

  /// Settings that version 0.1.0 wrote, as this version has them.
  private struct Earlier: Decodable {
    var backbone: EarlierRecord.Model
    var steps: [Int]
    var blocks: [Int]
    var conditioningClass: Int?
    var noise: String
  }

  /// Reads the settings of a folder.
  /// - Parameter present: what is compared with them; version 0.1.0 did not keep the arrays
  /// - Throws: `DataError` when the file cannot be read or is damaged.
  init(contentsOf path: String, present: ExperimentSettings) throws(DataError) {
    let file = try MappedFile(path: path)
    let data = Data(file.bytes)
    do {
      guard var fields = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
        throw CocoaError(.fileReadCorruptFile)
      }
      if fields["steps"] != nil {
        let earlier = try JSONDecoder().decode(Earlier.self, from: data)
        var selection = EarlierRecord.selection(
          steps: earlier.steps, blocks: earlier.blocks, conditioningClass: earlier.conditioningClass ?? 0)
        selection["noises"] = "1"
        selection["noise"] = earlier.noise == "perImage" ? "per-image" : "recorded"
        if earlier.noise == "perImage" { selection["noise-seed"] = "0" }
        let digest = fields["checkpointSHA256"] as? String
        let same =
          present.backbones.values.first { $0.checkpointSHA256 == digest } ?? present.backbones.values.first
        // A class-conditional network is told 0 unless it says otherwise.
        selection["class"] = selection["class"] ?? same?.selection["class"].map { _ in "0" }
        fields["kind"] = "guided-diffusion"
        fields["options"] = earlier.backbone.options
        fields["selection"] = selection
        fields["arrays"] = same?.arrays ?? [:]
        // It knew no other way to resize masks, and did not look at EXIF, which most pictures do not have.
        fields["maskResampling"] = fields["maskResampling"] ?? "nearest"
        fields["orientation"] = fields["orientation"] ?? present.orientation
      }
      if fields["backbones"] == nil {
        var backbone: [String: Any] = ["folder": ""]
        for key in Self.backboneKeys { backbone[key] = fields.removeValue(forKey: key) }
        fields["backbones"] = ["": backbone]
      }
      self = try JSONDecoder().decode(
        ExperimentSettings.self, from: JSONSerialization.data(withJSONObject: fields))
    } catch {
      throw DataError(
        .malformed, file: path, expected: "the settings of an experiment", found: "\(error)")
    }
  }
}
