import Base
import Foundation
import TestSupport
import Testing

struct FolderLockTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func note(process: Int32, kernel: String? = nil, namespace: String? = nil) throws {
    let machine = MachineIdentity.current
    let lines = [
      "a test", "\(process)", "2026-01-01T00:00:00Z", kernel ?? machine.kernel,
      namespace ?? machine.namespace, "host",
    ]
    _ = try folder.file(FolderLock.fileName, (lines.joined(separator: "\n") + "\n").utf8)
  }

  /// As on a file system without locks.
  private func unsupported(_: Int32) -> Int32 {
    errno = ENOLCK
    return -1
  }

  @Test func oneAtATime() throws {
    do {
      let lock = try FolderLock(folder: folder.path, owner: "the first")
      #expect {
        _ = try FolderLock(folder: folder.path, owner: "the second")
      } throws: { error in
        let error = error as? DataError
        return error?.kind == .cannotCreate
          && error?.found.contains("the first, process \(getpid()) on ") == true
      }
      withExtendedLifetime(lock) {}
    }
    #expect(try folder.contents().isEmpty)
    _ = try FolderLock(folder: folder.path, owner: "the third")
  }

  /// What a killed process left keeps nobody out, even if another process has its number now.
  @Test func aFileWithoutALockIsTakenOver() throws {
    try note(process: getpid())
    _ = try FolderLock(folder: folder.path, owner: "the next")
    _ = try folder.file(FolderLock.fileName, [])
    _ = try FolderLock(folder: folder.path, owner: "the next")
    #expect(try folder.contents().isEmpty)
  }

  /// Without locks the text decides: of this machine by the process, of others and other containers always.
  @Test func withoutLocksTheTextDecides() throws {
    let dead = try finishedProcess()
    try note(process: dead)
    _ = try FolderLock(folder: folder.path, owner: "the next", lock: unsupported)
    for (process, kernel, namespace) in [
      (getpid(), nil, nil), (dead, "other", nil), (dead, nil, "other"),
    ] as [(Int32, String?, String?)] {
      try note(process: process, kernel: kernel, namespace: namespace)
      #expect {
        _ = try FolderLock(folder: folder.path, owner: "the next", lock: unsupported)
      } throws: { error in
        let found = (error as? DataError)?.found ?? ""
        return found.contains("a test, process \(process) on host") && found.contains(FolderLock.fileName)
      }
    }
  }

  @Test func foldersThatAreNotThere() throws {
    #expect { _ = try FolderLock(folder: folder.path("none"), owner: "a test") } throws: {
      ($0 as? DataError)?.kind == .cannotCreate
    }
  }
}
