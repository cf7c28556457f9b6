import Annotations
import Base
import Foundation
import Images

/// Where the labels of a picture stand. Nothing is decoded or drawn before the mask is asked for.
enum LabelSource: Sendable {
  /// An array or a picture of labels.
  case mask(String)
  /// Shapes of a file for all pictures, COCO's or CVAT's, which was read already.
  case shapes(AnnotatedPicture, file: String)
  case labelMe(String)
  case geoJSON(String)

  /// The file.
  var path: String {
    switch self {
    case .mask(let path), .labelMe(let path), .geoJSON(let path): path
    case .shapes(_, let file): file
    }
  }

  /// What a file of labels is by its ending; nil for others.
  init?(_ path: String) {
    switch (path as NSString).pathExtension.lowercased() {
    case "json": self = .labelMe(path)
    case "geojson": self = .geoJSON(path)
    case "npy", "png", "tif", "tiff": self = .mask(path)
    default: return nil
    }
  }

  /// Whether a file is a picture whose compression changes labels.
  static func isLossy(_ path: String) -> Bool {
    ["jpg", "jpeg", "jpe", "jfif"].contains((path as NSString).pathExtension.lowercased())
  }

  /// The shapes; nil for masks.
  /// - Throws: `DataError` when the file is damaged.
  func shapes(picture: String, notices: Notices) throws(DataError) -> AnnotatedPicture? {
    switch self {
    case .mask: nil
    case .shapes(let picture, _): picture
    case .labelMe(let path): try LabelMeFile(contentsOf: path, notices: notices).picture
    case .geoJSON(let path): try GeoJSONFile(contentsOf: path, name: picture, notices: notices).picture
    }
  }

  /// - Throws: `DataError` when the file is damaged, or a label or name is no class; for shapes, of another size too; when
  ///   a file of labels does not have as many pages as its picture.
  func mask(
    for image: Image, picture: PictureFile, classes: ClassList, ignoresUnknown: Bool,
    inexactColors: InexactColors?, notices: Notices
  ) throws(DataError) -> LabelMask {
    guard let shapes = try shapes(picture: picture.path, notices: notices) else {
      try checkPages(of: picture)
      return try LabelMask(
        contentsOf: path, page: picture.page, classes: classes, inexactColors: inexactColors, notices: notices
      )
    }
    guard picture.page == nil else {
      throw DataError(
        .unsupported, file: path,
        expected: "an array or a TIFF file with a mask for each page of \(picture.path)",
        found: "shapes, which do not tell the page")
    }
    return try shapes.mask(
      ShapeLabels(names: classes.names, ignoreLabel: classes.ignoreLabel, ignoresUnknown: ignoresUnknown),
      width: image.width, height: image.height, file: path, notices: notices)
  }

  private func checkPages(of picture: PictureFile) throws(DataError) {
    guard picture.page != nil else { return }
    let pages = try PictureFile.pageCount(of: picture.path)
    let found = try LabelMask.pageCount(ofFile: path)
    guard found == pages else {
      throw DataError(
        .malformed, file: path, item: "pages", expected: "\(pages), as many as \(picture.path) has",
        found: "\(found)")
    }
  }
}

/// How the labels of a folder of pictures are stored.
public enum DatasetLayout: String, Sendable, Hashable, CaseIterable, Codable {
  /// `x.npy` or `x.mask.png` beside `x.jpg`, as ddpm-segmentation has it.
  case besidePictures = "masks beside the pictures"
  /// Files of the same names in another folder.
  case twoFolders = "two folders"
  /// One JSON file of COCO for all pictures; CVAT and Label Studio export it too.
  case coco = "COCO"
  /// One XML file for all pictures, which CVAT exports as "CVAT for images 1.1".
  case cvat = "CVAT for images"
  /// `JPEGImages` and `SegmentationClass`.
  case pascalVOC = "Pascal VOC"
  /// `x.json` beside `x.jpg`.
  case labelMe = "labelme"
  /// `x.geojson` beside `x.jpg`, as QuPath writes it.
  case geoJSON = "GeoJSON"

  /// Whether one file has the labels of all pictures.
  var isOneFile: Bool { self == .coco || self == .cvat }
}
