import Foundation

/// The bytes of a file, mapped read-only for as long as this object lives.
///
/// Pages are read when they are touched, so opening a large checkpoint costs nothing. Programs that
/// replace files by renaming (as this library does) leave a mapping intact.
public final class MappedFile: Sendable {
  /// The path as given.
  public let path: String
  /// The whole file. Empty for an empty file.
  public nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

  /// Maps a regular file.
  /// - Throws: `DataError` of kind `.noInput` when there is none, or it is a folder, or it cannot be read.
  public init(path: String) throws(DataError) {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw DataError(
        .noInput, file: path, expected: "a readable file", found: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw DataError(.noInput, file: path, expected: "a regular file", found: "a folder or a device")
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

  /// Lets go of the memory behind some bytes until they are read again: what was read once and will not be
  /// needed soon need not count against the process.
  func discard(_ range: UnsafeRawBufferPointer) {
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
