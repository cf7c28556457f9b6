import Foundation

/// What tells whether a file is still the one that was opened: which file it is, how long it is, and when it was last
/// written to.
public struct FileIdentity: Sendable, Hashable {
  public let device: UInt64
  public let inode: UInt64
  /// In bytes.
  public let size: Int64
  /// When its content was last written, in nanoseconds since 1970.
  public let modified: Int64
  /// When its content, its links or its rights last changed, in nanoseconds since 1970. No program can set it back.
  public let changed: Int64

  public init(device: UInt64, inode: UInt64, size: Int64, modified: Int64, changed: Int64) {
    self.device = device
    self.inode = inode
    self.size = size
    self.modified = modified
    self.changed = changed
  }

  /// Identity of a file that is not open; nil when there is none, or it cannot be read.
  public init?(path: String) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    self.init(descriptor: descriptor)
  }

  /// Identity of an open file; nil when the system does not tell.
  public init?(descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    #if canImport(Darwin)
      let (modified, changed) = (status.st_mtimespec, status.st_ctimespec)
    #else
      let (modified, changed) = (status.st_mtim, status.st_ctim)
    #endif
    func nanoseconds(_ time: timespec) -> Int64 { Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec) }
    self.init(
      device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(status.st_ino),
      size: Int64(status.st_size), modified: nanoseconds(modified), changed: nanoseconds(changed))
  }

  /// Whether the same file holds what it held then, even if it has got another name or was deleted since.
  public func hasSameContent(as other: FileIdentity) -> Bool {
    (device, inode, size, modified) == (other.device, other.inode, other.size, other.modified)
  }
}
