import Foundation

/// A file under construction: written beside its final place and renamed there when complete.
///
/// Until `commit` the old file, if any, is untouched; a writer that is dropped without `commit` (an
/// error, a cancelled run) removes what it wrote.
public struct AtomicFile: ~Copyable {
  private let path: String
  private let temporaryPath: String
  private let descriptor: Int32
  private var isCommitted = false

  /// Creates the temporary file in the folder of `path`.
  /// - Throws: `DataError` of kind `.cannotCreate`.
  public init(path: String) throws(DataError) {
    self.path = path
    let url = URL(fileURLWithPath: path)
    let unique = "\(getpid()).\(UInt32.random(in: .min ... .max))"
    temporaryPath =
      url.deletingLastPathComponent().appendingPathComponent(".\(url.lastPathComponent).\(unique).tmp").path
    descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw DataError(
        .cannotCreate, file: path, expected: "a place to write to", found: String(cString: strerror(errno)))
    }
  }

  /// Appends bytes.
  /// - Throws: `DataError` of kind `.writeFailed`.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(DataError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      #if canImport(Darwin)
        let count = Darwin.write(descriptor, part.baseAddress, part.count)
      #else
        let count = Glibc.write(descriptor, part.baseAddress, part.count)
      #endif
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        throw DataError(.writeFailed, file: path, found: String(cString: strerror(errno)))
      }
      rest = rest.dropFirst(count)
    }
  }

  /// Appends bytes.
  /// - Throws: `DataError` of kind `.writeFailed`.
  public func write(_ bytes: [UInt8]) throws(DataError) {
    // Typed throws do not pass through `withUnsafeBytes` of Array, which still rethrows `any Error`.
    let result = bytes.withUnsafeBytes { buffer in
      Result { () throws(DataError) in try write(buffer) }
    }
    try result.get()
  }

  /// Flushes to the disk and gives the file its final name.
  /// - Throws: `DataError` of kind `.writeFailed` or `.cannotCreate`.
  public consuming func commit() throws(DataError) {
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw DataError(.writeFailed, file: path, found: String(cString: strerror(errno)))
    }
    guard rename(temporaryPath, path) == 0 else {
      throw DataError(.cannotCreate, file: path, found: String(cString: strerror(errno)))
    }
    isCommitted = true
  }

  deinit {
    close(descriptor)
    if !isCommitted { unlink(temporaryPath) }
  }

  /// Writes a whole file at once.
  /// - Throws: `DataError` of kind `.cannotCreate` or `.writeFailed`.
  public static func write(_ bytes: [UInt8], to path: String) throws(DataError) {
    let file = try AtomicFile(path: path)
    try file.write(bytes)
    try file.commit()
  }

  /// Removes files that programs left under construction when they were killed: of this library's making, and of
  /// processes that run no more.
  public static func removeLeftovers(in folder: String) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
      // .<name>.<process>.<number>.tmp
      let parts = name.split(separator: ".")
      guard name.hasPrefix("."), parts.count >= 4, parts.last == "tmp", UInt32(parts[parts.count - 2]) != nil,
        let process = pid_t(parts[parts.count - 3]), process > 0, kill(process, 0) != 0, errno == ESRCH
      else { continue }
      unlink((folder as NSString).appendingPathComponent(name))
    }
  }
}
