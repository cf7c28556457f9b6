import Base
import Foundation
import Images
import Training

/// A training on pictures without labels, with everything that it writes on the way.
public struct Pretraining<Settings: PretrainingSettings>: Sendable {
  public let settings: Settings
  public let folder: PretrainingFolder
  public var schedule = PretrainingSchedule()
  public private(set) var trainer: Trainer<Settings.Goal>
  private var log: LossLog
  private let pictures: PictureListRecord?
  private let lock: FolderLock

  /// Takes the folder for this training, as long as it or a copy of it exists.
  /// - Parameters:
  ///   - settings: network, process, optimizer and seed: everything that decides on the weights, but for the pictures
  ///   - folder: where states, samples, the log and the model are written
  ///   - pictures: what checkpoints remember of the pictures, and what is compared with theirs
  ///   - resumes: whether to go on from the last state in the folder that can be read
  ///   - picturesMayChange: whether to go on with other pictures than before
  ///   - notices: told of damaged states and changed pictures
  /// - Throws: `DataError` when the settings cannot be, the folder cannot be made, belongs to a training that is running
  ///   or already holds one, there is nothing to go on from, or there is too little memory.
  public init(
    settings: Settings, folder: PretrainingFolder, pictures: PictureListRecord? = nil,
    resumes: Bool = false, picturesMayChange: Bool = false, notices: Notices = Notices()
  ) throws(DataError) {
    try settings.validate()
    try settings.crop.validate()
    try AvailableMemory.require(
      settings.trainingBytes, file: "the network and its batch",
      item: "memory of a training step (a smaller --micro-batch or --recompute takes less)")
    if resumes && folder.savedSteps.isEmpty { throw folder.noState }
    try folder.create()
    lock = try FolderLock(folder: folder.path, owner: "dseg pretrain")
    folder.removeLeftovers()
    if resumes {
      trainer = try folder.lastTraining(
        settings: settings, pictures: pictures, mayChange: picturesMayChange, notices: notices)
      log = LossLog(contentsOf: folder.lossPath, upTo: trainer.state.step, terms: Settings.lossTerms)
    } else {
      if let step = folder.savedSteps.last {
        throw DataError(
          .invalidArgument, file: folder.path, expected: "a folder without a training, or --resume",
          found: "a checkpoint of step \(step)")
      }
      trainer = try Trainer(
        objective: settings.objective(), options: settings.trainer,
        state: TrainingState(parameters: settings.initialParameters()))
      log = LossLog(terms: Settings.lossTerms)
    }
    self.pictures = pictures
    self.settings = settings
    self.folder = folder
  }

  /// Trains, until the limit or until `shouldStop` says so; then the state is saved.
  /// - Throws: `DataError` when it diverged (`.diverged`), a picture can no longer be read, the task was cancelled
  ///   (`.cancelled`), or what `progress` throws, in all cases after the last good state was saved; or when something
  ///   cannot be written.
  public mutating func run(
    on pictures: some TrainingPictures & Sendable, limit: PretrainingLimit,
    shouldStop: () -> Bool = { false },
    progress: (PretrainingProgress) throws(DataError) -> Void = { _ in }
  ) throws(DataError) {
    var lastSaved = -1
    do throws(DataError) {
      try train(on: pictures, limit: limit, shouldStop: shouldStop, lastSaved: &lastSaved, progress: progress)
    } catch {
      if lastSaved != trainer.state.step { try save() }
      throw error
    }
  }

  /// Trains on a thread of its own; see the form without `async`.
  /// - Throws: `DataError` as that form; the training then stands where it was saved.
  public mutating func run(
    on pictures: some TrainingPictures & Sendable, limit: PretrainingLimit,
    progress: @escaping @Sendable (PretrainingProgress) throws(DataError) -> Void = { _ in }
  ) async throws(DataError) {
    let before = self
    let outcome = try await onOwnThread { () throws(DataError) -> (training: Self, failure: DataError?) in
      var training = before
      do throws(DataError) {
        try training.run(on: pictures, limit: limit, progress: progress)
        return (training, nil)
      } catch {
        return (training, error)
      }
    }
    self = outcome.training
    if let failure = outcome.failure { throw failure }
  }

  private mutating func train(
    on pictures: some TrainingPictures & Sendable, limit: PretrainingLimit, shouldStop: () -> Bool,
    lastSaved: inout Int, progress: (PretrainingProgress) throws(DataError) -> Void
  ) throws(DataError) {
    let clock = ContinuousClock()
    let start = clock.now
    let firstStep = trainer.state.step
    func isDone(_ step: Int, _ seconds: Double) -> Bool {
      (limit.steps.map { step >= $0 } ?? false) || (limit.seconds.map { seconds >= $0 } ?? false)
    }
    var seconds = 0.0
    while !isDone(trainer.state.step, seconds) && !shouldStop() {
      try Cancellation.check()
      let report = try trainer.step(on: pictures)
      seconds = (clock.now - start) / .seconds(1)
      log.append(report, seconds: seconds)
      let done = report.step - firstStep
      try progress(
        PretrainingProgress(
          report: report, recentLoss: log.recentLoss(),
          picturesPerSecond: Double(done * settings.trainer.batch) / seconds, seconds: seconds,
          share: max(
            limit.steps.map { Double(done) / Double(max(1, $0 - firstStep)) } ?? 0,
            limit.seconds.map { seconds / $0 } ?? 0)))
      if report.step % schedule.save == 0 {
        try save()
        lastSaved = report.step
      }
      if schedule.samples.every > 0 && report.step % schedule.samples.every == 0 { try writeSamples() }
    }
    if lastSaved != trainer.state.step {
      try save()
      lastSaved = trainer.state.step
    }
    if trainer.state.step > firstStep { try writeSamples() }
  }

  private func save() throws(DataError) {
    try folder.save(trainer, settings: settings, pictures: pictures, keeping: max(1, schedule.keep))
    try log.write(to: folder.lossPath)
    try log.curve().write(to: folder.curvePath)
  }

  /// A sheet of what the averaged network can do, always from the same random numbers.
  private func writeSamples() throws(DataError) {
    try settings.sheet(of: trainer.averagedModel, goal: trainer.objective, samples: schedule.samples)
      .write(to: folder.samplesPath(step: trainer.state.step))
  }
}
