import Base
import Synchronization
import TensorCore

extension ClassifierTrainer {
  /// Trains the members `0..<memberCount` of an ensemble on the same pixels in all epochs.
  /// - Throws: as `trainMember`; the error of the first member that fails.
  public func trainEnsemble(
    memberCount: Int = 10, on dataset: PixelDataset, random: Philox, progress: ProgressHandler? = nil
  ) throws(DataError) -> PixelEnsemble {
    try trainEnsemble(memberCount: memberCount, random: random, progress: progress) { (_) in dataset }
  }

  /// Trains the members `0..<memberCount` of an ensemble on pixels that may be others in every epoch.
  /// - Parameters:
  ///   - memberCount: M, at least 1
  ///   - random: of the ensemble; each member has a stream of its own
  ///   - afterEpoch: called with the members as they stand; those that have stopped early stay as they are
  ///   - progress: called now and then, never twice at once, from any thread; what it throws ends the work
  ///   - dataset: the pixels of an epoch, all with the same classes and features
  /// - Throws: as `trainMember`; the error of the first member that fails, or of a closure.
  public func trainEnsemble(
    memberCount: Int = 10, random: Philox,
    afterEpoch: ((_ epoch: Int, _ ensemble: PixelEnsemble) throws(DataError) -> Void)? = nil,
    progress: ProgressHandler? = nil, dataset: (_ epoch: Int) throws(DataError) -> PixelDataset
  ) throws(DataError) -> PixelEnsemble {
    guard memberCount >= 1 else {
      throw DataError(
        .invalidArgument, file: "training", item: "members", expected: "at least 1", found: "\(memberCount)")
    }
    try checkOptions()
    return try StopSignal.watchingTask { (signal) throws(DataError) in
      try trainEnsemble(
        memberCount, random: random, afterEpoch: afterEpoch, handler: OneAtATime(progress, signal),
        dataset: dataset)
    }
  }

  private func trainEnsemble(
    _ memberCount: Int, random: Philox,
    afterEpoch: ((_ epoch: Int, _ ensemble: PixelEnsemble) throws(DataError) -> Void)?,
    handler: OneAtATime, dataset: (_ epoch: Int) throws(DataError) -> PixelDataset
  ) throws(DataError) -> PixelEnsemble {
    var runs: [MemberRun] = []
    for epoch in 0..<maxEpochs {
      let pixels = try dataset(epoch)
      try check(pixels)
      if runs.isEmpty {
        runs = (0..<memberCount).map {
          MemberRun(
            $0, trainer: self, featureCount: pixels.featureCount, classCount: pixels.classCount,
            random: random)
        }
      }
      try runEpoch(epoch, of: &runs, on: pixels, progress: handler.call)
      if let afterEpoch { try afterEpoch(epoch, try PixelEnsemble(runs.map(\.classifier))) }
      if runs.allSatisfy(\.isFinished) { break }
    }
    return try PixelEnsemble(runs.map(\.classifier))
  }

  /// An epoch of every member that has not stopped.
  ///
  /// Whole members side by side need not wait for each other. Members that would leave half of the threads idle run
  /// one by one instead, on all threads; both ways give the same bits.
  private func runEpoch(
    _ epoch: Int, of runs: inout [MemberRun], on dataset: PixelDataset, progress: @escaping ProgressHandler
  ) throws(DataError) {
    let active = runs.indices.filter { !runs[$0].isFinished }
    var errors = [DataError?](repeating: nil, count: runs.count)
    runs.withUnsafeMutableBufferPointer { runs in
      errors.withUnsafeMutableBufferPointer { errors in
        // Each item writes to its own member and error.
        let (run, failure) = (runs.baseAddress!, errors.baseAddress!)
        let train = { (item: Int) in
          do throws(DataError) {
            try run[active[item]].runEpoch(epoch, on: dataset, progress: progress)
          } catch {
            failure[active[item]] = error
          }
        }
        let threads = Threads.count
        let left = active.count % threads
        let sideBySide = left * 2 >= threads ? active.count : active.count - left
        parallelFor(sideBySide, train)
        for item in sideBySide..<active.count { train(item) }
      }
    }
    if let error = errors.lazy.compactMap({ $0 }).first { throw error }
  }
}

/// Lets threads call a closure one after the other, until it throws or the work is cancelled.
private final class OneAtATime: Sendable {
  private let body: ClassifierTrainer.ProgressHandler?
  private let turn = Mutex(())
  private let signal: StopSignal

  init(_ body: ClassifierTrainer.ProgressHandler?, _ signal: StopSignal) {
    (self.body, self.signal) = (body, signal)
  }

  @Sendable func call(_ progress: TrainingProgress) throws(DataError) {
    try signal.check()
    guard let body else { return }
    try turn.withLock { (_) throws(DataError) in
      // The one before may have stopped everything.
      try signal.check()
      try signal.run { () throws(DataError) in try body(progress) }
    }
  }
}
