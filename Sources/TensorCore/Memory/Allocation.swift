import Base
import Foundation
import Synchronization

/// Memory for large arrays, and what happens when there is none.
public enum Allocation {
  /// Called with the bytes that could not be had and a message; must not return. It may be called from any thread.
  public typealias FailureHandler = @Sendable (_ bytes: Int, _ message: String) -> Never

  private static let handler = Mutex<FailureHandler?>(nil)

  /// What to do when memory runs out, instead of a crash. Work on large arrays cannot be taken back in its middle, so
  /// there is no error to catch; a program that would rather end in its own way sets this once.
  public static func onFailure(_ handler: @escaping FailureHandler) {
    self.handler.withLock { $0 = handler }
  }

  /// Uninitialised memory. What the pool of buffers keeps for later is given back before it fails.
  package static func allocate(bytes: Int, alignment: Int) -> UnsafeMutableRawPointer {
    var pointer: UnsafeMutableRawPointer?
    if posix_memalign(&pointer, alignment, bytes) != 0 || pointer == nil {
      BufferPool.shared.drain()
      if posix_memalign(&pointer, alignment, bytes) != 0 { pointer = nil }
    }
    guard let pointer else { fail(bytes: bytes) }
    return pointer
  }

  /// Ends the program for want of memory.
  package static func fail(bytes: Int) -> Never {
    let inUse = BufferPool.shared.usedBytes
    var message =
      "out of memory: \(AvailableMemory.gigabytes(Double(bytes))) more could not be had, with "
      + "\(AvailableMemory.gigabytes(Double(inUse))) in use by tensors"
    if let available = AvailableMemory.now {
      message += " and \(AvailableMemory.gigabytes(Double(available.bytes))) left by \(available.limit)"
    }
    handler.withLock { $0 }?(bytes, message)
    preconditionFailure(message)
  }
}
