import Synchronization

/// Whether the work of the caller is no longer wanted.
///
/// Long calls look at it between pictures, steps and iterations. It is wanted no longer when the task that they run in
/// was cancelled; their `async` forms run in the task that waits for them.
public enum Cancellation {
  public static var isCancelled: Bool { Task.isCancelled }

  /// - Throws: `DataError` of kind `.cancelled`.
  public static func check() throws(DataError) {
    if isCancelled { throw error }
  }

  static let error = DataError(.cancelled, file: "", found: "cancelled")
}

/// Stops threads that work on one thing together: what one of them throws is thrown by all, at their next look.
package final class StopSignal: Sendable {
  private let isSet = Atomic(false)
  private let reason = Mutex<DataError?>(nil)
  /// Whoever asks on another thread is in no task; the handle may be asked there (`UnsafeCurrentTask`).
  nonisolated(unsafe) private let task: UnsafeCurrentTask?

  private init(_ task: UnsafeCurrentTask?) { self.task = task }

  /// Calls `body` with a signal that is also set by cancelling the caller's task. It is not for use after that.
  package static func watchingTask<Result>(
    _ body: (StopSignal) throws(DataError) -> Result
  ) throws(DataError) -> Result {
    try withUnsafeCurrentTask { task in
      Swift.Result { () throws(DataError) in try body(StopSignal(task)) }
    }.get()
  }

  /// - Throws: what another thread has thrown, or `.cancelled` when the task was cancelled.
  package func check() throws(DataError) {
    if isSet.load(ordering: .relaxed), let error = reason.withLock({ $0 }) { throw error }
    if task?.isCancelled == true { throw stop(Cancellation.error) }
  }

  /// Runs a closure, and stops all threads when it throws.
  package func run(_ body: () throws(DataError) -> Void) throws(DataError) {
    do throws(DataError) { try body() } catch { throw stop(error) }
  }

  private func stop(_ error: DataError) -> DataError {
    let first = reason.withLock { reason in
      reason = reason ?? error
      return reason!
    }
    isSet.store(true, ordering: .relaxed)
    return first
  }
}
