import Backbones
import Base
import Checkpoints
import Features
import Foundation
import PixelClassifier

/// A segmenter's file, read without the pretrained model that it names.
public struct SegmenterFile {
  /// Key of the settings in the file's metadata.
  public static let recordKey = "segmenter"
  /// What stands before the names of arrays that belong to the choice of activations of a model: `features.`,
  /// `features2.`, …
  static func featurePrefix(ofModel index: Int) -> String {
    index == 0 ? "features." : "features\(index + 1)."
  }
  /// The only such array of formats before 4.
  private static let earlierNoise = "noise"

  public let path: String
  public let record: SegmenterRecord
  private let members: [NamedArray]
  /// Of each model.
  private let featureTensors: [[String: NamedArray]]

  /// - Throws: `DataError` when the file is missing, damaged, of a later format, or no segmenter.
  public init(contentsOf path: String) throws(DataError) {
    self.path = path
    let checkpoint = try Checkpoint(contentsOf: path)
    guard let text = checkpoint.metadata[Self.recordKey] else {
      throw DataError(
        .malformed, file: path, expected: "a segmenter, as dseg train writes them",
        found: (try? BackboneRegistry.standard.recognizing(checkpoint)) == nil
          ? "a \(checkpoint.format.rawValue) file without its settings"
          : "a pretrained model (\(checkpoint.format.rawValue)); it is given with --checkpoint when a segmenter is trained"
      )
    }
    // A later format may have other fields: look at the number first.
    let format = try JSONObject(parsing: Data(text.utf8), file: path).integer("format")
    guard SegmenterRecord.formats.contains(format) else {
      throw DataError(
        .unsupported, file: path, item: "format",
        expected: "\(SegmenterRecord.formats.lowerBound) to \(SegmenterRecord.formats.upperBound)",
        found: "\(format)")
    }
    let isEarlier = format < SegmenterRecord.ofOneModel
    let json = isEarlier ? try EarlierRecord.brought(Data(text.utf8), file: path) : Data(text.utf8)
    do {
      record = try JSONDecoder().decode(SegmenterRecord.self, from: json)
    } catch {
      throw DataError(
        .malformed, file: path, item: "settings", expected: "those of a segmenter", found: "\(error)")
    }
    let prefixes = record.backbones.indices.map(Self.featurePrefix)
    var members: [NamedArray] = []
    var featureTensors = [[String: NamedArray]](repeating: [:], count: prefixes.count)
    for tensor in checkpoint.tensors {
      if isEarlier, tensor.name == Self.earlierNoise {
        featureTensors[0][tensor.name] = tensor
      } else if let model = prefixes.firstIndex(where: tensor.name.hasPrefix) {
        featureTensors[model][String(tensor.name.dropFirst(prefixes[model].count))] = tensor
      } else {
        members.append(tensor)
      }
    }
    (self.members, self.featureTensors) = (members, featureTensors)
  }

  /// - Throws: `DataError` when a checkpoint is not the one that the segmenter was trained with.
  func checkDigest(_ digest: String, of checkpoint: String, model index: Int) throws(DataError) {
    let expected = record.backbones[index].checkpoint.sha256
    guard digest == expected else {
      throw DataError(
        .malformed, file: checkpoint, item: "SHA-256",
        expected: "\(expected), of the checkpoint that \(path) was trained with",
        found: digest)
    }
  }

  func featureRecord(ofModel index: Int) throws(DataError) -> FeatureRecord {
    let (backbone, tensors) = (record.backbones[index], featureTensors[index])
    for (_, tensor) in tensors.sorted(by: { $0.key < $1.key }) { try checkFinite(tensor) }
    return FeatureRecord(
      kind: backbone.kind, options: backbone.options, selection: backbone.selection,
      tensors: tensors.mapValues { $0.array.tensor() })
  }

  func ensemble() throws(DataError) -> PixelEnsemble {
    for tensor in members { try checkFinite(tensor) }
    return try PixelEnsemble(
      memberCount: record.members, weights: WeightScope(StateDictionary(members, file: path)))
  }

  /// Weights that are not finite, or variances below 0, would go through to every pixel.
  private func checkFinite(_ tensor: NamedArray) throws(DataError) {
    let lowest: Float = tensor.name.hasSuffix("running_var") ? 0 : -.greatestFiniteMagnitude
    let values = tensor.array.tensor()
    guard values.withUnsafeBufferPointer({ $0.allSatisfy { $0.isFinite && $0 >= lowest } }) else {
      throw DataError(
        .malformed, file: path, item: tensor.name,
        expected: lowest == 0 ? "finite variances, 0 or above" : "finite numbers", found: "others")
    }
  }
}
