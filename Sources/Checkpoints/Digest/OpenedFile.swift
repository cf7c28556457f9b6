import Base
import Foundation
import Synchronization

/// A file that stays open, so that what is asked of it later is answered by the bytes that were opened, whatever has
/// taken their name since.
public final class OpenedFile: Sendable {
  /// The path as given.
  public let path: String
  /// As it was when it was opened.
  public let identity: FileIdentity
  let mapping: MappedFile
  private let descriptor: Int32
  private let digest = Mutex<String?>(nil)

  private static let piece = 1 << 20

  /// - Throws: `DataError` when there is no such file, or it is no regular one.
  public init(path: String) throws(DataError) {
    self.path = path
    let descriptor = try MappedFile.open(path)
    do throws(DataError) {
      guard let identity = FileIdentity(descriptor: descriptor) else {
        throw DataError(.noInput, file: path, expected: "a readable file", found: "one without a status")
      }
      self.identity = identity
      mapping = try MappedFile(path: path, descriptor: descriptor)
    } catch {
      close(descriptor)
      throw error
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// What was opened, valid during the call.
  public func withBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws(DataError) -> Result
  ) throws(DataError) -> Result {
    try body(mapping.bytes)
  }

  /// SHA-256 of what was opened, in 64 hexadecimal digits. It is taken when it is first asked for and kept.
  ///
  /// Hashing two gigabytes takes seconds, and many uses of a file never ask. That nothing was written between the
  /// opening and the end of the hashing is told by the time of the last write, which a program that replaces a file
  /// by renaming another one does not touch.
  /// - Parameter cache: where digests of large files are remembered from run to run
  /// - Throws: `DataError` when the file was written to since it was opened.
  public func sha256(cache: DigestCache? = .ofUser) throws(DataError) -> String {
    try digest.withLock { (digest) throws(DataError) in
      if let digest { return digest }
      let start = DigestCache.now
      let found: String
      if let known = cache?.digest(of: identity) {
        found = known
        try checkUnchanged()
      } else {
        found = try hash()
        try checkUnchanged()
        // A later change of the rights or links alone would leave a stale key, which is of no use.
        if FileIdentity(descriptor: descriptor) == identity {
          cache?.store(found, of: identity, takenAt: start)
        }
      }
      digest = found
      return found
    }
  }

  /// Checks that nobody has written to the file since it was opened. Replacing it by renaming is no writing.
  /// - Throws: `DataError` when somebody has.
  public func checkUnchanged() throws(DataError) {
    guard let now = FileIdentity(descriptor: descriptor), now.hasSameContent(as: identity) else {
      throw DataError(
        .malformed, file: path, expected: "a file that nobody writes to while it is in use",
        found: "one that was overwritten since it was opened")
    }
  }

  /// Read rather than mapped, so that the pages do not count against the process.
  private func hash() throws(DataError) -> String {
    var hash = SHA256()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.piece, alignment: 64)
    defer { buffer.deallocate() }
    var offset = 0
    while true {
      let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        throw DataError(
          .noInput, file: path, expected: "a readable file", found: String(cString: strerror(errno)))
      }
      if count == 0 { return SHA256.hexadecimal(hash.digest()) }
      hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      offset += count
    }
  }
}
