import Foundation

/// A file under construction: written beside its final place and renamed there when complete.
///
/// Until `commit` the old file, if any, is untouched; a writer that is dropped without `commit` (an
/// error, a cancelled run) removes what it wrote. A new file has the permissions that the umask leaves of
/// `rw-rw-rw-`; one that takes the place of another keeps that one's permissions and group, and its owner where the
/// system allows it. A symbolic link stays, and what it points to is replaced.
///
/// Pipes and character devices are written to as they are, from the first byte on: nothing can be taken back there. A
/// pipe must have a reader within five seconds.
public struct AtomicFile: ~Copyable {
  private enum Target {
    case renamed(temporary: String, final: String, over: OutputPlace.Existing?)
    case inPlace(isPipe: Bool)
  }
  /// As given, for messages.
  private let path: String
  private let target: Target
  private let descriptor: Int32
  private var isCommitted = false

  /// Creates the temporary file in the folder of the final one, or opens the pipe or device.
  /// - Throws: `DataError` of kind `.cannotCreate`.
  public init(path: String) throws(DataError) {
    // Everything that throws comes before anything of this is there to be dropped.
    let opened = try Self.opened(path)
    self.path = path
    (target, descriptor) = opened
  }

  private static func opened(_ path: String) throws(DataError) -> (Target, Int32) {
    let place = try OutputPlace(path)
    switch place.way {
    case .inPlace(let isPipe):
      return (.inPlace(isPipe: isPipe), try InPlaceOutput.open(place.path, isPipe: isPipe))
    case .renamed(let existing):
      guard let file = UnfinishedFile.create(in: OutputPlace.folder(of: place.path)) else {
        throw DataError(
          .cannotCreate, file: path, expected: "a place to write to", found: String(cString: strerror(errno)))
      }
      return (.renamed(temporary: file.path, final: place.path, over: existing), file.descriptor)
    }
  }

  /// Whether bytes can be written anywhere in the file, and not only at its end.
  package var isSeekable: Bool {
    if case .renamed = target { true } else { false }
  }

  /// Appends bytes.
  /// - Throws: `DataError` of kind `.writeFailed`.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(DataError) {
    try writeAll(bytes) { part, _ in
      if case .inPlace(isPipe: true) = target { return InPlaceOutput.write(descriptor, part) }
      return Foundation.write(descriptor, part.baseAddress, part.count)
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

  /// Writes over bytes that were written before; where the next ones are appended does not change.
  /// - Precondition: the file is seekable.
  /// - Throws: `DataError` of kind `.writeFailed`.
  package func overwrite(_ bytes: [UInt8], at offset: Int) throws(DataError) {
    precondition(isSeekable, "\(path) has no places to write to")
    let result = bytes.withUnsafeBytes { buffer in
      Result { () throws(DataError) in
        try writeAll(buffer) { part, done in
          pwrite(descriptor, part.baseAddress, part.count, off_t(offset + done))
        }
      }
    }
    try result.get()
  }

  private func writeAll(
    _ bytes: UnsafeRawBufferPointer, _ write: (_ part: UnsafeRawBufferPointer, _ done: Int) -> Int
  ) throws(DataError) {
    var done = 0
    while done < bytes.count {
      let count = write(UnsafeRawBufferPointer(rebasing: bytes[done...]), done)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw failure(.writeFailed) }
      done += count
    }
  }

  /// Flushes to the disk, gives the file its final name, and flushes the folder, so that the name outlives a crash too.
  /// - Throws: `DataError` of kind `.writeFailed` or `.cannotCreate`.
  public consuming func commit() throws(DataError) {
    // Pipes and most devices have nothing to flush.
    guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else { throw failure(.writeFailed) }
    guard case .renamed(let temporary, let final, let existing) = target else { return }
    if let existing { adopt(existing) }
    guard rename(temporary, final) == 0 else {
      // A file that is mounted by itself, as containers do it, can only be written in place.
      guard errno == EBUSY && existing != nil else { throw failure(.cannotCreate) }
      return try copy(to: final)
    }
    isCommitted = true
    let folder = open(OutputPlace.folder(of: final), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if folder >= 0 {
      // The file is complete and has its name; not every file system knows this for folders.
      _ = fsync(folder)
      close(folder)
    }
  }

  /// Owner first: a change of owner takes permissions away.
  private func adopt(_ existing: OutputPlace.Existing) {
    if fchown(descriptor, existing.owner, existing.group) != 0 {
      _ = fchown(descriptor, uid_t.max, existing.group)
    }
    _ = fchmod(descriptor, existing.permissions)
  }

  private func copy(to final: String) throws(DataError) {
    let output = open(final, O_WRONLY | O_TRUNC | O_CLOEXEC)
    guard output >= 0 else { throw failure(.cannotCreate) }
    defer { close(output) }
    try forEachPiece { (piece) throws(DataError) in
      try writeAll(piece) { part, _ in Foundation.write(output, part.baseAddress, part.count) }
    }
    guard fsync(output) == 0 else { throw failure(.writeFailed) }
  }

  /// Appends all that was written here to another file.
  /// - Precondition: this file is seekable.
  /// - Throws: `DataError` of kind `.writeFailed`.
  package func copy(to other: borrowing AtomicFile) throws(DataError) {
    try forEachPiece { (piece) throws(DataError) in try other.write(piece) }
  }

  private func forEachPiece(
    _ body: (UnsafeRawBufferPointer) throws(DataError) -> Void
  ) throws(DataError) {
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { piece.deallocate() }
    var position = 0
    while true {
      let count = pread(descriptor, piece.baseAddress, piece.count, off_t(position))
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw failure(.writeFailed) }
      if count == 0 { return }
      try body(UnsafeRawBufferPointer(rebasing: piece[..<count]))
      position += count
    }
  }

  private func failure(_ kind: DataError.Kind) -> DataError {
    DataError(kind, file: path, found: String(cString: strerror(errno)))
  }

  deinit {
    if case .renamed(let temporary, _, _) = target, !isCommitted { unlink(temporary) }
    close(descriptor)
  }

  /// Writes a whole file at once.
  /// - Throws: `DataError` of kind `.cannotCreate` or `.writeFailed`.
  public static func write(_ bytes: [UInt8], to path: String) throws(DataError) {
    let file = try AtomicFile(path: path)
    try file.write(bytes)
    try file.commit()
  }

  /// Removes files that programs left under construction when they were killed: those of this library's making whose
  /// writers run no more. A writer on this machine is asked by its lock, in any container; files of another machine, on
  /// a shared file system, are removed when nothing was added to them for a day.
  public static func removeLeftovers(in folder: String) {
    UnfinishedFile.removeLeftovers(in: folder)
  }
}

extension AtomicFile {
  /// Whether a path is a pipe or a device, which is written to as it is and whose name tells nothing of its contents.
  public static func writesInPlace(to path: String) -> Bool {
    if case .inPlace = (try? OutputPlace(path))?.way { true } else { false }
  }

  /// Checks that a file can be made there, and leaves nothing. A pipe is opened, and its reader waits until the
  /// descriptor that is returned is closed: opened and closed again, it would take what follows for the end.
  /// - Returns: the open pipe; nil for everything else
  /// - Throws: `DataError` of kind `.cannotCreate`.
  public static func check(_ path: String) throws(DataError) -> Int32? {
    let place = try OutputPlace(path)
    if case .inPlace(isPipe: true) = place.way { return try InPlaceOutput.open(place.path, isPipe: true) }
    // Dropped without a commit, it leaves nothing.
    _ = try AtomicFile(path: path)
    return nil
  }
}
