import Base

extension Experiment {
  /// Runs what is not yet in the folder; see the form without `async`. It works on a thread of its own.
  /// - Throws: `DataError` as that form; of kind `.cancelled` when the task was cancelled, with what is finished in the
  ///   folder.
  public func run(
    in folder: ExperimentFolder, notices: Notices = Notices(),
    progress: @escaping ProgressHandler = { _ in }
  ) async throws(DataError) -> ExperimentReport {
    try await onOwnThread { () throws(DataError) in
      try run(in: folder, notices: notices, progress: progress)
    }
  }
}
