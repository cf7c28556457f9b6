import Foundation
import Synchronization
import TensorCore
import Testing

/// A pool of its own for each test, since the shared one may be busy with other suites.
struct ThreadPoolTests {
  @Test func manyShortJobsOnChangingNumbersOfThreads() {
    let pool = ThreadPool()
    for job in 0..<3000 {
      let count = job % 7
      let total = Counter()
      pool.run(itemCount: count, threadCount: [5, 2, 3, 1][job % 4]) { item in
        total.value.add(1 << (item * 8), ordering: .relaxed)
      }
      #expect(total.value.load(ordering: .relaxed) == (0..<count).reduce(0) { $0 + 1 << ($1 * 8) })
    }
  }

  @Test func jobsAfterAPauseAreDoneToo() {
    let pool = ThreadPool()
    for _ in 0..<5 {
      let total = Counter()
      pool.run(itemCount: 3, threadCount: 3) { item in
        total.value.add(1, ordering: .relaxed)
        wait { total.value.load(ordering: .relaxed) == 3 }
      }
      // Longer than the threads look out for the next job.
      usleep(5000)
    }
  }

  /// Item 0 waits for all others, also for those that its own thread would come to after it.
  @Test(arguments: [2, 3])
  func whoIsDoneHelpsTheOthers(threads: Int) {
    let others = Counter()
    ThreadPool().run(itemCount: 20, threadCount: threads) { item in
      if item == 0 {
        wait { others.value.load(ordering: .relaxed) == 19 }
      } else {
        others.value.add(1, ordering: .relaxed)
      }
    }
    #expect(others.value.load(ordering: .relaxed) == 19)
  }

  /// Every thread holds one item until all items are held.
  @Test func aThreadBeginsWithTheSameItemsEveryTime() {
    let pool = ThreadPool()
    let owners = Mutex([Set<pthread_t>](repeating: [], count: 3))
    for _ in 0..<50 {
      let held = Counter()
      pool.run(itemCount: 3, threadCount: 3) { item in
        owners.withLock { _ = $0[item].insert(pthread_self()) }
        held.value.add(1, ordering: .relaxed)
        wait { held.value.load(ordering: .relaxed) == 3 }
      }
    }
    #expect(owners.withLock { $0.map(\.count) } == [1, 1, 1])
    #expect(owners.withLock { $0[0] } == [pthread_self()])
  }

  private final class Counter: Sendable { let value = Atomic<Int>(0) }

  /// Waits for `condition`, and fails when it has not come true in a while.
  private func wait(for condition: () -> Bool) {
    let end = ContinuousClock.now + .seconds(10)
    while !condition() {
      guard ContinuousClock.now < end else {
        Issue.record("waited in vain")
        return
      }
      sched_yield()
    }
  }
}
