import Base
import Checkpoints
import Foundation
import PixelClassifier

/// Where an experiment keeps what it has, so that it can go on where it was stopped.
///
///     report.html, experiment.json      the report and its figures
///     results.csv, pictures.csv, curves.csv, classes.csv
///     settings.json                     what the runs below were made with
///     runs/seed-0/final.safetensors     a trained segmenter
///     runs/seed-0/final.json            how it did
///
/// With several models the runs of each are in a folder of its name, `runs/NAME/seed-0`; those of a model that was alone
/// before stay where they are.
public struct ExperimentFolder: Sendable {
  public let path: String

  public init(_ path: String) { self.path = path }

  public var pagePath: String { "\(path)/report.html" }
  public var figuresPath: String { "\(path)/experiment.json" }
  var settingsPath: String { "\(path)/settings.json" }

  func tablePath(_ name: String) -> String { "\(path)/\(name).csv" }
  func runFolder(_ run: ExperimentRun) -> String { "\(path)/runs/\(run.folder)" }
  func segmenterPath(_ preset: String, _ run: ExperimentRun) -> String {
    "\(runFolder(run))/\(preset).safetensors"
  }
  func recordPath(_ preset: String, _ run: ExperimentRun) -> String { "\(runFolder(run))/\(preset).json" }
  private func trainingPath(_ preset: String, _ run: ExperimentRun) -> String {
    "\(epochsFolder(run))/\(preset).json"
  }
  private func epochsFolder(_ run: ExperimentRun) -> String { "\(runFolder(run))/epochs" }
  private func epochPath(_ preset: String, _ run: ExperimentRun, _ epoch: Int) -> String {
    "\(epochsFolder(run))/\(preset)-\(epoch).safetensors"
  }

  /// Makes the folder, or takes that of the same experiment.
  /// - Returns: where the runs of each model are, below the folder of all runs, by the names of the models
  /// - Throws: `DataError` of kind `.cannotCreate` when it belongs to another experiment or cannot be made.
  @discardableResult
  func open(settings: ExperimentSettings) throws(DataError) -> [String: String] {
    if FileManager.default.fileExists(atPath: settingsPath) {
      let before = try ExperimentSettings(contentsOf: settingsPath, present: settings)
      let (all, difference) = settings.joined(to: before)
      if let item = difference {
        throw DataError(
          .cannotCreate, file: path, item: item.name,
          expected: "\(item.before), as the runs in this folder have it",
          found: item.now)
      }
      try all.check(file: settingsPath)
      if all != before { try writeFigures(all, to: settingsPath) }
      return all.backbones.mapValues(\.folder)
    }
    try create(path)
    var new = settings
    for name in new.backbones.keys { new.backbones[name]!.folder = new.backbones.count > 1 ? name : "" }
    try writeFigures(new, to: settingsPath)
    return new.backbones.mapValues(\.folder)
  }

  func create(_ folder: String) throws(DataError) {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw DataError(
        .cannotCreate, file: folder, expected: "a place for a folder", found: error.localizedDescription)
    }
    AtomicFile.removeLeftovers(in: folder)
  }

  // MARK: Runs

  func record(_ preset: String, _ run: ExperimentRun) throws(DataError) -> RunRecord? {
    try readIfPresent(recordPath(preset, run))
  }

  func write(_ record: RunRecord, _ preset: String, _ run: ExperimentRun) throws(DataError) {
    try writeFigures(record, to: recordPath(preset, run))
  }

  /// A training that was finished before its evaluation was.
  func training(_ preset: String, _ run: ExperimentRun) throws(DataError) -> RunRecord.Training? {
    let path = trainingPath(preset, run)
    let training: RunRecord.Training? = try readIfPresent(path)
    try training?.check(file: path)
    return training
  }

  func write(_ training: RunRecord.Training, _ preset: String, _ run: ExperimentRun) throws(DataError) {
    try writeFigures(training, to: trainingPath(preset, run))
  }

  func prepare(_ run: ExperimentRun) throws(DataError) { try create(epochsFolder(run)) }

  func write(_ ensemble: PixelEnsemble, _ preset: String, _ run: ExperimentRun, epoch: Int) throws(DataError)
  {
    var writer = SafetensorsWriter()
    for tensor in ensemble.namedTensors { writer.append(tensor.name, tensor.array) }
    try writer.write(to: epochPath(preset, run, epoch))
  }

  func ensemble(_ preset: String, _ run: ExperimentRun, epoch: Int, members: Int) throws(DataError)
    -> PixelEnsemble
  {
    let path = epochPath(preset, run, epoch)
    let state = StateDictionary(try SafetensorsFile(contentsOf: path).tensors, file: path)
    return try PixelEnsemble(memberCount: members, weights: WeightScope(state))
  }

  /// Removes the members after single epochs, which are of no use once they are evaluated.
  func removeEpochs(_ run: ExperimentRun) {
    try? FileManager.default.removeItem(atPath: epochsFolder(run))
  }

  /// Time that an earlier report of this folder tells; 0 without one. A run that was stopped before it had a report
  /// is not counted.
  func secondsBefore() throws(DataError) -> Double {
    let report: ExperimentReport? = try readIfPresent(figuresPath)
    return report?.seconds ?? 0
  }

  // MARK: Files

  private func readIfPresent<Value: Decodable>(_ path: String) throws(DataError) -> Value? {
    FileManager.default.fileExists(atPath: path) ? try read(path) : nil
  }

  private func read<Value: Decodable>(_ path: String) throws(DataError) -> Value {
    let file = try MappedFile(path: path)
    do {
      return try JSONDecoder().decode(Value.self, from: Data(file.bytes))
    } catch {
      throw DataError(
        .malformed, file: path, expected: "what an earlier run wrote; remove it to compute it again",
        found: "\(error)")
    }
  }
}
