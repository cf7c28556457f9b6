import Foundation

/// Keeps a folder for one process at a time, as long as this object lives: a second one is refused, rather than let the
/// two replace each other's files.
///
/// The folder gets a file, `.dseg.lock`, that says who it is. What counts is a lock on that file (`flock`), which ends
/// with the process however that ends: a file that a killed process left keeps nobody out. Where a file system has no
/// such locks, the file's text counts, and a process on another machine is taken to be running until the file is
/// removed.
public final class FolderLock: Sendable {
  public static let fileName = ".dseg.lock"
  private let path: String
  private let descriptor: Int32

  /// - Parameters:
  ///   - folder: exists already
  ///   - owner: what the refused one is told
  /// - Throws: `DataError` of kind `.cannotCreate` that names the process which has the folder, or says why there can be
  ///   no such file.
  public convenience init(folder: String, owner: String) throws(DataError) {
    try self.init(folder: folder, owner: owner) { flock($0, LOCK_EX | LOCK_NB) }
  }

  /// - Parameter lock: returns 0 or sets `errno`, as `flock` does
  package init(folder: String, owner: String, lock: (Int32) -> Int32) throws(DataError) {
    path = "\(folder)/\(Self.fileName)"
    while true {
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
      guard descriptor >= 0 else {
        throw DataError(
          .cannotCreate, file: path, expected: "a folder to write to", found: String(cString: strerror(errno))
        )
      }
      if lock(descriptor) != 0 {
        let cause = errno
        let note = Note(contentsOf: descriptor)
        if cause == EWOULDBLOCK || cause == EACCES || note?.mayRun == true {
          close(descriptor)
          throw Self.refusal(folder, note, isCertain: cause == EWOULDBLOCK || cause == EACCES)
        }
        if cause == EINTR {
          close(descriptor)
          continue
        }
      }
      var (opened, named) = (stat(), stat())
      // Whoever had it before may have removed the file between the two.
      guard fstat(descriptor, &opened) == 0, stat(path, &named) == 0, opened.st_ino == named.st_ino else {
        close(descriptor)
        continue
      }
      self.descriptor = descriptor
      Note(owner: owner).write(to: descriptor)
      return
    }
  }

  deinit {
    // Before the lock ends, so that nobody finds the name of a file that is about to go.
    unlink(path)
    close(descriptor)
  }

  private static func refusal(_ folder: String, _ note: Note?, isCertain: Bool) -> DataError {
    let advice = isCertain ? "" : "; if it runs no more, remove \(fileName) there"
    return DataError(
      .cannotCreate, file: folder, expected: "a folder that no other process writes to",
      found: (note?.text ?? "one that another process writes to") + advice)
  }
}

extension FolderLock {
  /// The text of the file.
  struct Note {
    var owner: String
    var process: pid_t
    var since: String
    var machine: MachineIdentity

    init(owner: String) {
      self.owner = owner.split(whereSeparator: \.isNewline).joined(separator: " ")
      process = getpid()
      since = Date().formatted(.iso8601)
      machine = .current
    }

    /// Nil when the file holds something else, or nothing yet.
    init?(contentsOf descriptor: Int32) {
      var bytes = [UInt8](repeating: 0, count: 4096)
      let count = pread(descriptor, &bytes, bytes.count, 0)
      let lines = String(decoding: bytes[..<max(0, count)], as: UTF8.self).split(
        separator: "\n", omittingEmptySubsequences: false)
      guard lines.count >= 6, let process = pid_t(lines[1]), process > 0 else { return nil }
      owner = String(lines[0])
      self.process = process
      since = String(lines[2])
      machine = MachineIdentity(
        kernel: String(lines[3]), namespace: String(lines[4]), host: String(lines[5]))
    }

    func write(to descriptor: Int32) {
      let lines = [owner, "\(process)", since, machine.kernel, machine.namespace, machine.host]
      let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
      // Only the message of a refusal suffers when it cannot be written.
      _ = ftruncate(descriptor, 0)
      _ = pwrite(descriptor, bytes, bytes.count, 0)
    }

    var text: String { "\(owner), process \(process) on \(machine.host), since \(since)" }

    /// Whether the process cannot be told to be gone.
    var mayRun: Bool {
      guard machine.kernel == MachineIdentity.current.kernel,
        machine.namespace == MachineIdentity.current.namespace
      else { return true }
      return kill(process, 0) == 0 || errno == EPERM
    }
  }
}
