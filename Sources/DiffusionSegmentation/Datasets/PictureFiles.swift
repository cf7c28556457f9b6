import Base
import Foundation
import Images

/// A picture file and what results that belong to it are called.
public struct PictureFile: Sendable, Hashable {
  public var path: String
  /// The page of a file with several, counted from 0; nil for a file of one picture.
  public var page: Int?
  /// Path without the ending, relative to the folder that it was found in; the file's own name for one that was named
  /// itself. Two pictures that differ in their endings alone keep them: `x.jpg` and `x.png`. Pages of `stack.tif`
  /// are `stack/p001`, `stack/p002` and so on, with more digits where there are more pages.
  public var name: String

  /// - Parameters:
  ///   - path: the file
  ///   - page: of a file with several, counted from 0
  ///   - name: what results that belong to it are called, without an ending
  public init(path: String, page: Int? = nil, name: String) {
    (self.path, self.page, self.name) = (path, page, name)
  }

  /// For messages: the path, with the page, counted from 1, of a file with several.
  public var title: String { page.map { "\(path) (page \($0 + 1))" } ?? path }

  /// How many pictures a file holds: pages of a TIFF file without thumbnails, else 1.
  /// - Throws: `DataError` when there is no such file, it is no picture, or the list of its pages is damaged.
  public static func pageCount(of path: String) throws(DataError) -> Int {
    try Image.pageCount(ofFile: path)
  }

  /// Reads the picture.
  /// - Parameters:
  ///   - reading: how samples become red, green and blue, and whether the picture is turned as its file says
  ///   - notices: of what was changed, left out or guessed
  /// - Throws: `DataError` as `Image.init(contentsOf:page:reading:notices:)`.
  public func image(
    reading: PictureReading = PictureReading(), notices: Notices = Notices()
  ) throws(DataError) -> Image {
    try Image(contentsOf: path, page: page, reading: reading, notices: notices)
  }

  /// The pictures of a file, each with the name of its results.
  /// - Parameter stem: the name of those of a file with one picture
  static func pages(of path: String, stem: String) -> [(page: Int?, name: String)] {
    let ending = (path as NSString).pathExtension.lowercased()
    // What is wrong with a file shows when it is read.
    guard FileFormat.stackExtensions.contains(ending), let count = try? Image.pageCount(ofFile: path),
      count > 1
    else { return [(nil, stem)] }
    let digits = max(3, "\(count)".count)
    return (0..<count).map { page in
      let number = "\(page + 1)"
      return (page, "\(stem)/p" + String(repeating: "0", count: digits - number.count) + number)
    }
  }
}

/// The pictures of a folder, in the order of the reference.
public enum PictureFiles {
  /// All pictures below a folder that can be read, except masks (`*.mask.png`, `*.mask.tif`) and hidden files: folder by folder, names
  /// in lexicographic order (`_list_image_files_recursively` of guided-diffusion).
  /// - Parameters:
  ///   - directory: path of the folder; folders inside it are searched too
  ///   - notices: told of pictures of other formats, links to nothing and names that are not UTF-8
  /// - Throws: `DataError` of kind `.noInput` when there is no such folder or it has no pictures, or when something
  ///   would be left out and the notices are strict.
  public static func list(_ directory: String, notices: Notices = Notices()) throws(DataError) -> [String] {
    try found(directory, notices: notices).filter { ($0.page ?? 0) == 0 }.map(\.path)
  }

  /// Those of `list`, pages of stacks one by one.
  static func pages(_ directory: String, notices: Notices) throws(DataError) -> [PictureFile] {
    try found(directory, notices: notices).map { PictureFile(path: $0.path, page: $0.page, name: $0.name) }
  }

  static func found(_ directory: String, notices: Notices) throws(DataError) -> [FoundPicture] {
    let pictures = try FolderListing(directory, notices: notices).pictures
    guard !pictures.isEmpty else {
      throw DataError(
        .noInput, file: directory, expected: "pictures (.png, .jpg, .jpeg, .tif, .tiff)", found: "none")
    }
    return pictures
  }

  /// Files and folders as a flat list of pictures: files as they are, folders by `list`, and every page of a TIFF file
  /// with several as a picture of its own.
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
        pictures += try pages(path, notices: notices)
      } else {
        let file = (path as NSString).lastPathComponent as NSString
        pictures += PictureFile.pages(of: path, stem: file.deletingPathExtension).map {
          PictureFile(path: path, page: $0.page, name: $0.name)
        }
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
