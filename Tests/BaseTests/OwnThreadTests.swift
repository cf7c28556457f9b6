import Base
import Dispatch
import Foundation
import Synchronization
import TensorCore
import Testing

/// Long work on a thread of its own, as part of the task that waits for it.
struct OwnThreadTests {
  @Test func workSeesTheValuesOfItsTask() async throws {
    let seen = try await MemoryBudget.withBytes(123_456) {
      try await Threads.withCount(3) {
        try await onOwnThread { () throws(DataError) in (MemoryBudget.bytes, Threads.count) }
      }
    }
    #expect(seen == (123_456, 3))
    #expect(MemoryBudget.bytes == nil)
  }

  @Test func valuesPassToChildrenOfTheTask() async throws {
    let seen = try await MemoryBudget.withBytes(7) {
      async let one = onOwnThread { () throws(DataError) in MemoryBudget.bytes }
      return try await one
    }
    #expect(seen == 7)
  }

  @Test(arguments: [false, true])
  func workSeesThatItsTaskIsCancelled(inTime: Bool) async throws {
    let error = await #expect(throws: DataError.self) {
      try await onOwnThread { () throws(DataError) in
        withUnsafeCurrentTask { if inTime { $0?.cancel() } }
        try Cancellation.check()
        throw DataError(.unsupported, file: "work", found: "went on")
      }
    }
    #expect(error?.kind == (inTime ? .cancelled : .unsupported))
  }

  /// More pieces of work than there are threads for tasks, each waiting for all others.
  @Test(.timeLimit(.minutes(1)))
  func workDoesNotHoldUpOtherTasks() async throws {
    let count = 32
    let meeting = Meeting(of: count)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<count {
        group.addTask {
          try await onOwnThread { () throws(DataError) in meeting.wait() }
        }
      }
      try await group.waitForAll()
    }
    #expect(meeting.arrived == count)
  }

  /// Threads that help a task are in no task themselves.
  @Test func helpersSeeTheTaskCancelled() async {
    let kind = await Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try? StopSignal.watchingTask { (signal) throws(DataError) -> DataError.Kind? in
        let (kind, done) = (Kind(), DispatchSemaphore(value: 0))
        Thread {
          do throws(DataError) { try signal.check() } catch { kind.value.withLock { $0 = error.kind } }
          done.signal()
        }.start()
        done.wait()
        return kind.value.withLock { $0 }
      }
    }.value
    #expect(kind == .cancelled)
  }

  private final class Kind: Sendable {
    let value = Mutex<DataError.Kind?>(nil)
  }
}

/// Threads that wait until all are there.
private final class Meeting: Sendable {
  private let count: Int
  private let here = Mutex(0)
  private let all = DispatchSemaphore(value: 0)

  init(of count: Int) { self.count = count }

  var arrived: Int { here.withLock { $0 } }

  func wait() {
    let isLast = here.withLock {
      $0 += 1
      return $0 == count
    }
    if isLast { for _ in 0..<count { all.signal() } }
    all.wait()
  }
}
