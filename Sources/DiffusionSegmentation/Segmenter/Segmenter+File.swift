import Augment
import Checkpoints
import DiffusionCore
import Foundation
import Images
import PixelClassifier
import TensorCore

extension Segmenter {
  /// Writes one `.safetensors` file with everything but the diffusion model, which it names by path and by the
  /// SHA-256 of the file that the weights were read from, whatever has taken its name since.
  /// - Throws: `DataError` when somebody wrote to the checkpoint while it was in use, or the file cannot be written; an
  ///   older file of this name then stays as it was.
  public func write(to path: String) throws(DataError) {
    let origin = features.backbone.checkpoint
    let digest = try origin.sha256()
    try origin.checkUnchanged()
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(SegmenterRecord(self, checkpointSHA256: digest)) else {
      throw DataError(.writeFailed, file: path, item: "settings", expected: "finite numbers", found: "others")
    }
    var writer = SafetensorsWriter(metadata: [SegmenterFile.recordKey: String(decoding: data, as: UTF8.self)])
    for tensor in ensemble.namedTensors { writer.append(tensor.name, tensor.array) }
    if let noise = features.sharedNoiseTensor { writer.append(SegmenterFile.noiseName, noise) }
    try writer.write(to: path)
  }

  /// Reads a segmenter and loads its diffusion model.
  /// - Parameters:
  ///   - checkpoint: where the model is now; without it, where it was, or beside the segmenter
  ///   - weights: which of the file's networks; without it, the one that the segmenter was trained with
  ///   - notices: told where the overrides contradict what the segmenter was trained with
  ///   - overrides: changes the settings that the file holds before the model is loaded
  /// - Throws: `DataError` when either file is missing, damaged, or the checkpoint is not the one that the
  ///   segmenter was trained with.
  public init(
    contentsOf path: String, checkpoint: String? = nil, weights: WeightsChoice? = nil,
    notices: Notices = Notices(), overrides: (inout BackboneOptions) -> Void = { _ in }
  ) throws(DataError) {
    let file = try SegmenterFile(contentsOf: path)
    // Opened once: what is hashed is what is loaded.
    let opened = try OpenedFile(path: Self.locate(file.record.checkpoint, given: checkpoint, segmenter: path))
    try file.checkDigest(opened.sha256(), of: opened.path)
    let trained = try file.record.backbone.options(file: path)
    var options = trained
    overrides(&options)
    options.noticeContradictions(to: trained, file: path, notices: notices)
    let recorded = file.record.checkpoint.weights.map { WeightsChoice.named($0) } ?? .version010
    let backbone = try DiffusionBackbone(
      Checkpoint(opened), options: options, weights: weights ?? recorded, notices: notices)
    if weights != nil, let before = file.record.checkpoint.weights, before != backbone.checkpoint.weights {
      notices.add(
        .suspicious, file: path, item: "weights \(backbone.checkpoint.weights ?? "")",
        "the segmenter was trained with \(before)")
    }
    try self.init(file, backbone: backbone)
  }

  /// Reads a segmenter of a diffusion model that is loaded.
  /// - Throws: `DataError` when the file is damaged, or the segmenter was trained with another model.
  package init(contentsOf path: String, backbone: DiffusionBackbone) throws(DataError) {
    let file = try SegmenterFile(contentsOf: path)
    try file.checkDigest(backbone.checkpoint.sha256(), of: backbone.checkpointPath)
    try self.init(file, backbone: backbone)
  }

  private init(_ file: SegmenterFile, backbone: DiffusionBackbone) throws(DataError) {
    let (path, record) = (file.path, file.record)
    let precision: FeaturePrecision = try known(record.featurePrecision, "featurePrecision", path)
    let features = DiffusionFeatures(
      backbone, steps: record.steps, blocks: record.blocks, noise: try file.noise(),
      noises: record.noise.count ?? 1, precision: precision, conditioningClass: record.conditioningClass)
    let fit: ImageFit = try known(record.fit, "fit", path)
    let maskResampling: MaskResampling =
      try record.maskResampling.map { (name) throws(DataError) in try known(name, "maskResampling", path) }
      ?? .nearest
    let orientation: OrientationHandling =
      try record.orientation.map { (name) throws(DataError) in try known(name, "orientation", path) }
      ?? .apply
    let prediction = try record.prediction.settings(file: path)
    let training = try record.training?.options(
      members: record.members, fit: fit, maskResampling: maskResampling, file: path)
    let classes = try record.classList(file: path)
    let ensemble = try file.ensemble()
    do {
      try self.init(
        ensemble: ensemble, classes: classes, features: features, fit: fit, maskResampling: maskResampling,
        orientation: orientation, prediction: prediction, training: training, census: record.census)
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

/// A segmenter's file, read but for the diffusion model.
package struct SegmenterFile {
  /// Key of the settings in the file's metadata.
  package static let recordKey = "segmenter"
  /// Name of the shared noise among the tensors.
  static let noiseName = "noise"

  package let path: String
  package let record: SegmenterRecord
  private let tensors: [NamedArray]

  package init(contentsOf path: String) throws(DataError) {
    self.path = path
    let checkpoint = try Checkpoint(contentsOf: path)
    guard let text = checkpoint.metadata[Self.recordKey] else {
      throw DataError(
        .malformed, file: path, expected: "a segmenter, as dseg train writes them",
        found: NetworkList(checkpoint, anchor: UNetConfiguration.anchor).members.isEmpty
          ? "a \(checkpoint.format.rawValue) file without its settings"
          : "a diffusion model (\(checkpoint.format.rawValue)); it is given with --checkpoint when a segmenter is trained"
      )
    }
    tensors = checkpoint.tensors
    // A later format may have other fields: look at the number first.
    let format = try JSONObject(parsing: Data(text.utf8), file: path).integer("format")
    guard SegmenterRecord.formats.contains(format) else {
      throw DataError(
        .unsupported, file: path, item: "format",
        expected: "\(SegmenterRecord.formats.lowerBound) to \(SegmenterRecord.formats.upperBound)",
        found: "\(format)")
    }
    do {
      record = try JSONDecoder().decode(SegmenterRecord.self, from: Data(text.utf8))
    } catch {
      throw DataError(
        .malformed, file: path, item: "settings", expected: "those of a segmenter", found: "\(error)")
    }
  }

  /// - Throws: `DataError` when a checkpoint is not the one that the segmenter was trained with.
  func checkDigest(_ digest: String, of checkpoint: String) throws(DataError) {
    guard digest == record.checkpoint.sha256 else {
      throw DataError(
        .malformed, file: checkpoint, item: "SHA-256",
        expected: "\(record.checkpoint.sha256), of the checkpoint that \(path) was trained with",
        found: digest)
    }
  }

  func noise() throws(DataError) -> FeatureNoise {
    if record.noise.kind == "perImage", let seed = record.noise.seed { return .perImage(seed: seed) }
    guard record.noise.kind == "shared" else {
      throw DataError(
        .malformed, file: path, item: "noise", expected: "shared, or perImage with a seed",
        found: record.noise.kind)
    }
    guard let noise = tensors.first(where: { $0.name == Self.noiseName }) else {
      throw DataError(.malformed, file: path, item: "noise", expected: "a tensor", found: "none")
    }
    try checkFinite(noise)
    return .fixed(noise.array.tensor())
  }

  func ensemble() throws(DataError) -> PixelEnsemble {
    let members = tensors.filter { $0.name != Self.noiseName }
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
