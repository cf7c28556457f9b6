import Augment
import Backbones
import Base
import Checkpoints
import Features
import Foundation
import Images
import PixelClassifier

extension Segmenter {
  /// Writes one `.safetensors` file with everything but the pretrained model, which it names by path and by the
  /// SHA-256 of the file that the weights were read from, whatever has taken its name since.
  /// - Throws: `DataError` when somebody wrote to the checkpoint while it was in use, or the file cannot be written; an
  ///   older file of this name then stays as it was.
  public func write(to path: String) throws(DataError) {
    let origin = features.origin
    let digest = try origin.sha256()
    try origin.checkUnchanged()
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(SegmenterRecord(self, checkpointSHA256: digest)) else {
      throw DataError(.writeFailed, file: path, item: "settings", expected: "finite numbers", found: "others")
    }
    var writer = SafetensorsWriter(metadata: [SegmenterFile.recordKey: String(decoding: data, as: UTF8.self)])
    for tensor in ensemble.namedTensors { writer.append(tensor.name, tensor.array) }
    for (name, tensor) in features.record.tensors.sorted(by: { $0.key < $1.key }) {
      writer.append(SegmenterFile.featurePrefix + name, tensor)
    }
    try writer.write(to: path)
  }

  /// Reads a segmenter and loads its pretrained model.
  /// - Parameters:
  ///   - checkpoint: where the model is now; without it, where it was, or beside the segmenter
  ///   - weights: which of the file's networks; without it, the one that the segmenter was trained with
  ///   - changes: settings of the model or of the choice of activations that take the place of the file's, by the keys
  ///     of its option tables
  ///   - registry: the kinds of models that are known
  ///   - notices: told where the changes contradict what the segmenter was trained with
  /// - Throws: `DataError` when either file is missing, damaged, or the checkpoint is not the one that the
  ///   segmenter was trained with.
  public init(
    contentsOf path: String, checkpoint: String? = nil, weights: WeightsChoice? = nil,
    changes: [String: String] = [:], registry: BackboneRegistry = .standard, notices: Notices = Notices()
  ) throws(DataError) {
    let file = try SegmenterFile(contentsOf: path)
    let reference = file.record.backbone.checkpoint
    // Opened once: what is hashed is what is loaded.
    let opened = try OpenedFile(path: Self.locate(reference, given: checkpoint, segmenter: path))
    try file.checkDigest(opened.sha256(), of: opened.path)
    let recorded = reference.weights.map { WeightsChoice.named($0) } ?? .version010
    let features = try registry.features(
      of: Checkpoint(opened), record: try file.featureRecord(), source: path, changes: changes,
      weights: weights ?? recorded, notices: notices)
    if weights != nil, let before = reference.weights, before != features.origin.weights {
      notices.add(
        .suspicious, file: path, item: "weights \(features.origin.weights ?? "")",
        "the segmenter was trained with \(before)")
    }
    try self.init(file, features: features)
  }

  /// Reads a segmenter of features whose model is loaded.
  /// - Throws: `DataError` when the file is damaged, or the segmenter was trained with another model or others of its
  ///   activations.
  package init(contentsOf path: String, features: any PixelFeatures) throws(DataError) {
    let file = try SegmenterFile(contentsOf: path)
    try file.checkDigest(features.origin.sha256(), of: features.origin.path)
    let (recorded, given) = (try file.featureRecord(), features.record)
    guard recorded == given else {
      throw DataError(
        .malformed, file: path, item: "features",
        expected: "\(given.kind), \(given.options), \(given.selection), the features at hand",
        found: "\(recorded.kind), \(recorded.options), \(recorded.selection)")
    }
    try self.init(file, features: features)
  }

  private init(_ file: SegmenterFile, features: any PixelFeatures) throws(DataError) {
    let (path, record) = (file.path, file.record)
    let precision: FeaturePrecision = try known(record.featurePrecision, "featurePrecision", path)
    let fit: ImageFit = try known(record.fit, "fit", path)
    let maskResampling: MaskResampling =
      try record.maskResampling.map { (name) throws(DataError) in try known(name, "maskResampling", path) }
      ?? .nearest
    let orientation: OrientationHandling =
      try record.orientation.map { (name) throws(DataError) in try known(name, "orientation", path) }
      ?? .apply
    let prediction = try record.prediction.settings(file: path)
    let training = try record.training?.options(
      members: record.members, fit: fit, maskResampling: maskResampling, featurePrecision: precision,
      file: path)
    let classes = try record.classList(file: path)
    let ensemble = try file.ensemble()
    do {
      try self.init(
        ensemble: ensemble, classes: classes, features: features, featurePrecision: precision, fit: fit,
        maskResampling: maskResampling, orientation: orientation, prediction: prediction, training: training,
        census: record.census)
    } catch {
      throw DataError(.malformed, file: path, item: error.file, expected: error.expected, found: error.found)
    }
  }

  private static func locate(
    _ reference: SegmenterRecord.CheckpointReference, given: String?, segmenter: String
  ) throws(DataError) -> String {
    if let given { return given }
    let name = (reference.path as NSString).lastPathComponent
    let beside = ((segmenter as NSString).deletingLastPathComponent as NSString).appendingPathComponent(name)
    guard let path = [reference.path, beside].first(where: FileManager.default.fileExists(atPath:)) else {
      throw DataError(
        .noInput, file: reference.path, expected: "the checkpoint of \(segmenter), here or at \(beside)",
        found: "nothing; name its place")
    }
    return path
  }
}

/// A segmenter's file, read but for the pretrained model.
package struct SegmenterFile {
  /// Key of the settings in the file's metadata.
  package static let recordKey = "segmenter"
  /// What stands before the names of arrays that belong to the choice of activations.
  static let featurePrefix = "features."
  /// The only such array of formats before 4.
  private static let earlierNoise = "noise"

  package let path: String
  package let record: SegmenterRecord
  private let members: [NamedArray]
  private let featureTensors: [String: NamedArray]

  package init(contentsOf path: String) throws(DataError) {
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
    let isEarlier = format < SegmenterRecord.formats.upperBound
    let json = isEarlier ? try EarlierRecord.brought(Data(text.utf8), file: path) : Data(text.utf8)
    do {
      record = try JSONDecoder().decode(SegmenterRecord.self, from: json)
    } catch {
      throw DataError(
        .malformed, file: path, item: "settings", expected: "those of a segmenter", found: "\(error)")
    }
    var (members, featureTensors) = ([NamedArray](), [String: NamedArray]())
    for tensor in checkpoint.tensors {
      if isEarlier, tensor.name == Self.earlierNoise {
        featureTensors[tensor.name] = tensor
      } else if tensor.name.hasPrefix(Self.featurePrefix) {
        featureTensors[String(tensor.name.dropFirst(Self.featurePrefix.count))] = tensor
      } else {
        members.append(tensor)
      }
    }
    (self.members, self.featureTensors) = (members, featureTensors)
  }

  /// - Throws: `DataError` when a checkpoint is not the one that the segmenter was trained with.
  func checkDigest(_ digest: String, of checkpoint: String) throws(DataError) {
    guard digest == record.backbone.checkpoint.sha256 else {
      throw DataError(
        .malformed, file: checkpoint, item: "SHA-256",
        expected: "\(record.backbone.checkpoint.sha256), of the checkpoint that \(path) was trained with",
        found: digest)
    }
  }

  func featureRecord() throws(DataError) -> FeatureRecord {
    for (_, tensor) in featureTensors.sorted(by: { $0.key < $1.key }) { try checkFinite(tensor) }
    return FeatureRecord(
      kind: record.backbone.kind, options: record.backbone.options, selection: record.backbone.selection,
      tensors: featureTensors.mapValues { $0.array.tensor() })
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
