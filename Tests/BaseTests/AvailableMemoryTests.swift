import Foundation
import TestSupport
import Testing

@testable import Base

/// Limits as Linux and its containers tell them.
struct AvailableMemoryTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ files: [String: String]) throws {
    for (path, text) in files {
      _ = try folder.folder((path as NSString).deletingLastPathComponent)
      _ = try folder.file(path, text.utf8)
    }
  }

  @Test func theMachine() throws {
    try write(["proc/meminfo": "MemTotal:  8000 kB\nMemAvailable:   3000 kB\nSwapFree:  500 kB\n"])
    #expect(AvailableMemory.machine(root: folder.path)?.bytes == 3500 * 1024)
  }

  /// The tightest group on the way up counts; files in memory can be freed.
  @Test func secondVersionOfControlGroups() throws {
    try write([
      "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n",
      "sys/fs/cgroup/a/b/memory.current": "9\n",
      "sys/fs/cgroup/a/memory.max": "1000\n", "sys/fs/cgroup/a/memory.current": "700\n",
      "sys/fs/cgroup/a/memory.stat": "anon 600\ninactive_file 50\nactive_file 50\n",
      "sys/fs/cgroup/memory.max": "5000\n", "sys/fs/cgroup/memory.current": "100\n",
    ])
    #expect(AvailableMemory.controlGroups(root: folder.path)?.bytes == 350)
  }

  @Test func firstVersionOfControlGroups() throws {
    try write([
      "proc/self/cgroup": "5:cpu,memory:/x\n3:pids:/x\n",
      "sys/fs/cgroup/memory/x/memory.limit_in_bytes": "9223372036854771712\n",
      "sys/fs/cgroup/memory/x/memory.usage_in_bytes": "100\n",
      "sys/fs/cgroup/memory/memory.limit_in_bytes": "400\n",
      "sys/fs/cgroup/memory/memory.usage_in_bytes": "500\n",
    ])
    #expect(AvailableMemory.controlGroups(root: folder.path)?.bytes == 0)
  }

  @Test func noLimit() throws {
    try write(["proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"])
    #expect(AvailableMemory.controlGroups(root: folder.path) == nil)
    #expect(AvailableMemory.machine(root: folder.path) == nil)
  }

  @Test func whatDoesNotFitIsRefusedWithFigures() throws {
    let some = AvailableMemory(bytes: 2_000_000_000, limit: "the machine")
    try AvailableMemory.require(2e9, file: "x", some)
    try AvailableMemory.require(1e12, file: "x", nil)
    #expect { try AvailableMemory.require(2.5e9, file: "--batch", item: "pictures", some) } throws: { error in
      let text = "\(error)"
      return (error as? DataError)?.kind == .unsupported
        && text.contains("2.00 GB, which the machine leaves free")
        && text.contains("2.50 GB needed")
    }
    #if os(Linux)
      #expect(AvailableMemory.now.map { $0.bytes > 0 } == true)
    #endif
  }
}
