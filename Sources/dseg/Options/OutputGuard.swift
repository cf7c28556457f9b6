import Base
import DiffusionSegmentation
import Foundation
import Images
import Synchronization

/// Keeps what a user made from being replaced by what a command writes, and finds out before the work what would stop
/// the writing after it.
enum OutputGuard {
  /// What a file is going to hold, which its ending must not contradict.
  enum Content: Sendable {
    /// A PNG, JPEG or TIFF picture, whichever the ending says.
    case picture
    /// A safetensors file, under any ending that does not promise another format.
    case tensors

    /// Endings that programs take for the format that they name.
    private static let others: Set<String> = [
      "bmp", "ckpt", "csv", "gif", "gz", "h5", "html", "jpeg", "jpg", "json", "mat", "npy", "npz", "onnx",
      "pdf",
      "pickle", "pkl", "png", "pt", "pth", "svg", "tar", "tif", "tiff", "txt", "webp", "zip",
    ]

    /// - Throws: `DataError` of kind `.invalidArgument` for an ending of another format.
    func checkEnding(of path: String) throws(DataError) {
      // The name of a pipe or device says nothing of what goes into it.
      if AtomicFile.writesInPlace(to: path) { return }
      switch self {
      case .picture: _ = try FileFormat(extensionOf: path)
      case .tensors:
        let ending = (path as NSString).pathExtension.lowercased()
        guard !Self.others.contains(ending) else {
          throw DataError(
            .invalidArgument, file: path, item: "extension",
            expected: "safetensors, which is what is written",
            found: ending)
        }
      }
    }
  }

  /// Checks that no output is an input, or another output, or a folder.
  /// - Throws: `DataError` naming the file.
  static func check(outputs: [String], inputs: [String?]) throws(DataError) {
    var places = PathResolver()
    let protected = Set(inputs.compactMap { $0 }.map { places.resolved($0) })
    var seen = Set<String>()
    for output in outputs {
      // Several results can go to /dev/null.
      if AtomicFile.writesInPlace(to: output) { continue }
      let place = places.resolved(output)
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

  /// Checks before the work that a file can be made, and clears away what killed commands left beside it. A pipe is kept
  /// open until the command ends, so that its reader does not take this look for all there is.
  /// - Throws: `DataError` of kind `.invalidArgument` for an ending of another format, or `.cannotCreate`.
  static func checkWritable(_ output: String, as content: Content) throws(DataError) {
    try content.checkEnding(of: output)
    if let pipe = try AtomicFile.check(output) { pipes.withLock { $0.append(pipe) } }
    AtomicFile.removeLeftovers(in: (output as NSString).deletingLastPathComponent)
    Terminal.giveWay(to: output)
  }

  private static let pipes = Mutex([Int32]())

  /// Pictures and the labels that may lie beside them.
  static func picturesAndMasks(_ paths: [String]) -> [String] {
    paths.flatMap { path in
      let stem = (path as NSString).deletingPathExtension
      return [path] + [".npy", ".mask.png", ".mask.tif", ".mask.tiff"].map { stem + $0 }
    }
  }
}

/// Brings paths to one form, links followed. Folders are looked up once: a prediction asks for ten files a picture.
private struct PathResolver {
  private var folders: [Substring: String] = [:]

  mutating func resolved(_ path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return resolved("./" + path) }
    let (folder, name) = (path[..<slash], path[path.utf8.index(after: slash)...])
    guard !["", ".", ".."].contains(name), !Self.isLink(path) else {
      let url = URL(fileURLWithPath: path).standardizedFileURL
      // A link to nothing is a file that is not there yet.
      if FileManager.default.fileExists(atPath: url.path) { return url.resolvingSymlinksInPath().path }
      return url.deletingLastPathComponent().resolvingSymlinksInPath().appendingPathComponent(
        url.lastPathComponent
      ).path
    }
    let place =
      folders[folder]
      ?? URL(fileURLWithPath: folder.isEmpty ? "/" : String(folder)).standardizedFileURL
      .resolvingSymlinksInPath().path
    folders[folder] = place
    return place == "/" ? "/\(name)" : "\(place)/\(name)"
  }

  private static func isLink(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }
}
