import Base
import Checkpoints
import DiffusionSegmentation
import Features
import Foundation

/// What all runs of an experiment share. A folder holds runs of one experiment only; presets, seeds and, where there are
/// several, models can be added.
struct ExperimentSettings: Codable, Equatable {
  /// A pretrained model with its activations.
  struct Backbone: Codable, Equatable {
    /// Where its runs are, below the folder of all runs; empty for that folder itself.
    var folder = ""
    /// Joined by + where features of several checkpoints stand side by side.
    var checkpointSHA256: String
    /// Which network of the checkpoint; nil for the one that version 0.1.0 takes.
    var weights: String?
    /// Kind of the model, its settings and the choice of its activations, by the keys of its option tables; those of a
    /// second model side by side with the first begin with `2:`.
    var kind: String
    var options: [String: String]
    var selection: [String: String]
    /// SHA-256 of arrays that belong to the choice, as the seed 0 draws them.
    var arrays: [String: String]
  }

  /// By name; that of older folders, which have only one, is empty.
  var backbones: [String: Backbone]
  var featurePrecision: String
  var fit: String
  var maskResampling: String
  var orientation: String
  /// Nil for those of the files.
  var channels: [Int]?
  /// Nil for the whole range of the type.
  var range: String?
  var batchSize: Int
  var classNames: [String]
  var ignoreLabel: UInt8
  var flipPairs: [[UInt8]]
  /// Files of the pictures.
  var training: [String]
  var testSets: [[String]]
  /// Folds of the training pictures.
  var folds: Int?
  /// The settings of every preset: cells of the table of presets by their columns, without those that say nothing.
  var presets: [String: [String: String]]

  init(_ experiment: Experiment) throws(DataError) {
    backbones = [:]
    for named in experiment.backbones {
      let backbone = try Backbone(named.features)
      if let same = backbones.first(where: { backbone.differences(from: $0.value).isEmpty }) {
        throw DataError(
          .invalidArgument, file: "experiment", item: "backbone \(named.name)",
          expected: "another model or other activations than those of \(same.key)", found: "the same")
      }
      backbones[named.name] = backbone
    }
    featurePrecision = experiment.featurePrecision.rawValue
    maskResampling = experiment.maskResampling.rawValue
    let reading = experiment.training.reading
    (orientation, channels) = (reading.orientation.rawValue, reading.channels)
    range = reading.range == .full ? nil : "\(reading.range)"
    (fit, batchSize) = (experiment.fit.description, experiment.batchSize)
    let classes = experiment.training.classes
    (classNames, ignoreLabel, flipPairs) = (classes.names, classes.ignoreLabel, classes.flipPairs.pairs)
    training = experiment.training.imagePaths
    testSets = experiment.testSets.map(\.imagePaths)
    folds = experiment.folds
    presets = Dictionary(uniqueKeysWithValues: experiment.presets.map { ($0.id, $0.cells) })
  }
}

extension ExperimentSettings.Backbone {
  /// - Throws: `DataError` when the checkpoint cannot be read.
  init(_ features: any PixelFeatures) throws(DataError) {
    // What each seed draws anew is no setting.
    let models = features.redrawn(seed: 0, draws: nil).models
    var digests: [String] = []
    for model in models { digests.append(try model.origin.sha256()) }
    checkpointSHA256 = digests.joined(separator: "+")
    let choices = models.map { $0.origin.isNewChoice ? $0.origin.weights : nil }
    weights = choices.contains { $0 != nil } ? choices.map { $0 ?? "" }.joined(separator: "+") : nil
    kind = models.map(\.record.kind).joined(separator: "+")
    (options, selection, arrays) = ([:], [:], [:])
    for (index, model) in models.enumerated() {
      let prefix = index == 0 ? "" : "\(index + 1):"
      for (key, value) in model.record.options { options[prefix + key] = value }
      for (key, value) in model.record.selection { selection[prefix + key] = value }
      for (key, tensor) in model.record.tensors {
        arrays[prefix + key] = tensor.withUnsafeBufferPointer {
          hexadecimalDigest(of: UnsafeRawBufferPointer($0))
        }
      }
    }
  }
}

private func hexadecimalDigest(of bytes: UnsafeRawBufferPointer) -> String {
  var hash = SHA256()
  hash.update(bytes)
  return SHA256.hexadecimal(hash.digest())
}
