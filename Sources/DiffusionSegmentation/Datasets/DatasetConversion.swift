import Annotations
import Base
import Checkpoints
import Foundation
import Images

/// Forms that labels are written in.
public enum LabelFormat: String, Sendable, Hashable, CaseIterable {
  /// Arrays `[height, width]`, uint8.
  case npy
  /// Indexed pictures.
  case png
  /// One JSON file of COCO for all pictures.
  case coco
  /// A JSON file a picture.
  case labelme
  /// A GeoJSON file a picture, as QuPath reads it.
  case geojson
  /// `JPEGImages` and `SegmentationClass`.
  case voc
}

extension LabelledImages {
  /// Writes the data set in another form, with copies of the pictures, into a folder that is there as a whole or not at
  /// all: `images` and `annotations.json` for COCO, `JPEGImages` and `SegmentationClass` for Pascal VOC, and else the
  /// labels beside the pictures (`x.npy`, `x.mask.png`, `x.json`, `x.geojson`); with `classes.json`. Masks are written
  /// with class numbers, whatever the values were.
  ///
  /// Every page of a stack becomes a TIFF file of its own, `stack/p001.tif`, with the 8-bit samples that it is read as.
  /// - Parameters:
  ///   - format: of the labels
  ///   - target: path of the folder, which must not be there or be empty
  ///   - progress: the share that is done
  /// - Throws: `DataError` of kind `.cannotCreate` when the folder holds something; or as `load`.
  public func write(
    as format: LabelFormat, to target: String, progress: (Double) throws(DataError) -> Void = { _ in }
  ) throws(DataError) {
    let files = FileManager.default
    let there = (try? files.contentsOfDirectory(atPath: target)) ?? []
    guard there.isEmpty, !files.fileExists(atPath: target) || DatasetListing.isFolder(target) else {
      throw DataError(
        .cannotCreate, file: target, expected: "a folder that is new or empty", found: there.first ?? "a file"
      )
    }
    let partial = target + ".partial-\(UUID().uuidString)"
    defer { try? files.removeItem(atPath: partial) }
    func inside(_ name: String) -> String { (partial as NSString).appendingPathComponent(name) }
    func trying(_ path: String, _ work: () throws -> Void) throws(DataError) {
      do { try work() } catch {
        throw DataError(.cannotCreate, file: path, found: error.localizedDescription)
      }
    }
    let pictureFolder = format == .coco ? "images/" : format == .voc ? PascalVOC.pictures + "/" : ""
    var annotated: [AnnotatedPicture] = []
    let written = LabelWriter(
      classes: ClassList(
        names: classes.names, palette: classes.palette,
        ignoreLabel: classes.ignoreLabel, flipPairs: classes.flipPairs))
    for (index, picture) in pictures.enumerated() {
      try Cancellation.check()
      let loaded = try load(index)
      let file = picture.name + "." + (picture.page == nil ? (picture.path as NSString).pathExtension : "tif")
      let copy = inside(pictureFolder + file)
      try trying(copy) {
        try files.createDirectory(
          atPath: (copy as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        if picture.page == nil {
          try files.copyItem(atPath: (picture.path as NSString).resolvingSymlinksInPath, toPath: copy)
        }
      }
      if picture.page != nil { try writePage(loaded, of: picture, to: copy) }
      switch format {
      case .coco: annotated.append(try written.shapes(loaded.mask, name: file))
      case .voc:
        let mask = inside("\(PascalVOC.masks)/\(picture.name).png")
        try trying(mask) {
          try files.createDirectory(
            atPath: (mask as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        }
        try loaded.mask.write(to: mask, palette: PascalVOC.palette)
      default: try written.write(loaded.mask, as: format, stem: inside(picture.name), picture: file)
      }
      try progress(Double(index + 1) / Double(count))
    }
    if format == .coco { try written.writeCOCO(annotated, to: inside("annotations.json")) }
    try written.classes.write(to: inside("classes.json"))
    try trying(target) {
      if files.fileExists(atPath: target) { try files.removeItem(atPath: target) }
      try files.moveItem(atPath: partial, toPath: target)
    }
  }
}

extension LabelledImages {
  /// Writes a page as a picture of its own.
  private func writePage(_ page: LabelledImage, of picture: PictureFile, to path: String) throws(DataError) {
    let pixels = page.image.pixels
    let places = stride(from: 0, to: pixels.count, by: 3)
    let isGrey = places.allSatisfy { pixels[$0] == pixels[$0 + 1] && pixels[$0] == pixels[$0 + 2] }
    let samples: [UInt8] = isGrey ? places.map { pixels[$0] } : pixels
    var writer = try TIFFWriter(
      path: path, width: page.image.width, height: page.image.height, kind: isGrey ? .grey : .rgb,
      pixelSize: page.pixelSize)
    try writer.append(samples)
    try writer.finish()
    notices.add(
      .changed, file: picture.path, "its pages are written one by one, in 8 bits as they are read (--range)")
  }
}

/// Writes labels in the forms that other tools read.
public struct LabelWriter: Sendable {
  public let classes: ClassList
  private let labels: ShapeLabels

  public init(classes: ClassList) {
    self.classes = classes
    labels = ShapeLabels(names: classes.names, ignoreLabel: classes.ignoreLabel)
  }

  /// The areas of a mask.
  /// - Parameters:
  ///   - mask: the labels
  ///   - name: path of the picture, as the file is to have it
  ///   - ignoreName: the name of pixels to ignore
  /// - Returns: a shape for each connected area, see `AnnotatedPicture`
  /// - Throws: `DataError` for a label that is no class.
  public func shapes(
    _ mask: LabelMask, name: String, ignoreName: String = "__ignore__"
  ) throws(DataError) -> AnnotatedPicture {
    try AnnotatedPicture(mask, name: name, labels: labels, ignoreName: ignoreName)
  }

  /// Writes the labels of a picture: `<stem>.npy`, `<stem>.mask.png`, `<stem>.json` or `<stem>.geojson`.
  /// - Parameters:
  ///   - mask: the labels
  ///   - format: one that has a file a picture
  ///   - stem: path without the ending
  ///   - picture: path of the picture, whose last part the file names
  /// - Precondition: the format is none of COCO and Pascal VOC, which are folders.
  /// - Throws: `DataError` when the file cannot be written.
  public func write(
    _ mask: LabelMask, as format: LabelFormat, stem: String, picture: String
  ) throws(DataError) {
    let name = (picture as NSString).lastPathComponent
    switch format {
    case .npy:
      try NpyFile.write(NumericArray(mask.labels, shape: [mask.height, mask.width]), to: "\(stem).npy")
    case .png: try mask.write(to: "\(stem).mask.png", palette: classes.palette)
    case .labelme: try LabelMeFile(shapes(mask, name: name)).write(to: "\(stem).json")
    case .geojson:
      let colors = Dictionary(
        zip(classes.names, classes.palette.colors), uniquingKeysWith: { first, _ in first })
      try GeoJSONFile(shapes(mask, name: name, ignoreName: "Ignore*"), colors: colors).write(
        to: "\(stem).geojson")
    case .coco, .voc: preconditionFailure("\(format) has no file a picture")
    }
  }

  /// Writes pictures into one COCO file.
  /// - Throws: `DataError` when the file cannot be written.
  public func writeCOCO(_ pictures: [AnnotatedPicture], to path: String) throws(DataError) {
    let usesIgnored = pictures.contains { $0.shapes.contains { $0.className == "__ignore__" } }
    try COCOFile(categories: classes.names + (usesIgnored ? ["__ignore__"] : []), pictures: pictures)
      .write(to: path)
  }
}
