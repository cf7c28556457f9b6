import Foundation

/// How much memory this process can still get, and what limits it.
public struct AvailableMemory: Sendable, Equatable {
  public var bytes: Int
  /// In words, such as "the machine" or "the limit of the container".
  public var limit: String

  public init(bytes: Int, limit: String) { (self.bytes, self.limit) = (bytes, limit) }

  /// What there is now: the least of what the machine has free or can free, what the control groups of a container
  /// leave, and what `ulimit -v` leaves. Nil where the system does not tell (anything but Linux).
  public static var now: AvailableMemory? {
    #if os(Linux)
      return [machine(), controlGroups(), addressSpace()].compactMap(\.self).min { $0.bytes < $1.bytes }
    #else
      return nil
    #endif
  }

  /// Checks that some work can be done before it begins.
  /// - Parameters:
  ///   - bytes: that it takes at least
  ///   - file: the file or the argument whose size asks for them
  ///   - item: what takes them
  ///   - available: what there is; asked for only when `bytes` is above 64 MiB
  /// - Throws: `DataError` of kind `.unsupported` with what is needed and what there is.
  public static func require(
    _ bytes: Double, file: String, item: String = "memory",
    _ available: @autoclosure () -> AvailableMemory? = MemoryBudget.available
  ) throws(DataError) {
    // Below that, looking takes longer than it is worth.
    guard bytes > Double(64 << 20), let available = available(), bytes > Double(available.bytes) else {
      return
    }
    throw DataError(
      .unsupported, file: file, item: item,
      expected: "at most \(gigabytes(Double(available.bytes))), which \(available.limit) leaves free",
      found: "at least \(gigabytes(bytes)) needed")
  }

  /// `1.25 GB`, in billions of bytes.
  public static func gigabytes(_ bytes: Double) -> String { String(format: "%.2f GB", bytes / 1e9) }
}

// MARK: Linux

extension AvailableMemory {
  /// `MemAvailable` of proc(5), and what can be swapped out for it.
  package static func machine(root: String = "") -> AvailableMemory? {
    guard let text = try? String(contentsOfFile: "\(root)/proc/meminfo", encoding: .utf8),
      let kilobytes = number(after: "MemAvailable:", in: text)
    else { return nil }
    let swap = number(after: "SwapFree:", in: text) ?? 0
    return AvailableMemory(bytes: (kilobytes + swap) * 1024, limit: "the machine")
  }

  /// The least that a group of this process or one above it leaves, of either version of control groups. What the group's
  /// files take in memory can be freed, and so does not count.
  package static func controlGroups(root: String = "") -> AvailableMemory? {
    guard let groups = try? String(contentsOfFile: "\(root)/proc/self/cgroup", encoding: .utf8) else {
      return nil
    }
    var least: Int?
    for line in groups.split(separator: "\n") {
      // hierarchy:controllers:path
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let isSecond = fields[0] == "0" && fields[1].isEmpty
      guard isSecond || fields[1].split(separator: ",").contains("memory") else { continue }
      let mount = "\(root)/sys/fs/cgroup" + (isSecond ? "" : "/memory")
      let names =
        isSecond ? ("memory.max", "memory.current") : ("memory.limit_in_bytes", "memory.usage_in_bytes")
      var path = String(fields[2])
      while true {
        if let left = left(in: mount + path, limit: names.0, usage: names.1) {
          least = min(least ?? left, left)
        }
        if path.isEmpty || path == "/" { break }
        path = (path as NSString).deletingLastPathComponent
      }
    }
    return least.map { AvailableMemory(bytes: $0, limit: "the limit of the container or control group") }
  }

  private static func left(in group: String, limit: String, usage: String) -> Int? {
    func text(_ name: String) -> String? {
      (try? String(contentsOfFile: "\(group)/\(name)", encoding: .utf8))?
        .trimmingCharacters(in: .whitespacesAndNewlines)
    }
    // "max" is no number, and version 1 says so by one that no machine has.
    guard let most = text(limit).flatMap({ Int($0) }), most < 1 << 60,
      let used = text(usage).flatMap({ Int($0) })
    else { return nil }
    let files = text("memory.stat").flatMap { number(after: "inactive_file", in: $0) } ?? 0
    return max(0, most - max(0, used - files))
  }

  /// `ulimit -v` without what is in use.
  static func addressSpace(root: String = "") -> AvailableMemory? {
    var limits = rlimit()
    #if canImport(Glibc)
      guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limits) == 0 else { return nil }
    #else
      guard getrlimit(RLIMIT_AS, &limits) == 0 else { return nil }
    #endif
    guard limits.rlim_cur < 1 << 60,
      let text = try? String(contentsOfFile: "\(root)/proc/self/statm", encoding: .utf8),
      let pages = text.split(separator: " ").first.flatMap({ Int($0) })
    else { return nil }
    let used = pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    return AvailableMemory(bytes: max(0, Int(limits.rlim_cur) - used), limit: "ulimit -v")
  }

  private static func number(after key: String, in text: String) -> Int? {
    for line in text.split(separator: "\n") where line.hasPrefix(key) {
      return line.dropFirst(key.count).split(separator: " ").first.flatMap { Int($0) }
    }
    return nil
  }
}
