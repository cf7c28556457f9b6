import TensorCore

/// Runs `body` with each of some numbers of threads and gives the results. Other tests keep theirs.
public func withThreadCounts<Result>(_ counts: [Int], _ body: () throws -> Result) rethrows -> [Result] {
  try counts.map { try Threads.withCount($0, body) }
}
