import Foundation
import Synchronization

/// Whether the work of the caller is no longer wanted.
///
/// Long calls look at it between pictures, steps and iterations. It is wanted no longer when the task that they run in
/// was cancelled, or the task that waits for them in their `async` form.
public enum Cancellation {
  @TaskLocal package static var flag: Flag?

  package final class Flag: Sendable {
    private let isRaised = Atomic(false)

    package init() {}

    package func raise() { isRaised.store(true, ordering: .relaxed) }

    package var value: Bool { isRaised.load(ordering: .relaxed) }
  }

  public static var isCancelled: Bool { Task.isCancelled || (flag?.value ?? false) }

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
  private let flag = Cancellation.flag

  package init() {}

  /// - Throws: what another thread has thrown, or `.cancelled` on the thread of a cancelled task.
  package func check() throws(DataError) {
    if isSet.load(ordering: .relaxed), let error = reason.withLock({ $0 }) { throw error }
    if Task.isCancelled || (flag?.value ?? false) { throw stop(Cancellation.error) }
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

/// Runs work that takes long on a thread of its own, so that the tasks of others go on meanwhile. Cancelling the task
/// that waits makes `Cancellation.check` throw there.
/// - Throws: what the work throws.
package func onOwnThread<Result: Sendable>(
  _ work: @escaping @Sendable () throws(DataError) -> Result
) async throws(DataError) -> Result {
  let flag = Cancellation.Flag()
  let outcome = await withTaskCancellationHandler {
    await withCheckedContinuation {
      (continuation: CheckedContinuation<Swift.Result<Result, DataError>, Never>) in
      let thread = Thread {
        Cancellation.$flag.withValue(flag) {
          continuation.resume(returning: Swift.Result { () throws(DataError) in try work() })
        }
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
  } onCancel: {
    flag.raise()
  }
  return try outcome.get()
}
