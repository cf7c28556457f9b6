import Foundation
import Synchronization

/// How many threads the kernels of this library use.
public enum Threads {
  private static let setting = Atomic<Int>(0)
  // Asked once: Foundation reads the limits of the control group from files each time.
  private static let processors = ProcessInfo.processInfo.activeProcessorCount
  @TaskLocal private static var scoped: Int?

  /// Number of threads, at least 1: that of the innermost `withCount` around the caller, else what was set, else all
  /// processors. Results never depend on it: the pieces that work is cut into are fixed by its shape.
  ///
  /// Setting it is for programs, once, at their start. Where other work runs in the same process, use `withCount`.
  public static var count: Int {
    get {
      if let scoped { return scoped }
      let count = setting.load(ordering: .relaxed)
      return count > 0 ? count : processors
    }
    set {
      precondition(newValue >= 1, "\(newValue) threads")
      setting.store(newValue, ordering: .relaxed)
    }
  }

  /// Calls `body` with another number of threads, for the calling task or thread alone.
  /// - Precondition: the number is at least 1.
  public static func withCount<Result>(_ count: Int, _ body: () throws -> Result) rethrows -> Result {
    precondition(count >= 1, "\(count) threads")
    return try $scoped.withValue(count, operation: body)
  }

  /// Calls `body` with another number of threads, for the calling task and its children alone.
  /// - Precondition: the number is at least 1.
  public static func withCount<Result>(
    _ count: Int, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
  ) async rethrows -> Result {
    precondition(count >= 1, "\(count) threads")
    return try await $scoped.withValue(count, operation: body)
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
