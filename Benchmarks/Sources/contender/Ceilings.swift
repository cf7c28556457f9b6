import CCeilings
import DiffusionSegmentation
import TensorCore

/// What the processor and its memory can do at most, measured here and now.
struct Ceilings: Encodable {
  struct Figures: Encodable {
    var threads: Int
    /// GFLOP/s of fused multiply-adds in registers.
    var fma: Double
    /// GB/s of reading.
    var read: Double
    /// GB/s of `y = x + 3 z`, three numbers an element.
    var triad: Double
  }

  let instructions = String(cString: ceiling_instructions())
  let figures: [Figures]

  /// - Parameter threadCounts: each is measured
  init(threadCounts: [Int]) {
    figures = threadCounts.map { threads in
      let memory = Memory(parts: threads)
      return Figures(
        threads: threads, fma: Self.fma(threads: threads),
        read: Self.best { memory.read() } / 1e9, triad: Self.best { memory.triad() } / 1e9)
    }
  }

  private static func fma(threads: Int) -> Double {
    let rounds = 10_000_000
    return best {
      let operations = onThreads(threads) { _ in
        var sink: Float = 0
        let count = ceiling_fma(rounds, &sink)
        return sink.isNaN ? 0 : count
      }
      return operations.reduce(0, +)
    } / 1e9
  }

  /// The most units a second of five attempts; `body` returns the units of one.
  private static func best(_ body: () -> Double) -> Double {
    var best = 0.0
    for _ in 0..<5 {
      let start = ContinuousClock.now
      let units = body()
      best = max(best, units / ((ContinuousClock.now - start) / .seconds(1)))
    }
    return best
  }

  /// `body` on so many threads at once, with the number of each.
  fileprivate static func onThreads(_ count: Int, _ body: (Int) -> Double) -> [Double] {
    let before = Threads.count
    defer { Threads.count = before }
    Threads.count = count
    var results = [Double](repeating: 0, count: count)
    results.withUnsafeMutableBufferPointer { results in
      // Each thread has a place of its own.
      nonisolated(unsafe) let places = results
      parallelFor(count) { places[$0] = body($0) }
    }
    return results
  }

  /// Three arrays, each far larger than the caches, cut into a part for each thread.
  private final class Memory {
    private static let count = 1 << 25
    private let parts: Int
    private let arrays: [UnsafeMutablePointer<Float>]

    init(parts: Int) {
      self.parts = parts
      arrays = (0..<3).map { _ in
        let array = UnsafeMutablePointer<Float>.allocate(capacity: Self.count)
        array.initialize(repeating: 1, count: Self.count)
        return array
      }
    }

    deinit { for array in arrays { array.deallocate() } }

    private var partCount: Int { Self.count / parts / 128 * 128 }

    /// Bytes read.
    func read() -> Double {
      let sums = onThreads(parts) { Double(ceiling_read(arrays[0] + $0 * partCount, partCount)) }
      return sums.reduce(0, +) > 0 ? Double(4 * partCount * parts) : 0
    }

    /// Bytes read and written.
    func triad() -> Double {
      _ = onThreads(parts) { part in
        let start = part * partCount
        ceiling_triad(arrays[2] + start, arrays[0] + start, arrays[1] + start, partCount)
        return 0
      }
      return Double(12 * partCount * parts)
    }
  }
}
