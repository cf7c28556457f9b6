import Foundation

/// The bytes of a file, mapped read-only for as long as this object lives.
///
/// Pages are read when they are touched, so opening a large checkpoint costs nothing. Programs that
/// replace files by renaming (as this library does) leave a mapping intact.
public final class MappedFile: Sendable {
  /// The path as given.
  public let path: String
  /// The whole file; empty for an empty file. Valid while a variable holds this object: not those of a temporary one.
  public nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

  /// Maps a regular file.
  /// - Throws: `DataError` of kind `.noInput` when there is none, or it is a folder, or it cannot be read; of kind
  ///   `.unsupported` for pipes and devices, at once.
  public convenience init(path: String) throws(DataError) {
    let descriptor = try Self.open(path)
    defer { close(descriptor) }
    try self.init(path: path, descriptor: descriptor)
  }

  /// Opens a regular file for reading.
  /// - Throws: `DataError` as `init(path:)` does.
  package static func open(_ path: String) throws(DataError) -> Int32 {
    // Without waiting: a pipe that nobody writes to would be waited for for ever.
    let descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else {
      throw DataError(
        .noInput, file: path, expected: "a readable file", found: String(cString: strerror(errno)))
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      close(descriptor)
      throw DataError(.noInput, file: path, expected: "a readable file", found: "one without a status")
    }
    let found: String
    switch status.st_mode & S_IFMT {
    case S_IFREG: return descriptor
    case S_IFDIR:
      close(descriptor)
      throw DataError(.noInput, file: path, expected: "a file", found: "a folder")
    case S_IFIFO: found = "a pipe; write what comes through it to a file first"
    case S_IFSOCK: found = "a socket; write what comes through it to a file first"
    default: found = "a device"
    }
    close(descriptor)
    throw DataError(.unsupported, file: path, expected: "a regular file", found: found)
  }

  /// Maps a file that is open for reading, and stays open.
  /// - Throws: `DataError` of kind `.noInput`.
  package init(path: String, descriptor: Int32) throws(DataError) {
    self.path = path
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw DataError(.noInput, file: path, expected: "a readable file", found: "one without a status")
    }
    let size = Int(status.st_size)
    guard size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
      throw DataError(
        .noInput, file: path, expected: "a file that can be mapped", found: String(cString: strerror(errno)))
    }
    bytes = UnsafeRawBufferPointer(start: base, count: size)
  }

  /// Releases the memory behind some bytes until they are read again: what was read once and will not be
  /// needed soon need not count against the process.
  package func discard(_ range: UnsafeRawBufferPointer) {
    let page = UInt(sysconf(Int32(_SC_PAGESIZE)))
    guard let base = range.baseAddress else { return }
    let first = (UInt(bitPattern: base) + page - 1) / page * page
    let end = (UInt(bitPattern: base) + UInt(range.count)) / page * page
    if first < end { madvise(UnsafeMutableRawPointer(bitPattern: first), Int(end - first), MADV_DONTNEED) }
  }

  deinit {
    if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
  }
}
