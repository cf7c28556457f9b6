import Base
import Synchronization

/// Calls `body` for 0 to `count - 1` on all threads, and throws the failure of the lowest number once all have run.
/// - Parameters:
///   - count: number of calls
///   - body: called from several threads at the same time
/// - Throws: what the call of the lowest number threw.
package func parallelForThrowing(
  _ count: Int, _ body: (_ index: Int) throws(DataError) -> Void
) throws(DataError) {
  let failures = Mutex([Int: DataError]())
  parallelFor(count) { index in
    do throws(DataError) {
      try body(index)
    } catch {
      failures.withLock { $0[index] = error }
    }
  }
  let failed = failures.withLock { $0 }
  if let first = failed.keys.min() { throw failed[first]! }
}
