import Foundation

/// What writing to a path means: which file, and how.
///
/// A regular file, or one that does not exist yet, is written beside its place and renamed there. Links are followed
/// first, so that a link stays a link and its target is what changes. A pipe or a character device (`/dev/null`,
/// a terminal) is written to as it is, since renaming a file over it would remove it. Everything else is refused.
struct OutputPlace {
  enum Way: Equatable {
    case renamed(over: Existing?)
    case inPlace(isPipe: Bool)
  }

  /// What a file that is replaced hands on to the new one.
  struct Existing: Equatable {
    var permissions: mode_t
    var owner: uid_t
    var group: gid_t
  }

  /// Where the links lead.
  let path: String
  let way: Way

  /// - Throws: `DataError` of kind `.cannotCreate` for a folder, a socket, a disk, a file that is protected from being
  ///   written, or links that go round.
  init(_ path: String) throws(DataError) {
    func refuse(_ found: String) -> DataError {
      DataError(.cannotCreate, file: path, expected: "a file's name, a pipe or a device", found: found)
    }
    guard !path.isEmpty else { throw refuse("no name") }
    guard !path.utf8.contains(0), path.utf8.last != UInt8(ascii: "/") else { throw refuse("no file's name") }
    var status = stat()
    // Before links are followed by hand: those of /proc/self/fd lead to pipes that have no path.
    if stat(path, &status) == 0 {
      switch status.st_mode & S_IFMT {
      case S_IFREG: break
      case S_IFIFO, S_IFCHR:
        self.path = path
        way = .inPlace(isPipe: status.st_mode & S_IFMT == S_IFIFO)
        return
      case S_IFDIR: throw refuse("a folder")
      case S_IFBLK: throw refuse("a disk")
      default: throw refuse("a socket")
      }
    }
    self.path = try Self.followingLinks(path)
    guard lstat(self.path, &status) == 0 else {
      way = .renamed(over: nil)
      return
    }
    guard access(self.path, W_OK) == 0 else { throw refuse("a file that is protected from being written") }
    way = .renamed(
      over: Existing(permissions: status.st_mode & 0o777, owner: status.st_uid, group: status.st_gid))
  }

  /// The folder that a path lies in.
  static func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The end of a chain of links, which need not exist.
  private static func followingLinks(_ path: String) throws(DataError) -> String {
    var place = path
    // As many as Linux follows.
    for _ in 0...40 {
      var status = stat()
      guard lstat(place, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else { return place }
      var target = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
      guard readlink(place, &target, target.count - 1) > 0 else { break }
      let text = target.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
      place = text.hasPrefix("/") ? text : "\(folder(of: place))/\(text)"
    }
    throw DataError(
      .cannotCreate, file: path, expected: "a place to write to", found: "links that go round")
  }
}
