import Base
import Foundation

/// Digests of large files, remembered from run to run in a small text file.
///
/// A file is known again by device, inode, size and both of its times to the nanosecond. One that changed less than two
/// seconds before it was hashed is not remembered: where clocks are coarse it could change again without a trace (git's
/// "racy" entries; Git documentation, `racy-git`). A cache that cannot be read or written only costs time.
public struct DigestCache: Sendable {
  public let path: String
  /// Files below this are hashed each time.
  let smallestFile: Int64

  private static let mostEntries = 256
  private static let largestCache = 1 << 16
  private static let version = "1"
  /// In nanoseconds.
  private static let settlingTime: Int64 = 2_000_000_000

  public init(path: String, smallestFile: Int64 = 1 << 24) {
    self.path = path
    self.smallestFile = smallestFile
  }

  /// In the user's folder for caches: `$XDG_CACHE_HOME/dseg/digests`, or where the system has such a folder.
  /// Source: freedesktop.org, "XDG Base Directory Specification", 0.8.
  public static let ofUser: DigestCache? = {
    let environment = ProcessInfo.processInfo.environment
    var folder = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    #if canImport(Darwin)
      let usual = "Library/Caches"
    #else
      let usual = ".cache"
    #endif
    if folder == nil, let home = environment["HOME"], home.hasPrefix("/") { folder = "\(home)/\(usual)" }
    return folder.map { DigestCache(path: "\($0)/dseg/digests") }
  }()

  /// Nanoseconds since 1970.
  static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1e9) }

  /// The digest of a file that has not changed since; nil when there is none.
  public func digest(of identity: FileIdentity) -> String? {
    guard identity.size >= smallestFile else { return nil }
    let key = Self.key(of: identity)
    return entries().last { $0.key == key }?.digest
  }

  /// Remembers a digest, if the file is large and has been as it is for a while.
  /// - Parameters:
  ///   - digest: SHA-256 in 64 hexadecimal digits
  ///   - identity: device, inode, size and times of the file when it was opened
  ///   - time: when the hashing began, in nanoseconds since 1970
  public func store(_ digest: String, of identity: FileIdentity, takenAt time: Int64) {
    let last = max(identity.modified, identity.changed)
    guard identity.size >= smallestFile, last < time - Self.settlingTime else { return }
    let file = "\(Self.version) \(identity.device) \(identity.inode) "
    var kept = entries().filter { !$0.key.hasPrefix(file) }.suffix(Self.mostEntries - 1)
    kept.append((Self.key(of: identity), digest))
    let text = kept.map { "\($0.key) \($0.digest)\n" }.joined()
    let folder = (path as NSString).deletingLastPathComponent
    try? FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try? AtomicFile.write(Array(text.utf8), to: path)
  }

  private static func key(of identity: FileIdentity) -> String {
    "\(version) \(identity.device) \(identity.inode) \(identity.size) \(identity.modified) \(identity.changed)"
  }

  /// What can be read of the file, oldest first.
  private func entries() -> [(key: String, digest: String)] {
    guard let file = try? MappedFile(path: path), file.bytes.count <= Self.largestCache else { return [] }
    return String(decoding: file.bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
      guard let blank = line.lastIndex(of: " ") else { return nil }
      let (key, digest) = (line[..<blank], line[line.index(after: blank)...])
      guard key.hasPrefix("\(Self.version) "), digest.count == 64,
        digest.allSatisfy({ $0.isHexDigit && !$0.isUppercase })
      else { return nil }
      return (String(key), String(digest))
    }
  }
}
