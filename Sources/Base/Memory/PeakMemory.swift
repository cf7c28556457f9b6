import Foundation

/// The most memory that this process has had since the last `reset`, where the system tells (Linux). What was freed before
/// but not given back to the system counts, so that a small job after a large one looks larger than it is.
package enum PeakMemory {
  /// Forgets what was before.
  package static func reset() {
    #if os(Linux)
      // See proc(5): 5 sets the peak to what is in use now.
      guard let file = fopen("/proc/self/clear_refs", "w") else { return }
      fputs("5", file)
      fclose(file)
    #endif
  }

  /// Bytes of resident memory; nil where the system does not tell.
  package static var bytes: Int? {
    #if os(Linux)
      guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
        let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
        let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
      else { return nil }
      return kilobytes * 1024
    #else
      return nil
    #endif
  }
}
