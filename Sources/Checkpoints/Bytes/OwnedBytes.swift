import Foundation

/// Memory from the heap, aligned to 64 bytes, freed with the object.
final class OwnedBytes: Sendable {
  private nonisolated(unsafe) let base: UnsafeMutableRawPointer
  private let count: Int

  /// `count` bytes filled by `initializer`; nil when there is not that much memory.
  init?(count: Int, initializer: (UnsafeMutableRawBufferPointer) -> Void) {
    var pointer: UnsafeMutableRawPointer?
    guard posix_memalign(&pointer, 64, max(count, 1)) == 0, let pointer else { return nil }
    base = pointer
    self.count = count
    initializer(UnsafeMutableRawBufferPointer(start: pointer, count: count))
  }

  deinit { free(base) }

  var region: ByteRegion { ByteRegion(UnsafeRawBufferPointer(start: base, count: count), owner: self) }
}
