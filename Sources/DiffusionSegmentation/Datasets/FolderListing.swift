import Base
import Foundation
import Images

/// A picture in a folder, and the label files that lie beside it.
struct FoundPicture {
  var path: String
  /// The page of a file with several, counted from 0; nil for a file of one picture.
  var page: Int?
  /// Path inside the folder that was listed, without the ending: `horses/12` of `photos/horses/12.jpg`;
  /// see `PictureFile.name` for pages.
  var name: String
  /// `x.npy` before `x.mask.png` before `x.mask.tif`; pages of a file have the same.
  var masks: [String]
}

/// What lies below a folder, in the order of the reference, with a notice for everything that looks like a picture and
/// is none.
struct FolderListing {
  private(set) var pictures: [FoundPicture] = []
  /// Label files without a picture.
  private(set) var loneMasks: [String] = []

  private let root: String
  private let readsLossyMasks: Bool
  private let notices: Notices

  /// Ending of masks that are pictures themselves.
  static let maskSuffix = ".mask.png"
  private static let tiffMaskSuffixes = [".mask.tif", ".mask.tiff"]
  private static let arraySuffix = ".npy"
  private static let lossyMaskSuffixes = [".mask.jpg", ".mask.jpeg"]
  /// What to do with masks in JPEG files.
  static let lossyHint = "--nearest-colors takes each pixel for the class of the nearest colour"

  /// All pictures below a folder but masks and hidden files: folder by folder, names in lexicographic order
  /// (`_list_image_files_recursively` of guided-diffusion).
  /// - Parameter readsLossyMasks: whether `x.mask.jpg` is a mask, after those of other endings
  /// - Throws: `DataError` of kind `.noInput` when there is no such folder, or the notices are strict and something has
  ///   to be left out.
  init(_ directory: String, readsLossyMasks: Bool = false, notices: Notices) throws(DataError) {
    (root, self.readsLossyMasks, self.notices) = (directory, readsLossyMasks, notices)
    try collect(directory, inside: "", above: [])
  }

  private mutating func collect(_ directory: String, inside: String, above: [String]) throws(DataError) {
    // A link to a folder above would go round for ever.
    let place = URL(fileURLWithPath: directory).resolvingSymlinksInPath().path
    guard !above.contains(place) else {
      throw DataError(
        .noInput, file: directory, expected: "folders that do not contain themselves",
        found: "a link to \(place)")
    }
    let names = try Self.names(in: directory, notices: notices)
    var masks: [String: [String]] = [:]
    for name in names { if let stem = maskStem(name) { masks[stem, default: []].append(name) } }
    var owners = Set<String>()
    for name in names where !name.hasPrefix(".") {
      let path = (directory as NSString).appendingPathComponent(name)
      switch try entry(path, name) {
      case .folder:
        try collect(path, inside: inside + name + "/", above: above + [place])
      case .picture:
        let stem = (name as NSString).deletingPathExtension
        owners.insert(stem)
        let beside = (masks[stem] ?? []).sorted { Self.rank($0) < Self.rank($1) }
        let paths = beside.map { (directory as NSString).appendingPathComponent($0) }
        pictures += PictureFile.pages(of: path, stem: inside + stem).map {
          FoundPicture(path: path, page: $0.page, name: $0.name, masks: paths)
        }
      case .nothing: break
      }
    }
    let lone = masks.filter { !owners.contains($0.key) }.flatMap(\.value).filter { !$0.hasPrefix(".") }
    loneMasks += lone.sorted().map { (directory as NSString).appendingPathComponent($0) }
  }

  private enum Entry {
    case folder, picture, nothing
  }

  /// What a name stands for. Pictures that cannot be used are left out with a notice.
  private func entry(_ path: String, _ name: String) throws(DataError) -> Entry {
    let ending = (name as NSString).pathExtension.lowercased()
    let isPicture = FileFormat.readableExtensions.contains(ending) && maskStem(name) == nil
    var status = stat()
    guard stat(path, &status) == 0 else {
      // A link to nothing: the picture, or the folder of pictures, is elsewhere or not there yet.
      if isPicture || ending.isEmpty || FileFormat.unreadExtensions.contains(ending) {
        try notices.leaveOut(
          DataError(.noInput, file: path, expected: "a picture", found: "a link to a file that is not there"))
      }
      return .nothing
    }
    if status.st_mode & S_IFMT == S_IFDIR { return .folder }
    if isMaskOfAnotherFormat(name, ending) {
      let isLossy = Self.lossyMaskSuffixes.contains { name.lowercased().hasSuffix($0) }
      try notices.leaveOut(
        DataError(
          .unsupported, file: path, expected: "labels in a PNG or TIFF file or an array",
          found: "another format, which may change them" + (isLossy ? ": \(Self.lossyHint)" : "")))
      return .nothing
    }
    if isPicture {
      guard status.st_mode & S_IFMT == S_IFREG else {
        try notices.leaveOut(
          DataError(.noInput, file: path, expected: "a regular file", found: "a pipe, socket or device"))
        return .nothing
      }
      return .picture
    }
    if FileFormat.unreadExtensions.contains(ending) {
      try notices.leaveOut(
        DataError(
          .unsupported, file: path, expected: "a PNG, JPEG or TIFF picture",
          found: "one of another format: convert it"))
    }
    return .nothing
  }

  /// The part of a mask's name before `.npy`, `.mask.png` or `.mask.tif`, in any case; nil for other files.
  private func maskStem(_ name: String) -> String? {
    let lower = name.lowercased()
    // Lower case can have other lengths than the name itself beyond ASCII; the endings have the same.
    let suffixes =
      [Self.arraySuffix, Self.maskSuffix] + Self.tiffMaskSuffixes
      + (readsLossyMasks ? Self.lossyMaskSuffixes : [])
    for suffix in suffixes where lower.hasSuffix(suffix) {
      return String(name.dropLast(suffix.count))
    }
    return nil
  }

  /// Whether a name is `x.mask.jpg` or the like: not a picture, though it could be read as one.
  private func isMaskOfAnotherFormat(_ name: String, _ ending: String) -> Bool {
    (FileFormat.readableExtensions.contains(ending) || FileFormat.unreadExtensions.contains(ending))
      && maskStem(name) == nil && name.dropLast(ending.count + 1).lowercased().hasSuffix(".mask")
  }

  /// Arrays before pictures, and before those whose compression changes labels.
  private static func rank(_ name: String) -> Int {
    let lower = name.lowercased()
    return lower.hasSuffix(arraySuffix) ? 0 : lossyMaskSuffixes.contains(where: lower.hasSuffix) ? 2 : 1
  }

  /// The names in a folder, sorted by their bytes, as Python sorts strings by code points.
  private static func names(in directory: String, notices: Notices) throws(DataError) -> [String] {
    // Foundation leaves names that are no text out without a word.
    guard let stream = opendir(directory) else {
      throw DataError(
        .noInput, file: directory, expected: "a readable folder", found: String(cString: strerror(errno)))
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if let name = String(validating: bytes, as: UTF8.self) {
        if name != "." && name != ".." { names.append(name) }
      } else {
        let shown = bytes.map { $0 >= 0x20 && $0 < 0x7F ? String(UnicodeScalar($0)) : "\\x" + hex($0) }
          .joined()
        try notices.leaveOut(
          DataError(
            .unsupported, file: (directory as NSString).appendingPathComponent(shown),
            expected: "a name in UTF-8", found: "another encoding: rename it"))
      }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private static func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}
