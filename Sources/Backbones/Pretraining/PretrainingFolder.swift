import Augment
import Base
import Checkpoints
import Foundation
import Images
import Training

/// Where a training leaves what it makes.
///
///     model.safetensors                      the averaged weights, for every other command
///     loss.csv, loss.png                     a row a step; the curve
///     samples-00001000.png                   pictures that the model makes
///     checkpoints/step-00001000.safetensors  all that it takes to go on; the last few
public struct PretrainingFolder: Sendable {
  public let path: String
  private static let statePrefix = "step-"
  private static let settingPrefix = "dseg.train."
  /// What holds for checkpoints that do not tell, since they are older.
  private static let earlierSettings = PictureCrop.centre.record

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

  /// Which square of its pictures a model saw when it was trained here; nil where its file does not tell.
  /// - Parameter metadata: of the model's file
  public static func crop(_ metadata: [String: String]) -> PictureCrop? {
    PictureCrop { metadata[settingPrefix + $0] }
  }

  /// Makes the folders.
  /// - Throws: `DataError` when they cannot be made.
  func create() throws(DataError) {
    do {
      try FileManager.default.createDirectory(atPath: statesPath, withIntermediateDirectories: true)
    } catch {
      throw DataError(
        .cannotCreate, file: path, expected: "a folder to write to", found: error.localizedDescription)
    }
  }

  /// Clears away what a killed training had not finished writing.
  func removeLeftovers() {
    for folder in [path, statesPath] { AtomicFile.removeLeftovers(in: folder) }
  }

  var noState: DataError {
    DataError(.noInput, file: statesPath, expected: "a checkpoint to go on from", found: "none")
  }

  /// Steps of which there is a state, in order.
  var savedSteps: [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: statesPath)) ?? []
    return names.compactMap { name in
      guard name.hasPrefix(Self.statePrefix), name.hasSuffix(".safetensors") else { return nil }
      let digits = name.dropFirst(Self.statePrefix.count).dropLast(".safetensors".count)
      return Int(digits).flatMap { $0 >= 0 && Self.number($0) == digits ? $0 : nil }
    }.sorted()
  }

  /// Writes the state and the averaged weights, then removes states that are older than the last few.
  /// - Throws: `DataError` when they cannot be written; what was there stays.
  func save<Settings: PretrainingSettings>(
    _ trainer: Trainer<Settings.Goal>, settings: Settings, pictures: PictureListRecord?, keeping kept: Int
  ) throws(DataError) {
    let state = trainer.state
    let record = settings.stateRecord.map { (Self.settingPrefix + $0.key, $0.value) }
    let metadata = settings.modelMetadata(of: trainer.objective).merging(record) { first, _ in first }
    try trainer.write(
      to: statePath(step: state.step),
      metadata: metadata.merging(pictures?.metadata ?? [:]) { first, _ in first })
    var writer = SafetensorsWriter(metadata: metadata)
    writer.metadata["dseg.step"] = "\(state.step)"
    for tensor in settings.modelTensors(state.averages, of: trainer.objective) {
      writer.append(tensor.name, tensor.tensor)
    }
    try writer.write(to: modelPath)
    // A later one is what a training that went on from here could not read.
    for step in savedSteps.filter({ $0 <= state.step }).dropLast(kept) {
      try? FileManager.default.removeItem(atPath: statePath(step: step))
    }
  }

  /// The training at the last state that was saved, or at the last sound one before it.
  /// - Parameters:
  ///   - pictures: those to go on with; nil when they are not known
  ///   - mayChange: whether they may be others than before
  ///   - notices: told of states that are damaged, which are left out, and of changed pictures
  /// - Throws: `DataError` when there is none, it belongs to other settings, classes or pictures, or all are damaged;
  ///   with strict notices also when the last one is.
  func lastTraining<Settings: PretrainingSettings>(
    settings: Settings, pictures: PictureListRecord?, mayChange: Bool, notices: Notices
  ) throws(DataError) -> Trainer<Settings.Goal> {
    var damaged: [DataError] = []
    for step in savedSteps.reversed() {
      do throws(DataError) {
        let training = try self.training(
          step: step, settings: settings, pictures: pictures, mayChange: mayChange, notices: notices)
        if !damaged.isEmpty {
          notices.add(
            .changed, file: path, "the training goes on from an earlier checkpoint, of step \(step)")
        }
        return training
      } catch {
        // Other settings are a mistake of the user's, in all checkpoints alike.
        guard [.malformed, .unsupported, .noInput].contains(error.kind) else { throw error }
        if notices.isStrict { throw error }
        damaged.append(error)
        if step != savedSteps.first { try notices.leaveOut(error) }
      }
    }
    throw damaged.first ?? noState
  }

  private func training<Settings: PretrainingSettings>(
    step: Int, settings: Settings, pictures: PictureListRecord?, mayChange: Bool, notices: Notices
  ) throws(DataError) -> Trainer<Settings.Goal> {
    let file = statePath(step: step)
    let metadata = try Checkpoint(contentsOf: file).metadata
    for (key, value) in settings.stateRecord.sorted(by: { $0.key < $1.key }) {
      guard let saved = metadata[Self.settingPrefix + key] ?? Self.earlierSettings[key], saved != value else {
        continue
      }
      throw DataError(
        .invalidArgument, file: file, item: key, expected: "\(saved), as in the checkpoint", found: value)
    }
    let training = try Trainer(
      objective: settings.objective(), options: settings.trainer, contentsOf: file)
    guard training.state.step == step else {
      throw DataError(
        .malformed, file: file, item: "step", expected: "\(step), as in its name",
        found: "\(training.state.step)")
    }
    // After the rest, so that nothing is said of a checkpoint that is left out.
    try pictures?.check(against: metadata, file: file, mayChange: mayChange, notices: notices)
    return training
  }
}
