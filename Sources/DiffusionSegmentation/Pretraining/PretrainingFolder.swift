import Checkpoints
import DiffusionCore
import Foundation
import Images
import TensorCore

/// Where a training leaves what it makes.
///
///     model.safetensors                      the averaged weights, for every other command and for guided-diffusion
///     loss.csv, loss.png                     a row a step; the curve
///     samples-00001000.png                   pictures that the model makes
///     checkpoints/step-00001000.safetensors  all that it takes to go on; the last few
public struct PretrainingFolder: Sendable {
  public let path: String
  private static let statePrefix = "step-"
  private static let settingPrefix = "dseg.train."

  public init(_ path: String) { self.path = path }

  public var modelPath: String { "\(path)/model.safetensors" }
  var lossPath: String { "\(path)/loss.csv" }
  var curvePath: String { "\(path)/loss.png" }
  private var statesPath: String { "\(path)/checkpoints" }
  func samplesPath(step: Int) -> String { "\(path)/samples-\(Self.number(step)).png" }
  func statePath(step: Int) -> String { "\(statesPath)/\(Self.statePrefix)\(Self.number(step)).safetensors" }

  private static func number(_ step: Int) -> String {
    let digits = "\(step)"
    return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
  }

  /// Makes the folders, and clears away what a killed training had not finished writing.
  /// - Throws: `DataError` when they cannot be made.
  func create() throws(DataError) {
    do {
      try FileManager.default.createDirectory(atPath: statesPath, withIntermediateDirectories: true)
    } catch {
      throw DataError(
        .cannotCreate, file: path, expected: "a folder to write to", found: error.localizedDescription)
    }
    for folder in [path, statesPath] { AtomicFile.removeLeftovers(in: folder) }
  }

  /// Steps of which there is a state, in order.
  var savedSteps: [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: statesPath)) ?? []
    return names.compactMap { name in
      guard name.hasPrefix(Self.statePrefix), name.hasSuffix(".safetensors") else { return nil }
      return Int(name.dropFirst(Self.statePrefix.count).dropLast(".safetensors".count))
    }.sorted()
  }

  /// Writes the state and the averaged weights, then lets go of states that are older than the last few.
  /// - Throws: `DataError` when they cannot be written; what was there stays.
  func save(
    _ state: DiffusionTrainingState, settings: PretrainingSettings, keeping kept: Int
  ) throws(DataError) {
    let record = settings.record.map { (Self.settingPrefix + $0.key, $0.value) }
    let metadata = settings.backboneOptions.metadata.merging(record) { first, _ in first }
    try state.write(to: statePath(step: state.step), metadata: metadata)
    var writer = SafetensorsWriter(metadata: metadata)
    writer.metadata["dseg.step"] = "\(state.step)"
    for average in state.averages { writer.append(average.name, average.tensor) }
    try writer.write(to: modelPath)
    for step in savedSteps.dropLast(kept) where step != state.step {
      try? FileManager.default.removeItem(atPath: statePath(step: step))
    }
  }

  /// The last state that was saved.
  /// - Throws: `DataError` when there is none, or it belongs to other settings.
  func lastState(settings: PretrainingSettings) throws(DataError) -> DiffusionTrainingState {
    guard let step = savedSteps.last else {
      throw DataError(
        .noInput, file: statesPath, expected: "a checkpoint to go on from", found: "none")
    }
    let file = statePath(step: step)
    let metadata = try Checkpoint(contentsOf: file).metadata
    for (key, value) in settings.record.sorted(by: { $0.key < $1.key }) {
      guard let saved = metadata[Self.settingPrefix + key], saved != value else { continue }
      throw DataError(
        .invalidArgument, file: file, item: key, expected: "\(saved), as in the checkpoint", found: value)
    }
    return try DiffusionTrainingState(
      contentsOf: file, shapes: UNet.parameterShapes(settings.configuration), options: settings.training,
      diffusionSteps: settings.diffusionSteps)
  }
}
