import Foundation
import Synchronization

/// The threads behind `parallelFor`. One job runs at a time; a second caller, or a nested call, works
/// through its items alone, which gives the same result.
///
/// Every thread begins with a share of its own, the same for every job of as many items: what it wrote for
/// one kernel is near it in the next. An idle thread steals items from the others.
package final class ThreadPool: @unchecked Sendable {
  // @unchecked: everything mutable is guarded by `mutex` or atomic.
  package static let shared = ThreadPool()

  /// Closure and shares belong to `run`, which returns only after the last worker has left.
  private struct Job {
    var body: UnsafePointer<(Int) -> Void>
    var shares: UnsafeMutableBufferPointer<Share>
  }

  /// Items of one thread's share that are still unclaimed.
  private struct Share: ~Copyable {
    let next: Atomic<Int>
    let end: Int
    // A share fills a cache line, so that threads do not wait for each other's counters.
    private let padding = (0, 0, 0, 0, 0, 0)

    init(_ items: Range<Int>) {
      next = Atomic(items.lowerBound)
      end = items.upperBound
    }
  }

  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let jobArrived = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let workersLeft = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let insideJob: pthread_key_t
  private let isBusy = Atomic<Bool>(false)
  private var job: Job?
  private var workerCount = 0
  // Written under `mutex`, and looked at without it by threads that expect a change soon.
  private let generation = Atomic<Int>(0)
  private let activeWorkers = Atomic<Int>(0)

  /// Seconds for which a thread spins before it sleeps. Kernels follow each other closely,
  /// and to fall asleep and be woken takes as long.
  private static let patience = 50e-6

  /// A pool with threads of its own, which never end.
  package init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(jobArrived, nil)
    pthread_cond_init(workersLeft, nil)
    var key = pthread_key_t()
    pthread_key_create(&key, nil)
    insideJob = key
  }

  /// Calls `body` once for every item below `itemCount`, on up to `threadCount` threads.
  package func run(itemCount: Int, threadCount: Int, body: (Int) -> Void) {
    let canShare = itemCount > 1 && threadCount > 1 && pthread_getspecific(insideJob) == nil
    guard canShare, isBusy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    else {
      for item in 0..<itemCount { body(item) }
      return
    }
    withoutActuallyEscaping(body) { body in
      withUnsafePointer(to: body) { body in
        run(body, itemCount: itemCount, threadCount: min(threadCount, itemCount))
      }
    }
    isBusy.store(false, ordering: .releasing)
  }

  private func run(_ body: UnsafePointer<(Int) -> Void>, itemCount: Int, threadCount: Int) {
    let shares = UnsafeMutableBufferPointer<Share>.allocate(capacity: threadCount)
    for thread in 0..<threadCount {
      let items = itemCount * thread / threadCount..<itemCount * (thread + 1) / threadCount
      shares.initializeElement(at: thread, to: Share(items))
    }
    let newJob = Job(body: body, shares: shares)
    pthread_mutex_lock(mutex)
    startWorkers(threadCount - 1)
    job = newJob
    generation.add(1, ordering: .relaxed)
    pthread_cond_broadcast(jobArrived)
    pthread_mutex_unlock(mutex)

    work(on: newJob, share: 0)

    pthread_mutex_lock(mutex)
    job = nil
    pthread_mutex_unlock(mutex)
    spin { activeWorkers.load(ordering: .relaxed) == 0 }
    pthread_mutex_lock(mutex)
    while activeWorkers.load(ordering: .relaxed) > 0 { pthread_cond_wait(workersLeft, mutex) }
    pthread_mutex_unlock(mutex)
    shares.deinitialize().deallocate()
  }

  /// Returns when `condition` holds, or when it has not for a while.
  private func spin(until condition: () -> Bool) {
    if condition() { return }
    let end = ProcessInfo.processInfo.systemUptime + Self.patience
    repeat {
      for _ in 0..<100 where condition() { return }
    } while ProcessInfo.processInfo.systemUptime < end
  }

  /// Never inlined, so that a worker holds no reference to the closure once this has returned.
  @inline(never)
  private func work(on job: Job, share own: Int) {
    pthread_setspecific(insideJob, UnsafeRawPointer(mutex))
    for distance in 0..<job.shares.count {
      let share = job.shares.baseAddress! + (own + distance) % job.shares.count
      while true {
        let item = share.pointee.next.add(1, ordering: .relaxed).oldValue
        guard item < share.pointee.end else { break }
        job.body.pointee(item)
      }
    }
    pthread_setspecific(insideJob, nil)
  }

  private func startWorkers(_ wanted: Int) {
    while workerCount < wanted {
      let number = workerCount
      let thread = Thread { self.serve(share: number + 1) }
      thread.stackSize = 8 << 20
      thread.name = "dseg-worker-\(number)"
      thread.start()
      workerCount += 1
    }
  }

  private func serve(share: Int) {
    var lastGeneration = 0
    pthread_mutex_lock(mutex)
    while true {
      let latest = generation.load(ordering: .relaxed)
      guard let current = job, share < current.shares.count, latest != lastGeneration else {
        pthread_cond_wait(jobArrived, mutex)
        continue
      }
      lastGeneration = latest
      activeWorkers.add(1, ordering: .relaxed)
      pthread_mutex_unlock(mutex)
      work(on: current, share: share)
      pthread_mutex_lock(mutex)
      if activeWorkers.subtract(1, ordering: .relaxed).newValue == 0 { pthread_cond_signal(workersLeft) }
      pthread_mutex_unlock(mutex)
      spin { generation.load(ordering: .relaxed) != latest }
      pthread_mutex_lock(mutex)
    }
  }
}
