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
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let record = try SegmenterRecord(self)
    guard let data = try? encoder.encode(record) else {
      throw DataError(.writeFailed, file: path, item: "settings", expected: "finite numbers", found: "others")
    }
    var writer = SafetensorsWriter(metadata: [SegmenterFile.recordKey: String(decoding: data, as: UTF8.self)])
    for tensor in ensemble.namedTensors { writer.append(tensor.name, tensor.array) }
    for (index, model) in features.models.enumerated() {
      for (name, tensor) in model.record.tensors.sorted(by: { $0.key < $1.key }) {
        writer.append(SegmenterFile.featurePrefix(ofModel: index) + name, tensor)
      }
    }
    try writer.write(to: path)
  }

  /// What may be changed about a pretrained model when a segmenter is read.
  public struct ModelChanges: Sendable {
    /// Where the checkpoint is now; nil for where it was, or beside the segmenter.
    public var checkpoint: String?
    /// Which of the file's networks; nil for the one that the segmenter was trained with.
    public var weights: WeightsChoice?
    /// Settings of the model or of the choice of activations that take the place of the segmenter's, by the keys of its
    /// option tables.
    public var settings: [String: String]

    public init(
      checkpoint: String? = nil, weights: WeightsChoice? = nil, settings: [String: String] = [:]
    ) {
      (self.checkpoint, self.weights, self.settings) = (checkpoint, weights, settings)
    }
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
    try self.init(
      SegmenterFile(contentsOf: path),
      models: [ModelChanges(checkpoint: checkpoint, weights: weights, settings: changes)], registry: registry,
      notices: notices)
  }

  /// Loads the pretrained models of a segmenter's file.
  /// - Parameters:
  ///   - file: of the segmenter
  ///   - changes: for each model, in the order of the file; missing ones are none
  ///   - registry: the kinds of models that are known
  ///   - notices: told where the changes contradict what the segmenter was trained with
  /// - Throws: `DataError` when a checkpoint is missing, damaged, or not the one that the segmenter was trained with.
  /// - Precondition: there are no more changes than models.
  public init(
    _ file: SegmenterFile, models changes: [ModelChanges], registry: BackboneRegistry = .standard,
    notices: Notices = Notices()
  ) throws(DataError) {
    let count = file.record.backbones.count
    precondition(changes.count <= count, "changes of \(changes.count) models, but \(count) models")
    var models: [any ModelFeatures] = []
    for index in 0..<count {
      let changes = index < changes.count ? changes[index] : ModelChanges()
      models.append(try Self.model(index, of: file, changes: changes, registry: registry, notices: notices))
    }
    try self.init(file, features: try CombinedFeatures.joining(models))
  }

  private static func model(
    _ index: Int, of file: SegmenterFile, changes: ModelChanges, registry: BackboneRegistry, notices: Notices
  ) throws(DataError) -> any ModelFeatures {
    let reference = file.record.backbones[index].checkpoint
    // Opened once: what is hashed is what is loaded.
    let opened = try OpenedFile(path: locate(reference, given: changes.checkpoint, segmenter: file.path))
    try file.checkDigest(opened.sha256(), of: opened.path, model: index)
    let recorded = reference.weights.map { WeightsChoice.named($0) } ?? .version010
    let features = try registry.features(
      of: Checkpoint(opened), record: try file.featureRecord(ofModel: index), source: file.path,
      changes: changes.settings, weights: changes.weights ?? recorded, notices: notices)
    if changes.weights != nil, let before = reference.weights, before != features.origin.weights {
      notices.add(
        .suspicious, file: file.path, item: "weights \(features.origin.weights ?? "")",
        "the segmenter was trained with \(before)")
    }
    return features
  }

  /// Reads a segmenter of features whose model is loaded.
  /// - Throws: `DataError` when the file is damaged, or the segmenter was trained with another model or others of its
  ///   activations.
  package init(contentsOf path: String, features: any PixelFeatures) throws(DataError) {
    let file = try SegmenterFile(contentsOf: path)
    let (recorded, given) = (file.record.backbones.count, features.models.count)
    guard recorded == given else {
      throw DataError(
        .malformed, file: path, item: "features", expected: "\(given) models, those of the features at hand",
        found: "\(recorded)")
    }
    for (index, model) in features.models.enumerated() {
      try file.checkDigest(model.origin.sha256(), of: model.origin.path, model: index)
      let (recorded, given) = (try file.featureRecord(ofModel: index), model.record)
      guard recorded == given else {
        throw DataError(
          .malformed, file: path, item: "features",
          expected: "\(given.kind), \(given.options), \(given.selection), the features at hand",
          found: "\(recorded.kind), \(recorded.options), \(recorded.selection)")
      }
    }
    try self.init(file, features: features)
  }

  private init(_ file: SegmenterFile, features: any PixelFeatures) throws(DataError) {
    let (path, record) = (file.path, file.record)
    let precision: FeaturePrecision = try known(record.featurePrecision, "featurePrecision", path)
    let fit = try ImageFit(record.fit)
    let maskResampling: MaskResampling =
      try record.maskResampling.map { (name) throws(DataError) in try known(name, "maskResampling", path) }
      ?? .nearest
    let orientation: OrientationHandling =
      try record.orientation.map { (name) throws(DataError) in try known(name, "orientation", path) }
      ?? .apply
    let reading = try record.reading(orientation, file: path)
    let prediction = try record.prediction.settings(file: path)
    let training = try record.training?.options(
      members: record.members, fit: fit, maskResampling: maskResampling, featurePrecision: precision,
      file: path)
    let classes = try record.classList(file: path)
    let ensemble = try file.ensemble()
    do {
      try self.init(
        ensemble: ensemble, classes: classes, features: features, featurePrecision: precision, fit: fit,
        maskResampling: maskResampling, reading: reading, prediction: prediction, training: training,
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
