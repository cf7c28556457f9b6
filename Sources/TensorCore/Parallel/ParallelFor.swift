import Foundation
import Synchronization

/// How many threads the kernels of this library use.
public enum Threads {
  private static let setting = Atomic<Int>(0)
  // Asked once: Foundation reads the limits of the control group from files each time.
  private static let processors = ProcessInfo.processInfo.activeProcessorCount

  /// Number of threads, at least 1. All processors by default. Results never depend on it: the
  /// pieces that work is cut into are fixed by its shape.
  public static var count: Int {
    get {
      let count = setting.load(ordering: .relaxed)
      return count > 0 ? count : processors
    }
    set {
      precondition(newValue >= 1, "\(newValue) threads")
      setting.store(newValue, ordering: .relaxed)
    }
  }
}

/// Calls `body` once for each item in `0..<count`, on `Threads.count` threads, and returns when all
/// calls have returned.
///
/// The calls run at the same time in any order, so `body` must write to places of its own for each
/// item. Inside `body` further calls of `parallelFor` run on the calling thread.
public func parallelFor(_ count: Int, _ body: (Int) -> Void) {
  ThreadPool.shared.run(itemCount: count, threadCount: Threads.count, body: body)
}

/// `parallelFor` over consecutive ranges of at most `size` items.
///
/// The ranges depend on `count` and `size` alone, so sums taken per range are reproducible.
public func parallelFor(_ count: Int, inBlocksOf size: Int, _ body: (Range<Int>) -> Void) {
  precondition(size > 0, "blocks of \(size) items")
  parallelFor((count + size - 1) / size) { block in
    body(block * size..<min(count, (block + 1) * size))
  }
}
