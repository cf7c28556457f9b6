import Base
import Checkpoints
import DiffusionSegmentation
import Foundation

/// What all runs of an experiment share. A folder holds runs of one experiment only; presets and seeds can be added.
struct ExperimentSettings: Codable, Equatable {
  var checkpointSHA256: String
  /// Which network of the checkpoint; nil for the one that version 0.1.0 takes.
  var weights: String?
  /// Kind of the model, its settings and the choice of its activations, by the keys of its option tables.
  var kind: String
  var options: [String: String]
  var selection: [String: String]
  /// SHA-256 of arrays that belong to the choice, as the seed 0 draws them.
  var arrays: [String: String]
  var featurePrecision: String
  var fit: String
  var maskResampling: String
  var orientation: String
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
    // What each seed draws anew is no setting.
    let features = experiment.features.redrawn(seed: 0, draws: nil)
    let record = features.record
    checkpointSHA256 = try features.origin.sha256()
    weights = features.origin.isNewChoice ? features.origin.weights : nil
    (kind, options, selection) = (record.kind, record.options, record.selection)
    arrays = record.tensors.mapValues { tensor in
      tensor.withUnsafeBufferPointer { hexadecimalDigest(of: UnsafeRawBufferPointer($0)) }
    }
    featurePrecision = experiment.featurePrecision.rawValue
    maskResampling = experiment.maskResampling.rawValue
    orientation = experiment.training.orientation.rawValue
    (fit, batchSize) = (experiment.fit.rawValue, experiment.batchSize)
    let classes = experiment.training.classes
    (classNames, ignoreLabel, flipPairs) = (classes.names, classes.ignoreLabel, classes.flipPairs.pairs)
    training = experiment.training.imagePaths
    testSets = experiment.testSets.map(\.imagePaths)
    folds = experiment.folds
    presets = Dictionary(uniqueKeysWithValues: experiment.presets.map { ($0.id, $0.cells) })
  }

  typealias Difference = (name: String, before: String, now: String)

  /// The first thing in which these settings differ from earlier ones.
  func difference(from before: ExperimentSettings) -> Difference? {
    var differences: [Difference] = []
    func compare<Value: Equatable>(
      _ name: String, _ path: KeyPath<ExperimentSettings, Value>, _ text: (Value) -> String = { "\($0)" }
    ) {
      if self[keyPath: path] != before[keyPath: path] {
        differences.append((name, text(before[keyPath: path]), text(self[keyPath: path])))
      }
    }
    func pictures(_ paths: [String]) -> String { "\(paths.count) pictures from \(paths.first ?? "nowhere")" }
    compare("checkpoint", \.checkpointSHA256) { "SHA-256 \($0)" }
    compare("weights", \.weights) { $0 ?? "those that 0.1.0 takes" }
    compare("kind of model", \.kind)
    for (name, now, then) in [
      ("model", options, before.options), ("activations", selection, before.selection),
      ("arrays", arrays, before.arrays),
    ] {
      for key in Set(now.keys).union(then.keys).sorted() where now[key] != then[key] {
        differences.append(("\(name): \(key)", then[key] ?? "none", now[key] ?? "none"))
      }
    }
    compare("feature storage", \.featurePrecision)
    compare("fit", \.fit)
    compare("mask resizing", \.maskResampling)
    compare("orientation", \.orientation)
    compare("batch size", \.batchSize)
    compare("classes", \.classNames) { $0.joined(separator: ", ") }
    compare("label to ignore", \.ignoreLabel)
    compare("flip pairs", \.flipPairs)
    compare("training pictures", \.training, pictures)
    compare("test pictures", \.testSets) { $0.map(pictures).joined(separator: "; ") }
    compare("folds", \.folds) { $0.map { "\($0)" } ?? "none" }
    func settings(_ cells: [String: String]) -> String {
      SegmenterPreset.columns.compactMap { column in cells[column].map { "\(column) \($0)" } }
        .joined(separator: ", ")
    }
    for (name, cells) in presets.sorted(by: { $0.key < $1.key }) {
      if let earlier = before.presets[name], earlier != cells {
        differences.append(("preset \(name)", settings(earlier), settings(cells)))
      }
    }
    return differences.first
  }
}

private func hexadecimalDigest(of bytes: UnsafeRawBufferPointer) -> String {
  var hash = SHA256()
  hash.update(bytes)
  return SHA256.hexadecimal(hash.digest())
}
