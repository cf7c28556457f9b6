import DiffusionSegmentation
import Foundation

/// Keeps what a user made from being replaced by what a command writes.
enum OutputGuard {
  /// Checks that no output is an input, or another output, or a folder.
  /// - Throws: `DataError` naming the file.
  static func check(outputs: [String], inputs: [String?]) throws(DataError) {
    let protected = Set(inputs.compactMap { $0 }.map(resolved))
    var seen = Set<String>()
    for output in outputs {
      let place = resolved(output)
      if protected.contains(place) {
        throw DataError(
          .invalidArgument, file: "--output", expected: "a place where no input would be overwritten",
          found: output)
      }
      guard seen.insert(place).inserted else {
        throw DataError(
          .invalidArgument, file: output, item: "name", expected: "inputs whose results have different names",
          found: "two results of this name")
      }
      var isFolder: ObjCBool = false
      if FileManager.default.fileExists(atPath: output, isDirectory: &isFolder), isFolder.boolValue {
        throw DataError(.cannotCreate, file: output, expected: "a file's name", found: "a folder")
      }
    }
  }

  /// Checks before the work that a file can be made.
  /// - Throws: `DataError` of kind `.cannotCreate`.
  static func checkWritable(_ output: String) throws(DataError) {
    // Dropped without a commit, it leaves nothing.
    _ = try AtomicFile(path: output)
  }

  /// Pictures and the labels that may lie beside them.
  static func picturesAndMasks(_ paths: [String]) -> [String] {
    paths.flatMap { path in
      let stem = (path as NSString).deletingPathExtension
      return [path, "\(stem).npy", "\(stem).mask.png"]
    }
  }

  private static func resolved(_ path: String) -> String {
    // The file itself may not exist yet; its folder may be a link.
    let url = URL(fileURLWithPath: path).standardizedFileURL
    if FileManager.default.fileExists(atPath: url.path) { return url.resolvingSymlinksInPath().path }
    return url.deletingLastPathComponent().resolvingSymlinksInPath().appendingPathComponent(
      url.lastPathComponent
    ).path
  }
}
