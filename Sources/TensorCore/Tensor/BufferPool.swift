import Foundation
import Synchronization

/// Buffers of released tensors, kept for the next tensor of about that size.
///
/// A U-Net allocates the same few large sizes over and over; handing them back to the system each
/// time costs up to a third of a forward pass in page faults. Together with the buffers in use, those kept take
/// at most 512 MB more than were once in use at the same time.
public final class BufferPool: Sendable {
  public static let shared = BufferPool()

  package init() {}

  #if CHECKED_BUFFERS
    // A build for tests (`swift test -Xswiftc -DCHECKED_BUFFERS`). Every buffer comes from `malloc` with exactly the
    // wanted size and goes back to it, so that a sanitizer sees who reads or writes outside or too late, and begins
    // full of NaN, so that whoever reads what nobody wrote finds it in the result.
    private static let isChecked = true
    private static let smallestPooledBytes = Int.max
  #else
    private static let isChecked = false
    /// Smaller buffers go to `malloc`, which is fast for them.
    private static let smallestPooledBytes = 64 << 10
  #endif
  /// Sizes do not fit each other exactly, so some more than the peak is held: without it, a network of large pictures
  /// would still fault in a quarter of its memory each time.
  private static let slack = 1 << 29

  private static let hugePage = 2 << 20

  private struct FreeBuffer {
    var address: UInt
    /// Number of the release, which tells how long it has waited.
    var released: Int
  }

  private struct State {
    /// By size in bytes, the last released at the end.
    var free: [Int: [FreeBuffer]] = [:]
    var keptBytes = 0
    var usedBytes = 0
    /// The largest that `usedBytes` has been.
    var peakBytes = 0
    var releases = 0

    /// Most bytes that are kept; nil for no other limit than that of the class.
    var limit: Int?

    /// Releases the oldest until there is room for all that is in use and so much more.
    mutating func makeRoom(for bytes: Int) {
      let most = peakBytes + slack
      while keptBytes > 0 && (usedBytes + keptBytes + bytes > most || keptBytes + bytes > limit ?? .max) {
        freeOldest()
      }
    }

    mutating func freeOldest() {
      let oldest = free.filter { !$0.value.isEmpty }.min { $0.value[0].released < $1.value[0].released }
      guard let (bytes, buffers) = oldest else { return }
      free[bytes]!.removeFirst()
      keptBytes -= bytes
      Foundation.free(UnsafeMutableRawPointer(bitPattern: buffers[0].address))
    }
  }
  private let state = Mutex(State())

  /// Bytes of a buffer for `count` floats. Large ones come in four sizes an octave, so that a buffer serves
  /// tensors of nearly its size too.
  private static func byteCount(_ count: Int) -> Int {
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    guard bytes >= smallestPooledBytes else { return isChecked ? bytes : (bytes + 63) & ~63 }
    let step = 1 << (Int.bitWidth - 1 - bytes.leadingZeroBitCount - 2)
    return (bytes + step - 1) & ~(step - 1)
  }

  /// Uninitialised memory for `count` floats, aligned to 64 bytes.
  package func allocate(count: Int) -> UnsafeMutablePointer<Float> {
    precondition(count >= 0 && count < Int.max / 8, "a tensor of \(count) elements cannot be allocated")
    let bytes = Self.byteCount(count)
    if bytes >= Self.smallestPooledBytes {
      let reused = state.withLock { state -> UInt? in
        state.usedBytes += bytes
        state.peakBytes = max(state.peakBytes, state.usedBytes)
        if let buffer = state.free[bytes]?.popLast() {
          state.keptBytes -= bytes
          return buffer.address
        }
        state.makeRoom(for: 0)
        return nil
      }
      if let reused { return UnsafeMutablePointer(bitPattern: reused)! }
    }
    let isHuge = bytes >= 2 * Self.hugePage
    let pointer = Allocation.allocate(bytes: bytes, alignment: isHuge ? Self.hugePage : 64)
    #if os(Linux)
      // One fault instead of 512, and fewer addresses to look up. A page of which little is wanted would be held whole.
      if isHuge {
        let wanted = count * MemoryLayout<Float>.stride
        madvise(pointer, wanted / Self.hugePage * Self.hugePage, MADV_HUGEPAGE)
      }
    #endif
    let floats = pointer.bindMemory(to: Float.self, capacity: bytes / MemoryLayout<Float>.stride)
    if Self.isChecked { floats.update(repeating: .nan, count: count) }
    return floats
  }

  /// Takes back what `allocate` gave for the same count.
  package func release(_ pointer: UnsafeMutablePointer<Float>, count: Int) {
    let bytes = Self.byteCount(count)
    guard bytes >= Self.smallestPooledBytes else { return Foundation.free(pointer) }
    let isKept = state.withLock { state in
      state.usedBytes -= bytes
      // Sizes change with the work: those that nobody asks for any more make room.
      state.makeRoom(for: bytes)
      guard bytes <= state.limit ?? .max else { return false }
      state.keptBytes += bytes
      state.releases += 1
      state.free[bytes, default: []].append(
        FreeBuffer(address: UInt(bitPattern: pointer), released: state.releases))
      return true
    }
    if !isKept { Foundation.free(pointer) }
  }

  /// Bytes of the pooled buffers that tensors hold.
  public var usedBytes: Int { state.withLock { $0.usedBytes } }

  /// Bytes of released buffers that are kept for the next tensors.
  public var keptBytes: Int { state.withLock { $0.keptBytes } }

  /// Most bytes of released buffers that are kept; nil for the default: with the buffers in use, 512 MB more than were once
  /// in use at the same time.
  public var keptLimit: Int? {
    get { state.withLock { $0.limit } }
    set {
      state.withLock { state in
        state.limit = newValue
        state.makeRoom(for: 0)
      }
    }
  }

  /// Gives all kept buffers back to the system.
  public func drain() {
    state.withLock { while $0.keptBytes > 0 { $0.freeOldest() } }
  }
}
