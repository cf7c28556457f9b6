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
  ///   - path: the segmenter's file
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
