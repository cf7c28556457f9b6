import TensorCore

/// Runs `body` with each of some numbers of threads and gives the results.
public func withThreadCounts<Result>(_ counts: [Int], _ body: () throws -> Result) rethrows -> [Result] {
  let before = Threads.count
  defer { Threads.count = before }
  return try counts.map { count in
    Threads.count = count
    return try body()
  }
}
