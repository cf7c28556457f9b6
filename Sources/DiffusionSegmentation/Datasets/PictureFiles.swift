import Base
import Foundation

/// A picture file and what results that belong to it are called.
public struct PictureFile: Sendable, Hashable {
  public var path: String
  /// Path without the ending, relative to the folder that it was found in; the file's own name for one that was named
  /// itself. Two pictures that differ in their endings alone keep them: `x.jpg` and `x.png`.
  public var name: String
}

/// The pictures of a folder, in the order of the reference.
public enum PictureFiles {
  /// All pictures below a folder that can be read, except masks (`*.mask.png`) and hidden files: folder by folder, names
  /// in lexicographic order (`_list_image_files_recursively` of guided-diffusion).
  /// - Parameters:
  ///   - directory: path of the folder; folders inside it are searched too
  ///   - notices: told of pictures of other formats, links to nothing and names that are not UTF-8
  /// - Throws: `DataError` of kind `.noInput` when there is no such folder or it has no pictures, or when something
  ///   would be left out and the notices are strict.
  public static func list(_ directory: String, notices: Notices = Notices()) throws(DataError) -> [String] {
    try found(directory, notices: notices).map(\.path)
  }

  static func found(_ directory: String, notices: Notices) throws(DataError) -> [FoundPicture] {
    let pictures = try FolderListing(directory, notices: notices).pictures
    guard !pictures.isEmpty else {
      throw DataError(.noInput, file: directory, expected: "pictures (.png, .jpg, .jpeg)", found: "none")
    }
    return pictures
  }

  /// Files and folders as a flat list of pictures: files as they are, folders by `list`.
  /// - Throws: `DataError` of kind `.noInput` when one does not exist or has no pictures; of kind `.invalidArgument` when
  ///   the results of two pictures would have the same name.
  public static func expand(
    _ paths: [String], notices: Notices = Notices()
  ) throws(DataError) -> [PictureFile] {
    var pictures: [PictureFile] = []
    for path in paths {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
        throw DataError(
          .noInput, file: path, expected: "a picture or a folder", found: "nothing of this name")
      }
      if isFolder.boolValue {
        pictures += try found(path, notices: notices).map { PictureFile(path: $0.path, name: $0.name) }
      } else {
        let file = (path as NSString).lastPathComponent as NSString
        pictures.append(PictureFile(path: path, name: file.deletingPathExtension))
      }
    }
    return try named(pictures, notices: notices)
  }

  /// Different names for all pictures: those that differ in their endings alone keep them.
  /// - Throws: `DataError` of kind `.invalidArgument` when names are the same all the same.
  static func named(_ pictures: [PictureFile], notices: Notices) throws(DataError) -> [PictureFile] {
    // Bytes, since Swift takes names in different Unicode forms for equal and file systems do not.
    func key(_ name: String) -> [UInt8] { Array(name.utf8) }
    let counts = Dictionary(grouping: pictures) { key($0.name) }
    var (result, owners) = ([PictureFile](), [[UInt8]: String]())
    for var picture in pictures {
      let alike = counts[key(picture.name)]!
      if alike.count > 1 {
        picture.name += "." + (picture.path as NSString).pathExtension
        notices.add(
          .changed, file: picture.path,
          "its results keep the ending in their names, since another picture has the same name")
      }
      if let other = owners.updateValue(picture.path, forKey: key(picture.name)) {
        throw DataError(
          .invalidArgument, file: picture.path, item: "name",
          expected: "pictures whose results have different names", found: "the same name as \(other)")
      }
      result.append(picture)
    }
    return result
  }
}
