import Base
import DiffusionSegmentation
import Foundation

/// The masks of files and folders, those that `dseg predict` wrote among them.
enum MaskFiles {
  /// Files of labels, the form that tells the size of a pixel before those that do not.
  private static let endings = ["png", "tif", "tiff", "npy"]
  /// What stands before the ending of pictures that lie beside masks and are none.
  private static let others = ["overlay", "uncertainty", "probabilities", "outlines"]

  /// Files as they are; of a folder one mask for each picture that `predictions.jsonl` lists, or for each name where there
  /// is no such list.
  /// - Throws: `DataError` when something does not exist or a folder has no masks, or as `PictureFiles.expand`.
  static func expand(_ paths: [String]) throws(DataError) -> [PictureFile] {
    var masks: [PictureFile] = []
    for path in paths {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
        masks += try PictureFiles.expand([path], notices: .ofThisRun)
        continue
      }
      let found = try PredictionLog.masks(in: path) ?? named(in: path)
      guard !found.isEmpty else {
        throw DataError(.noInput, file: path, expected: "masks (.png, .tif, .npy)", found: "none")
      }
      for mask in found {
        let file = (path as NSString).appendingPathComponent(mask.file)
        for page in try PictureFiles.expand([file], notices: .ofThisRun) {
          let suffix = page.page == nil ? "" : "/" + (page.name as NSString).lastPathComponent
          masks.append(PictureFile(path: file, page: page.page, name: mask.name + suffix))
        }
      }
    }
    return masks
  }

  /// One file for each name, in order.
  private static func named(in folder: String) -> [(name: String, file: String)] {
    var best: [String: String] = [:]
    for file in (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? [] {
      guard isMask(file) else { continue }
      let stem = (file as NSString).deletingPathExtension
      let name = stem.hasSuffix(".mask") ? String(stem.dropLast(5)) : stem
      best[name] = best[name].map { rank($0) <= rank(file) ? $0 : file } ?? file
    }
    return best.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { ($0.key, $0.value) }
  }

  /// The best of the files that were written for a picture.
  static func mask(of files: [String]) -> String? {
    files.filter(isMask).min { rank($0) < rank($1) }
  }

  private static func isMask(_ file: String) -> Bool {
    let path = file as NSString
    let kind = (path.deletingPathExtension as NSString).pathExtension
    return endings.contains(path.pathExtension.lowercased()) && !path.lastPathComponent.hasPrefix(".")
      && !others.contains(kind) && !kind.hasPrefix("probability")
  }

  private static func rank(_ file: String) -> Int {
    endings.firstIndex(of: (file as NSString).pathExtension.lowercased()) ?? endings.count
  }
}
