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
  /// Whether JPEG files may be masks.
  private let readsLossyMasks: Bool

  /// - Parameters:
  ///   - directory: folder of the pictures, or of the data set
  ///   - labels: a folder of labels, or a file of COCO or CVAT; nil to look for them
  ///   - readsLossyMasks: whether JPEG files may be masks, where there are no others
  /// - Throws: `DataError` when there is no such folder, a file of labels is damaged, or several could be meant.
  init(
    directory: String, labels: String?, readsLossyMasks: Bool = false, notices: Notices
  ) throws(DataError) {
    self.readsLossyMasks = readsLossyMasks
    if let labels {
      if Self.isFolder(labels) {
        // The folder that CVAT exports without pictures, "Segmentation mask 1.1".
        let inner = (labels as NSString).appendingPathComponent(PascalVOC.masks)
        try pair(directory, with: Self.isFolder(inner) ? inner : labels, notices: notices)
      } else {
        try readShared(labels, pictures: directory, notices: notices)
      }
      return
    }
    if PascalVOC.isLayout(directory) {
      func inside(_ name: String) -> String { (directory as NSString).appendingPathComponent(name) }
      try pair(inside(PascalVOC.pictures), with: inside(PascalVOC.masks), notices: notices)
      layout = .pascalVOC
      return
    }
    let listing = try FolderListing(directory, readsLossyMasks: readsLossyMasks, notices: notices)
    if listing.pictures.allSatisfy(\.masks.isEmpty), let file = try Self.sharedFile(in: directory) {
      try readShared(file, pictures: directory, notices: notices)
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
      sources.append(found.first.flatMap { LabelSource.isLossy($0) ? .mask($0) : LabelSource($0) })
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
    var (found, lossy) = ([String: [String]](), [String: String]())
    for path in Self.files(below: labels) {
      var stem = (path as NSString).deletingPathExtension
      if stem.lowercased().hasSuffix(".mask") { stem = String(stem.dropLast(5)) }
      let full = (labels as NSString).appendingPathComponent(path)
      if LabelSource(full) != nil {
        found[stem, default: []].append(full)
      } else if LabelSource.isLossy(full) {
        lossy[stem] = full
      }
    }
    var used = Set<String>()
    for picture in pictures {
      // Pages of a stack have their labels in one file.
      let name = picture.page == nil ? picture.name : (picture.name as NSString).deletingLastPathComponent
      // Labels may lie beside the pictures, and those are none of them.
      let candidates = (found[name] ?? []).filter { $0 != picture.path }
      used.insert(name)
      guard candidates.count <= 1 else {
        throw DataError(
          .malformed, file: picture.path, item: "labels", expected: "one file of labels for a picture",
          found: candidates.joined(separator: ", "))
      }
      if candidates.isEmpty, let path = lossy[name], path != picture.path {
        if !readsLossyMasks {
          try notices.leaveOut(
            DataError(
              .unsupported, file: path, expected: "labels in a PNG or TIFF file or an array",
              found: "a JPEG picture, whose compression changes labels: \(FolderListing.lossyHint)"))
        }
        sources.append(readsLossyMasks ? .mask(path) : nil)
        continue
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

  // MARK: A file for all pictures

  /// The names that COCO itself, CVAT, Label Studio and Roboflow give the file, in the folder or its `annotations`.
  private static func sharedFile(in directory: String) throws(DataError) -> String? {
    var found: [String] = []
    for folder in [directory, (directory as NSString).appendingPathComponent("annotations")] {
      for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
        let isNamed =
          [
            "annotations.json", "_annotations.coco.json", "result.json", "coco.json", "annotations.xml",
          ].contains(name)
          || name.hasPrefix("instances") && name.hasSuffix(".json")
        if isNamed { found.append((folder as NSString).appendingPathComponent(name)) }
      }
    }
    guard found.count <= 1 else {
      throw DataError(
        .invalidArgument, file: directory, item: "labels",
        expected: "one file of COCO or CVAT, or --labels to name it",
        found: found.sorted().joined(separator: ", "))
    }
    return found.first
  }

  private mutating func readShared(
    _ path: String, pictures directory: String, notices: Notices
  ) throws(DataError) {
    if (path as NSString).pathExtension.lowercased() == "xml" {
      let file = try CVATFile(contentsOf: path, notices: notices)
      (layout, categories) = (.cvat, file.categories)
      // Projects have a folder of pictures for each of their subsets.
      try find(file.pictures, "image", "name", file.subsets, path, directory, notices)
    } else {
      let file = try COCOFile(contentsOf: path, notices: notices)
      (layout, categories) = (.coco, file.categories)
      try find(file.pictures, "images", "file_name", nil, path, directory, notices)
    }
  }

  /// Finds the pictures that a file names.
  /// - Parameters:
  ///   - list: what the file's list of pictures is called, for messages
  ///   - key: what the name of a picture is called there
  ///   - subsets: for each picture a folder of `images` where it may lie
  private mutating func find(
    _ named: [AnnotatedPicture], _ list: String, _ key: String, _ subsets: [String?]?, _ path: String,
    _ directory: String, _ notices: Notices
  ) throws(DataError) {
    var seen = Set<String>()
    for (index, picture) in named.enumerated() {
      let item = "\(list)[\(index)].\(key)"
      _ = try PictureReference.path(picture.name, in: directory, file: path, item: item)
      let ofSubset = subsets?[index].map { "\($0)/\(picture.name)" }
      var places = [("", picture.name), ("images/", picture.name), ("data/", picture.name)]
      if let ofSubset { places.insert(("images/", ofSubset), at: 0) }
      var (found, name) = (String?.none, "")
      for (base, inner) in places where found == nil {
        let candidate = try PictureReference.path(base + inner, in: directory, file: path, item: item)
        if Self.isFile(candidate) { (found, name) = (candidate, inner) }
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
        FoundPicture(path: found, name: (name as NSString).deletingPathExtension, masks: []))
      sources.append(picture.shapes.isEmpty ? nil : .shapes(picture, file: path))
    }
  }
}
