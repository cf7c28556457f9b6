import Foundation

/// Reads a named pipe to its end in a process of its own: a task that waits for a pipe would keep others from running.
public final class PipeReader {
  private let process = Process()
  private let copy: String

  public init(_ pipe: String) throws {
    copy = NSTemporaryDirectory() + "/dseg-pipe-\(UUID().uuidString)"
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "cat \"$0\" > \"$1\"", pipe, copy]
    try process.run()
  }

  /// All that came, once the writers are gone.
  public func data() throws -> Data {
    process.waitUntilExit()
    return try Data(contentsOf: URL(fileURLWithPath: copy))
  }

  deinit { try? FileManager.default.removeItem(atPath: copy) }
}
