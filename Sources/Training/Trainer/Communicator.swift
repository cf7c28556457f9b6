import Base
import TensorCore

/// Processes that train one network together.
public protocol Communicator: Sendable {
  /// Number of this process, from 0.
  var rank: Int { get }
  /// Number of all processes.
  var count: Int { get }
  /// Replaces tensors by their sums over all processes, added in the order of the ranks, so that all have the same bits.
  /// - Throws: `DataError` when another process is gone.
  func sum(_ tensors: inout [Tensor]) throws(DataError)
}

/// A training in one process.
public struct SingleProcess: Communicator {
  public init() {}
  public var rank: Int { 0 }
  public var count: Int { 1 }
  public func sum(_ tensors: inout [Tensor]) {}
}
