import Foundation

/// A file that is being written under a name of its own, and what remains of such files when their writers are killed.
///
/// The writer holds a lock (`flock`) on it, which ends with the writer however that ends. Process numbers would not do:
/// every container counts its own.
enum UnfinishedFile {
  /// `.dseg-<machine>-<number>.tmp`: shorter than any file system's limit, whatever the file will be called.
  private static let prefix = ".dseg-"
  private static let suffix = ".tmp"
  /// From then on a file whose writer cannot be asked is taken to be left over: a writer adds to it all the time.
  private static let oldAge: TimeInterval = 24 * 3600

  /// Makes one and locks it. Nil with `errno` when it cannot be made.
  static func create(in folder: String) -> (path: String, descriptor: Int32)? {
    for _ in 0..<100 {
      let number = String(UInt64.random(in: .min ... .max), radix: 16)
      let path = "\(folder)/\(prefix)\(MachineIdentity.current.kernel)-\(number)\(suffix)"
      let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if descriptor < 0 {
        if errno == EEXIST || errno == EINTR { continue }
        return nil
      }
      let isTaken = flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
      var status = stat()
      // Somebody who clears up may have come between the two; where there are no locks, age decides.
      if !isTaken && fstat(descriptor, &status) == 0 && status.st_nlink > 0 { return (path, descriptor) }
      close(descriptor)
    }
    errno = EEXIST
    return nil
  }

  /// Removes those whose writers run no more.
  static func removeLeftovers(in folder: String) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
      guard let machine = machine(of: name) else { continue }
      let path = "\(folder)/\(name)"
      let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
      guard descriptor >= 0 else { continue }
      defer { close(descriptor) }
      var status = stat()
      guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
      let isLocked = flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
      // A lock of another machine may not be seen through a network's file system.
      let age = Date().timeIntervalSince1970 - TimeInterval(modificationSeconds(status))
      let isDead = !isLocked && (machine == MachineIdentity.current.kernel || age > oldAge)
      if isDead { unlink(path) }
    }
  }

  /// The part of a name that tells the machine; nil for other files, and "" for those that version 0.1.0 made,
  /// `.<name>.<process>.<number>.tmp`.
  private static func machine(of name: String) -> String? {
    guard name.hasPrefix("."), name.hasSuffix(suffix) else { return nil }
    if name.hasPrefix(prefix) {
      let parts = name.dropFirst(prefix.count).dropLast(suffix.count).split(
        separator: "-", omittingEmptySubsequences: false)
      guard parts.count == 2, parts.allSatisfy({ UInt64($0, radix: 16) != nil }) else { return nil }
      return String(parts[0])
    }
    let parts = name.split(separator: ".")
    guard parts.count >= 4, UInt32(parts[parts.count - 2]) != nil, UInt32(parts[parts.count - 3]) != nil
    else { return nil }
    return ""
  }

  private static func modificationSeconds(_ status: stat) -> Int {
    #if canImport(Darwin)
      status.st_mtimespec.tv_sec
    #else
      status.st_mtim.tv_sec
    #endif
  }
}
