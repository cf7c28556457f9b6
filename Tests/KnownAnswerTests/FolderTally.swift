import Foundation
import Synchronization

/// Sums up the operations of each folder as they end, which may be in any order and at the same time.
final class FolderTally: Sendable {
  static let shared = FolderTally()

  /// Result of one operation, or of several.
  struct Share {
    /// The one that uses most of a limit.
    var operation: String
    var operations = 1
    var cases = 0
    var outputs = 0
    var failures = 0
    var worst = 0.0

    mutating func add(_ report: KnownAnswerTests.Report) {
      cases += 1
      outputs += report.outputs
      if !report.problems.isEmpty { failures += 1 }
      worst = max(worst, report.worst)
    }

    mutating func add(_ other: Share) {
      operations += other.operations
      (cases, outputs, failures) = (
        cases + other.cases, outputs + other.outputs, failures + other.failures
      )
      if other.worst > worst { (operation, worst) = (other.operation, other.worst) }
    }
  }

  private let sums = Mutex([String: Share]())

  /// Adds an operation.
  /// - Returns: the line about a folder whose operations are all there
  func add(_ share: Share, of manifest: Manifest) -> String? {
    let sum = sums.withLock { sums in
      sums[manifest.name] =
        sums[manifest.name].map { sum in
          var sum = sum
          sum.add(share)
          return sum
        } ?? share
      return sums[manifest.name]!
    }
    guard sum.operations == manifest.builtOperations.count else { return nil }
    let worst = String(format: "%.2f", sum.worst)
    return
      "\(manifest.name): \(sum.cases) cases, \(sum.outputs) outputs, worst \(worst) of a limit (\(sum.operation))"
      + (sum.failures > 0 ? ", \(sum.failures) cases failed" : "")
  }
}
