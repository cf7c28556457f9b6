import Foundation

/// A folder that lives as long as the object.
public final class TemporaryFolder: Sendable {
  private let url: URL

  public init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "dseg-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// The folder itself.
  public var path: String { url.path }

  /// A path inside it; nothing is created.
  public func path(_ name: String) -> String { url.appending(path: name).path }

  /// A folder inside it.
  public func folder(_ name: String) throws -> String {
    try FileManager.default.createDirectory(at: url.appending(path: name), withIntermediateDirectories: true)
    return path(name)
  }

  /// A file inside it.
  public func file(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
    try Data(bytes).write(to: url.appending(path: name))
    return path(name)
  }

  /// Names of everything inside, sorted.
  public func contents(_ name: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: name.isEmpty ? path : path(name)).sorted()
  }
}
