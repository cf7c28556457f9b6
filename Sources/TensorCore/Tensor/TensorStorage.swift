import Base
import Synchronization

/// Tells tensors apart by their memory. Never given twice, unlike an address.
package struct TensorIdentity: Hashable, Sendable {
  private let number: UInt64
  private static let last = Atomic<UInt64>(0)

  init() { number = Self.last.wrappingAdd(1, ordering: .relaxed).newValue }
}

/// The memory behind a tensor: `count` floats that this object owns, or that lie inside something it
/// keeps alive (a mapped checkpoint).
final class TensorStorage: @unchecked Sendable {
  // @unchecked: written only while uniquely referenced, by `Tensor`'s copy-on-write.
  let base: UnsafeMutablePointer<Float>
  let count: Int
  let identity = TensorIdentity()
  private let owner: AnyObject?

  /// Memory that may be written in place once nobody else refers to this storage.
  var isOwned: Bool { owner == nil }

  /// Uninitialised memory for `count` floats.
  init(count: Int) {
    self.count = count
    owner = nil
    base = BufferPool.shared.allocate(count: count)
  }

  /// Floats that `owner` keeps alive and nobody writes.
  init(borrowing floats: UnsafeBufferPointer<Float>, owner: AnyObject) {
    count = floats.count
    self.owner = owner
    base = UnsafeMutablePointer(mutating: floats.baseAddress!)
  }

  /// Releases memory that can be read from a file again.
  func discardPages() {
    if let file = owner as? MappedFile {
      file.discard(UnsafeRawBufferPointer(start: base, count: count * MemoryLayout<Float>.stride))
    }
  }

  deinit {
    if isOwned { BufferPool.shared.release(base, count: count) }
  }
}
