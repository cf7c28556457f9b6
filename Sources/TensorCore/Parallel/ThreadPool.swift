import Foundation
import Synchronization

/// The threads behind `parallelFor`. One job runs at a time; a second caller, or a nested call, works
/// through its items alone, which gives the same result.
final class ThreadPool: @unchecked Sendable {
  // @unchecked: everything mutable is guarded by `mutex`, except `nextItem`, which is atomic.
  static let shared = ThreadPool()

  /// The closure lives on the stack of `run`, which returns only after the last worker has left.
  private struct Job {
    var itemCount: Int
    var body: UnsafePointer<(Int) -> Void>
  }

  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let jobArrived = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let workersLeft = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let insideJob: pthread_key_t
  private let nextItem = Atomic<Int>(0)
  private let isBusy = Atomic<Bool>(false)
  private var job: Job?
  private var generation = 0
  private var freeSeats = 0
  private var activeWorkers = 0
  private var workerCount = 0

  private init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(jobArrived, nil)
    pthread_cond_init(workersLeft, nil)
    var key = pthread_key_t()
    pthread_key_create(&key, nil)
    insideJob = key
  }

  /// Calls `body` once for every item below `itemCount`, on up to `threadCount` threads.
  func run(itemCount: Int, threadCount: Int, body: (Int) -> Void) {
    let canShare = itemCount > 1 && threadCount > 1 && pthread_getspecific(insideJob) == nil
    guard canShare, isBusy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    else {
      for item in 0..<itemCount { body(item) }
      return
    }
    withoutActuallyEscaping(body) { body in
      withUnsafePointer(to: body) { body in
        run(Job(itemCount: itemCount, body: body), threadCount: min(threadCount, itemCount))
      }
    }
    isBusy.store(false, ordering: .releasing)
  }

  private func run(_ newJob: Job, threadCount: Int) {
    pthread_mutex_lock(mutex)
    startWorkers(threadCount - 1)
    nextItem.store(0, ordering: .relaxed)
    job = newJob
    generation += 1
    freeSeats = threadCount - 1
    pthread_cond_broadcast(jobArrived)
    pthread_mutex_unlock(mutex)

    work(on: newJob)

    pthread_mutex_lock(mutex)
    job = nil
    while activeWorkers > 0 { pthread_cond_wait(workersLeft, mutex) }
    pthread_mutex_unlock(mutex)
  }

  /// Never inlined, so that a worker holds no reference to the closure once this has returned.
  @inline(never)
  private func work(on job: Job) {
    pthread_setspecific(insideJob, UnsafeRawPointer(mutex))
    while true {
      let item = nextItem.add(1, ordering: .relaxed).oldValue
      guard item < job.itemCount else { break }
      job.body.pointee(item)
    }
    pthread_setspecific(insideJob, nil)
  }

  private func startWorkers(_ wanted: Int) {
    while workerCount < wanted {
      let thread = Thread { ThreadPool.shared.serve() }
      thread.stackSize = 8 << 20
      thread.name = "dseg-worker-\(workerCount)"
      thread.start()
      workerCount += 1
    }
  }

  private func serve() {
    var lastGeneration = 0
    pthread_mutex_lock(mutex)
    while true {
      while job == nil || freeSeats == 0 || lastGeneration == generation {
        pthread_cond_wait(jobArrived, mutex)
      }
      guard let current = job else { continue }
      lastGeneration = generation
      freeSeats -= 1
      activeWorkers += 1
      pthread_mutex_unlock(mutex)
      work(on: current)
      pthread_mutex_lock(mutex)
      activeWorkers -= 1
      if activeWorkers == 0 { pthread_cond_signal(workersLeft) }
    }
  }
}
