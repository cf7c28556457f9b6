import Base
import Foundation
import TestSupport
import Testing

/// What happens to what was there before, and what is left.
struct AtomicFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func status(_ path: String) -> stat {
    var status = stat()
    lstat(path, &status)
    return status
  }

  private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

  @Test func aFileIsCompleteOrNotThere() throws {
    let path = folder.path("a")
    do {
      let file = try AtomicFile(path: path)
      try file.write(Array("half".utf8))
    }
    #expect(try folder.contents().isEmpty)
    try AtomicFile.write(Array("whole".utf8), to: path)
    #expect(try folder.contents() == ["a"] && text(path) == "whole")
  }

  /// A relative or absolute link, a link to a link, and one to nothing.
  @Test(arguments: ["target", "middle", "absolute", "new"])
  func linksStayAndTheirTargetsChange(to destination: String) throws {
    let inner = try folder.folder("inner")
    _ = try folder.file("inner/target", Array("old".utf8))
    let manager = FileManager.default
    try manager.createSymbolicLink(atPath: "\(inner)/middle", withDestinationPath: "target")
    try manager.createSymbolicLink(atPath: "\(inner)/absolute", withDestinationPath: "\(inner)/target")
    try manager.createSymbolicLink(atPath: folder.path("link"), withDestinationPath: "inner/\(destination)")
    try AtomicFile.write(Array("new".utf8), to: folder.path("link"))
    #expect(status(folder.path("link")).st_mode & S_IFMT == S_IFLNK)
    #expect(try text("\(inner)/\(destination)") == "new")
    #expect(status("\(inner)/\(destination == "new" ? "new" : "target")").st_mode & S_IFMT == S_IFREG)
    #expect(try folder.contents() == ["inner", "link"])
  }

  @Test func linksThatGoRoundAreRefused() throws {
    try FileManager.default.createSymbolicLink(atPath: folder.path("a"), withDestinationPath: "b")
    try FileManager.default.createSymbolicLink(atPath: folder.path("b"), withDestinationPath: "a")
    #expect { try AtomicFile.write([1], to: folder.path("a")) } throws: {
      ($0 as? DataError)?.kind == .cannotCreate
    }
  }

  @Test func permissionsAreThoseBeforeOrTheUmasks() throws {
    let path = folder.path("a")
    try AtomicFile.write([1], to: path)
    // Of this process and its threads, so it is only looked at.
    let mask = umask(0)
    umask(mask)
    #expect(status(path).st_mode & 0o777 == 0o666 & ~mask)
    for permissions: mode_t in [0o600, 0o640, 0o755] {
      chmod(path, permissions)
      try AtomicFile.write([2], to: path)
      #expect(status(path).st_mode & 0o777 == permissions)
    }
  }

  @Test func ownersStayWhereTheyCan() throws {
    guard geteuid() == 0 else { return }
    let path = try folder.file("a", [1])
    chown(path, 1234, 2345)
    try AtomicFile.write([2], to: path)
    #expect(status(path).st_uid == 1234 && status(path).st_gid == 2345)
  }

  /// As long as a name can be.
  @Test(arguments: [254, 255])
  func longNames(length: Int) throws {
    let name = String(repeating: "n", count: length - 4) + ".png"
    try AtomicFile.write([1], to: folder.path(name))
    #expect(try folder.contents() == [name])
  }

  @Test(arguments: ["", "folder", "folder/", "nowhere/a", "a\0b"])
  func placesThatCannotBe(path: String) throws {
    _ = try folder.folder("folder")
    #expect { try AtomicFile.write([1], to: path.isEmpty ? "" : "\(folder.path)/\(path)") } throws: {
      ($0 as? DataError)?.kind == .cannotCreate
    }
  }

  // MARK: Pipes and devices

  @Test func aPipeIsWrittenTo() throws {
    let pipe = folder.path("pipe")
    mkfifo(pipe, 0o600)
    let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let reader = try PipeReader(pipe)
    try AtomicFile.write(bytes, to: pipe)
    #expect(try reader.data() == Data(bytes))
    #expect(status(pipe).st_mode & S_IFMT == S_IFIFO)
    #expect(try folder.contents() == ["pipe"])
  }

  /// A reader that goes is an error and no signal that ends the program.
  @Test func aPipeWhoseReaderGoes() throws {
    let pipe = folder.path("pipe")
    mkfifo(pipe, 0o600)
    let reader = open(pipe, O_RDONLY | O_NONBLOCK)
    let file = try AtomicFile(path: pipe)
    try file.write([1])
    close(reader)
    #expect {
      let result = Result { () throws(DataError) in try AtomicFile.write([2], to: "/dev/null") }
      try result.get()
      try file.write([2])
    } throws: { ($0 as? DataError)?.kind == .writeFailed }
  }

  @Test func devicesStay() throws {
    try AtomicFile.write([1, 2, 3], to: "/dev/null")
    #expect(status("/dev/null").st_mode & S_IFMT == S_IFCHR)
    #expect(AtomicFile.writesInPlace(to: "/dev/null") && !AtomicFile.writesInPlace(to: folder.path("a")))
    if FileManager.default.fileExists(atPath: "/dev/full") {
      #expect { try AtomicFile.write([1], to: "/dev/full") } throws: {
        ($0 as? DataError)?.kind == .writeFailed
      }
    }
  }

  // MARK: Leftovers

  /// A file of this name as a killed writer leaves it, last written to some hours ago.
  private func leave(_ name: String, hours: Double = 0) throws {
    let path = try folder.file(name, [1])
    let date = Date() - hours * 3600
    try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path)
  }

  /// What this machine's writers left goes at once; what others left, which cannot be asked, when it is old.
  @Test func leftoversAreRecognised() throws {
    let here = MachineIdentity.current.kernel
    let other = here == "0badcafe" ? "0badcaff" : "0badcafe"
    let gone = [".dseg-\(here)-12.tmp", ".dseg-\(other)-12.tmp", ".a.png.4.12.tmp"]
    let kept = [
      ".dseg-\(other)-13.tmp", ".a.png.4.13.tmp", ".dseg-\(here).tmp", ".dseg-\(here)-xyz.tmp",
      "dseg-\(here)-1.tmp",
      ".a.png.x.12.tmp", ".hidden", "a.png",
    ]
    for name in gone { try leave(name, hours: 25) }
    for name in kept.prefix(2) { try leave(name, hours: 23) }
    for name in kept.dropFirst(2) { try leave(name, hours: 25) }
    try leave(".dseg-\(here)-14.tmp")
    AtomicFile.removeLeftovers(in: folder.path)
    #expect(try folder.contents() == kept.sorted())
  }

  /// Whoever writes holds a lock that other processes see, whatever their numbers are.
  @Test func filesUnderConstructionAreKept() throws {
    let file = try AtomicFile(path: folder.path("a"))
    try file.write([1])
    AtomicFile.removeLeftovers(in: folder.path)
    #expect(try folder.contents().count == 1)
    try file.commit()
    #expect(try folder.contents() == ["a"])
  }

  @Test func bytesCanBeWrittenOver() throws {
    let path = folder.path("a")
    let file = try AtomicFile(path: path)
    try file.write(Array("....ef".utf8))
    try file.overwrite(Array("abcd".utf8), at: 0)
    try file.write(Array("gh".utf8))
    try file.commit()
    #expect(try text(path) == "abcdefgh")
  }
}
