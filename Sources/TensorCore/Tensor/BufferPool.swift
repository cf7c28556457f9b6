import Foundation
import Synchronization

/// Buffers of released tensors, kept for the next tensor of the same size.
///
/// A U-Net allocates the same few large sizes over and over; handing them back to the system each
/// time costs up to a third of a forward pass in page faults.
public final class BufferPool: Sendable {
  public static let shared = BufferPool()

  /// Smaller buffers go to `malloc`, which is fast for them.
  private static let smallestPooledBytes = 64 << 10
  /// The most that is kept; a release beyond it goes back to the system.
  private static let largestKeptBytes = 1 << 30

  private struct State {
    /// Addresses by size in bytes.
    var free: [Int: [UInt]] = [:]
    var keptBytes = 0
  }
  private let state = Mutex(State())

  /// Bytes of a buffer for `count` floats: whole 64-byte lines.
  private static func byteCount(_ count: Int) -> Int { (max(count, 1) * 4 + 63) & ~63 }

  /// Uninitialised memory for `count` floats, aligned to 64 bytes.
  func allocate(count: Int) -> UnsafeMutablePointer<Float> {
    precondition(count >= 0 && count < Int.max / 8, "a tensor of \(count) elements cannot be allocated")
    let bytes = Self.byteCount(count)
    if bytes >= Self.smallestPooledBytes {
      let reused = state.withLock { state -> UInt? in
        guard let address = state.free[bytes]?.popLast() else { return nil }
        state.keptBytes -= bytes
        return address
      }
      if let reused { return UnsafeMutablePointer(bitPattern: reused)! }
    }
    var pointer: UnsafeMutableRawPointer?
    guard posix_memalign(&pointer, 64, bytes) == 0, let pointer else {
      preconditionFailure("out of memory: \(bytes) bytes")
    }
    return pointer.bindMemory(to: Float.self, capacity: bytes / 4)
  }

  /// Takes back what `allocate` gave for the same count.
  func release(_ pointer: UnsafeMutablePointer<Float>, count: Int) {
    let bytes = Self.byteCount(count)
    let address = UInt(bitPattern: pointer)
    let isKept =
      bytes >= Self.smallestPooledBytes
      && state.withLock { state in
        // Sizes change with the work: what is kept of the old ones makes room.
        if state.keptBytes + bytes > Self.largestKeptBytes { Self.free(&state) }
        guard bytes <= Self.largestKeptBytes else { return false }
        state.keptBytes += bytes
        state.free[bytes, default: []].append(address)
        return true
      }
    if !isKept { Foundation.free(pointer) }
  }

  /// Gives all kept buffers back to the system.
  public func drain() {
    state.withLock { Self.free(&$0) }
  }

  private static func free(_ state: inout State) {
    for addresses in state.free.values {
      for address in addresses { Foundation.free(UnsafeMutableRawPointer(bitPattern: address)) }
    }
    state = State()
  }
}
