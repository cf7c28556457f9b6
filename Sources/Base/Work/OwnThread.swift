import Foundation

/// Runs work that takes long on a thread of its own, so that the tasks of others go on meanwhile. The work is part of the
/// task that waits: it sees its cancellation and its task-local values, such as the budget of memory.
/// - Throws: what the work throws.
package func onOwnThread<Result: Sendable>(
  _ work: @escaping @Sendable () throws(DataError) -> Result
) async throws(DataError) -> Result {
  try await withTaskExecutorPreference(OwnThread()) { () async throws(DataError) in try work() }
}

/// Runs what it is given on a new thread. Those of the concurrency runtime are as many as there are processors, and others
/// wait for them.
private final class OwnThread: TaskExecutor {
  /// As a program's first thread has; others have less.
  private static let stackSize = 8 << 20

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let thread = Thread { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    thread.stackSize = Self.stackSize
    thread.start()
  }
}
