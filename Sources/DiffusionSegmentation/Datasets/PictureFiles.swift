import Foundation
import TensorCore

/// The pictures of a folder, in the order of the reference.
public enum PictureFiles {
  static let extensions: Set<String> = ["png", "jpg", "jpeg"]
  /// Ending of masks that are pictures themselves; they are not listed.
  static let maskSuffix = ".mask.png"
  /// All `.png`, `.jpg` and `.jpeg` files below a folder, except `*.mask.png` and hidden ones: folder by folder,
  /// names in lexicographic order (`_list_image_files_recursively` of guided-diffusion).
  /// - Throws: `DataError` of kind `.noInput` when there is no such folder or it has no pictures.
  public static func list(_ directory: String) throws(DataError) -> [String] {
    var paths: [String] = []
    try collect(directory, into: &paths, above: [])
    guard !paths.isEmpty else {
      throw DataError(.noInput, file: directory, expected: "pictures (.png, .jpg, .jpeg)", found: "none")
    }
    return paths
  }

  /// Files and folders as a flat list of pictures: files as they are, folders by `list`.
  /// - Throws: `DataError` of kind `.noInput` when one does not exist or has no pictures.
  public static func expand(_ paths: [String]) throws(DataError) -> [String] {
    var pictures: [String] = []
    for path in paths {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
        throw DataError(
          .noInput, file: path, expected: "a picture or a folder", found: "nothing of this name")
      }
      pictures += isFolder.boolValue ? try list(path) : [path]
    }
    return pictures
  }

  private static func collect(_ directory: String, into paths: inout [String], above: [String])
    throws(DataError)
  {
    // A link to a folder above would go round for ever.
    let place = URL(fileURLWithPath: directory).resolvingSymlinksInPath().path
    guard !above.contains(place) else {
      throw DataError(
        .noInput, file: directory, expected: "folders that do not contain themselves",
        found: "a link to \(place)")
    }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: directory)
    } catch {
      throw DataError(.noInput, file: directory, expected: "a readable folder", found: "none")
    }
    // UTF-8 bytes sort as code points do, and so as Python's strings.
    for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) where !name.hasPrefix(".") {
      let path = (directory as NSString).appendingPathComponent(name)
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { continue }
      if isFolder.boolValue {
        try collect(path, into: &paths, above: above + [place])
      } else if extensions.contains((name as NSString).pathExtension.lowercased()),
        !name.hasSuffix(maskSuffix)
      {
        paths.append(path)
      }
    }
  }
}
