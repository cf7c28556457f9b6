import Base
import Checkpoints
import Foundation
import TestSupport
import Testing

@Suite("Digests of what was opened")
struct OpenedFileTests {
  let folder: TemporaryFolder
  static let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

  init() throws { folder = try TemporaryFolder() }

  @Test("a file that took its place, or its end, changes nothing")
  func replaced() throws {
    let path = try folder.file("x", Array("abc".utf8))
    let opened = try OpenedFile(path: path)
    try AtomicFile.write(Array("other".utf8), to: path)
    try opened.checkUnchanged()
    #expect(try opened.sha256(cache: nil) == Self.abc)
    let again = try OpenedFile(path: try folder.file("y", Array("abc".utf8)))
    try FileManager.default.removeItem(atPath: folder.path("y"))
    #expect(try again.sha256(cache: nil) == Self.abc)
  }

  @Test("a file that was written to in place is noticed")
  func overwritten() throws {
    let path = try folder.file("x", Array("abc".utf8))
    let (before, after) = (try OpenedFile(path: path), try OpenedFile(path: path))
    #expect(try before.sha256(cache: nil) == Self.abc)
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try handle.write(contentsOf: Data("other".utf8))
    try handle.close()
    expectRefusal(.malformed, mentions: path, "overwritten") { try before.checkUnchanged() }
    expectRefusal(.malformed, mentions: path, "overwritten") { _ = try after.sha256(cache: nil) }
    // Of what it was, the first one knows.
    #expect(try before.sha256(cache: nil) == Self.abc)
  }

  // MARK: Remembering

  func identity(size: Int64 = 3, modified: Int64 = 5, inode: UInt64 = 1) -> FileIdentity {
    FileIdentity(device: 1, inode: inode, size: size, modified: modified, changed: 7)
  }
  let second: Int64 = 1_000_000_000

  @Test("a digest is found again until anything of the file's identity is another")
  func remembered() {
    let cache = DigestCache(path: folder.path("deeper/digests"), smallestFile: 1)
    cache.store(Self.abc, of: identity(), takenAt: 10 * second)
    cache.store(String(repeating: "0", count: 64), of: identity(inode: 2), takenAt: 10 * second)
    #expect(DigestCache(path: cache.path, smallestFile: 1).digest(of: identity()) == Self.abc)
    #expect(cache.digest(of: identity(inode: 2)) == String(repeating: "0", count: 64))
    #expect(cache.digest(of: identity(size: 4)) == nil && cache.digest(of: identity(modified: 6)) == nil)
    // The newer one of the same file takes the place of the older.
    cache.store(String(repeating: "1", count: 64), of: identity(modified: 6), takenAt: 10 * second)
    #expect(cache.digest(of: identity()) == nil && cache.digest(of: identity(modified: 6)) != nil)
  }

  @Test("what has just changed, or will have, is not remembered", arguments: [0, 1, -1] as [Int64])
  func settling(seconds: Int64) {
    let cache = DigestCache(path: folder.path("digests"), smallestFile: 1)
    let time = 100 * second
    cache.store(Self.abc, of: identity(modified: time - seconds * second), takenAt: time)
    #expect(cache.digest(of: identity(modified: time - seconds * second)) == nil)
  }

  @Test("a cache that is damaged or cannot be written costs time only")
  func damaged() throws {
    let path = folder.path("digests")
    let cache = DigestCache(path: path, smallestFile: 1)
    for bytes in [[UInt8](repeating: 0xFF, count: 100), Array("1 1 1 3 5 7 short\n1\n\n".utf8), []] {
      _ = try folder.file("digests", bytes)
      #expect(cache.digest(of: identity()) == nil)
      cache.store(Self.abc, of: identity(), takenAt: 10 * second)
      #expect(cache.digest(of: identity()) == Self.abc)
    }
    let blocked = DigestCache(path: "\(path)/digests", smallestFile: 1)
    blocked.store(Self.abc, of: identity(), takenAt: 10 * second)
    #expect(blocked.digest(of: identity()) == nil)
  }

  @Test("the cache answers instead of the file, and keeps what was hashed")
  func used() throws {
    let path = try folder.file("x", Array("abc".utf8))
    let old = Date(timeIntervalSinceNow: -100)
    try FileManager.default.setAttributes([.modificationDate: old], ofItemAtPath: path)
    let opened = try OpenedFile(path: path)
    let cache = DigestCache(path: folder.path("digests"), smallestFile: 1)
    cache.store(String(repeating: "2", count: 64), of: opened.identity, takenAt: .max)
    #expect(try opened.sha256(cache: cache) == String(repeating: "2", count: 64))
    // Its links changed a moment ago, so it is hashed and not kept.
    let fresh = DigestCache(path: folder.path("fresh"), smallestFile: 1)
    #expect(try OpenedFile(path: path).sha256(cache: fresh) == Self.abc)
    #expect(fresh.digest(of: opened.identity) == nil)
  }
}
