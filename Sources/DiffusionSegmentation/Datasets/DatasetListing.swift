import Annotations
import Base
import Foundation
import Images

/// The pictures of a data set and where the labels of each stand, recognised by what lies there.
struct DatasetListing {
  private(set) var layout = DatasetLayout.besidePictures
  private(set) var pictures: [FoundPicture] = []
  /// One a picture; nil for those without labels.
  private(set) var sources: [LabelSource?] = []
  /// Labels without a picture.
  private(set) var loneLabels: [String] = []
  /// Names of classes, where a file has a list of them.
  private(set) var categories: [String]?

  /// - Parameters:
  ///   - directory: folder of the pictures, or of the data set
  ///   - labels: a folder of labels, or a COCO file; nil to look for them
  /// - Throws: `DataError` when there is no such folder, a file of labels is damaged, or several could be meant.
  init(directory: String, labels: String?, notices: Notices) throws(DataError) {
    if let labels {
      if Self.isFolder(labels) {
        try pair(directory, with: labels, notices: notices)
      } else {
        try readCOCO(labels, pictures: directory, notices: notices)
      }
      return
    }
    if PascalVOC.isLayout(directory) {
      func inside(_ name: String) -> String { (directory as NSString).appendingPathComponent(name) }
      try pair(inside(PascalVOC.pictures), with: inside(PascalVOC.masks), notices: notices)
      layout = .pascalVOC
      return
    }
    let listing = try FolderListing(directory, notices: notices)
    if listing.pictures.allSatisfy(\.masks.isEmpty), let file = try Self.cocoFile(in: directory) {
      try readCOCO(file, pictures: directory, notices: notices)
      return
    }
    (pictures, loneLabels) = (listing.pictures, listing.loneMasks)
    for picture in pictures {
      let stem = (picture.path as NSString).deletingPathExtension
      let drawn = ["\(stem).geojson", "\(stem).json"].filter(Self.isFile)
      let found = picture.masks + drawn
      for other in found.dropFirst() where (picture.page ?? 0) == 0 {
        try notices.leaveOut(
          DataError(
            .malformed, file: other, expected: "one mask for a picture", found: "another that is used instead"
          ))
      }
      sources.append(found.first.flatMap { LabelSource($0) })
    }
    for source in sources {
      switch source {
      case .geoJSON: layout = .geoJSON
      case .labelMe where layout != .geoJSON: layout = .labelMe
      case .mask:
        layout = .besidePictures
        return
      default: break
      }
    }
  }

  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }

  private static func isFile(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path) && !isFolder(path)
  }

  // MARK: Two folders

  private mutating func pair(
    _ directory: String, with labels: String, notices: Notices
  ) throws(DataError) {
    layout = .twoFolders
    pictures = try FolderListing(directory, notices: notices).pictures
    var found: [String: [String]] = [:]
    for path in Self.files(below: labels) {
      var stem = (path as NSString).deletingPathExtension
      if stem.lowercased().hasSuffix(".mask") { stem = String(stem.dropLast(5)) }
      let full = (labels as NSString).appendingPathComponent(path)
      if LabelSource(full) != nil { found[stem, default: []].append(full) }
    }
    var used = Set<String>()
    for picture in pictures {
      // Pages of a stack have their labels in one file.
      let name = picture.page == nil ? picture.name : (picture.name as NSString).deletingLastPathComponent
      let candidates = found[name] ?? []
      used.insert(name)
      guard candidates.count <= 1 else {
        throw DataError(
          .malformed, file: picture.path, item: "labels", expected: "one file of labels for a picture",
          found: candidates.joined(separator: ", "))
      }
      sources.append(candidates.first.flatMap { LabelSource($0) })
    }
    loneLabels = found.filter { !used.contains($0.key) }.values.flatMap { $0 }.sorted()
  }

  /// Paths inside a folder, sorted by their bytes.
  private static func files(below folder: String) -> [String] {
    let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return names.filter { !($0 as NSString).lastPathComponent.hasPrefix(".") }
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  // MARK: COCO

  /// The names that COCO itself, CVAT, Label Studio and Roboflow give the file, in the folder or its `annotations`.
  private static func cocoFile(in directory: String) throws(DataError) -> String? {
    var found: [String] = []
    for folder in [directory, (directory as NSString).appendingPathComponent("annotations")] {
      for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
        let isNamed =
          ["annotations.json", "_annotations.coco.json", "result.json", "coco.json"].contains(name)
          || name.hasPrefix("instances") && name.hasSuffix(".json")
        if isNamed { found.append((folder as NSString).appendingPathComponent(name)) }
      }
    }
    guard found.count <= 1 else {
      throw DataError(
        .invalidArgument, file: directory, item: "labels", expected: "one COCO file, or --labels to name it",
        found: found.sorted().joined(separator: ", "))
    }
    return found.first
  }

  private mutating func readCOCO(
    _ path: String, pictures directory: String, notices: Notices
  ) throws(DataError) {
    layout = .coco
    let file = try COCOFile(contentsOf: path, notices: notices)
    categories = file.categories
    let bases = [directory] + ["images", "data"].map { (directory as NSString).appendingPathComponent($0) }
    var seen = Set<String>()
    for (index, picture) in file.pictures.enumerated() {
      let item = "images[\(index)].file_name"
      var found: String?
      for base in bases where found == nil {
        let candidate = try PictureReference.path(picture.name, in: base, file: path, item: item)
        if Self.isFile(candidate) { found = candidate }
      }
      guard let found else {
        try notices.leaveOut(
          DataError(
            .noInput, file: path, item: item, expected: "a picture in \(directory)", found: picture.name))
        loneLabels.append(picture.name)
        continue
      }
      guard seen.insert(found).inserted else {
        throw DataError(
          .malformed, file: path, item: item, expected: "each picture once", found: "\(picture.name) again")
      }
      pictures.append(
        FoundPicture(path: found, name: (picture.name as NSString).deletingPathExtension, masks: []))
      sources.append(picture.shapes.isEmpty ? nil : .shapes(picture, file: path))
    }
  }
}
