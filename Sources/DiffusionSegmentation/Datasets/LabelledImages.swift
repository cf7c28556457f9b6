import Base
import Foundation
import Images

/// A picture with a label for each of its pixels.
public struct LabelledImage: Sendable {
  /// Path of the picture, with the page of a file with several.
  public var path: String
  public var image: Image
  /// Labels of the picture, of its size.
  public var mask: LabelMask
  /// How large a pixel is in what was photographed, where the file says so.
  public var pixelSize: PixelSize?

  public init(path: String, image: Image, mask: LabelMask, pixelSize: PixelSize? = nil) {
    precondition(
      image.width == mask.width && image.height == mask.height,
      "a mask of \(mask.width)×\(mask.height) for a picture of \(image.width)×\(image.height)")
    self.path = path
    self.image = image
    self.mask = mask
    self.pixelSize = pixelSize
  }
}

/// A folder of labelled pictures: in the layout of ddpm-segmentation, `x.png` or `x.jpg` beside `x.npy`, or
/// beside a picture of labels `x.mask.png` or `x.mask.tif`, in any depth of folders; or in another of `DatasetLayout`,
/// recognised by what lies there. Pages of a TIFF file are pictures of their own; their masks are an array
/// `[pages, height, width]` or as many pages.
///
/// Pictures are read when they are asked for.
public struct LabelledImages: Sendable {
  public let directory: String
  public let classes: ClassList
  /// Paths of the pictures, in order.
  public var imagePaths: [String] { pictures.map(\.path) }
  /// The pictures, and what results that belong to them are called.
  public let pictures: [PictureFile]
  /// How files become pictures; their masks must fit them as they are turned.
  public let reading: PictureReading
  /// How the labels are stored.
  public let layout: DatasetLayout
  /// Labels that have no picture: paths, or names of pictures in a COCO file.
  public let loneLabels: [String]
  /// Pictures that were left out because they have no labels.
  public let unlabelled: [String]
  /// Names of classes, where a COCO file lists them.
  let categories: [String]?
  private let ignoresUnknown: Bool
  private let colors: InexactColors?
  let sources: [LabelSource]
  let notices: Notices

  /// Number of pictures.
  public var count: Int { pictures.count }

  /// Finds the pictures of a folder and their masks.
  /// - Parameters:
  ///   - directory: path of the folder; folders inside it are searched too
  ///   - classes: what the labels of the masks mean
  ///   - labels: where the labels lie, if not beside the pictures: a folder with files of the same names, or a file of
  ///     COCO or CVAT
  ///   - ignoresUnknown: whether shapes whose names are no classes are left out with a notice rather than refused
  ///   - nearestColors: whether coloured pixels of masks are of the class whose colour is nearest, rather than refused when
  ///     it is none of the classes'; then JPEG files are masks too
  ///   - limit: take only the first of them
  ///   - reading: how files become pictures; masks must fit them as they are turned
  ///   - notices: told of files that are left out, of masks that are not used, and of whatever is peculiar about those
  ///     that are read
  /// - Throws: `DataError` when there is no such folder, no picture in it, or one without a mask; in other layouts than
  ///   that of ddpm-segmentation pictures without labels are left out with a notice.
  public init(
    directory: String, classes: ClassList, labels: String? = nil, ignoresUnknown: Bool = false,
    nearestColors: Bool = false, limit: Int? = nil, reading: PictureReading = PictureReading(),
    notices: Notices = Notices()
  ) throws(DataError) {
    if let limit, limit < 1 {
      throw DataError(.invalidArgument, file: "limit", expected: "at least 1", found: "\(limit)")
    }
    self.directory = directory
    self.classes = classes
    self.reading = reading
    self.notices = notices
    self.ignoresUnknown = ignoresUnknown
    colors = nearestColors ? InexactColors() : nil
    let listing = try DatasetListing(
      directory: directory, labels: labels, readsLossyMasks: nearestColors, notices: notices)
    guard !listing.pictures.isEmpty else {
      throw DataError(
        .noInput, file: directory, expected: "pictures (.png, .jpg, .jpeg, .tif, .tiff)", found: "none")
    }
    (layout, loneLabels, categories) = (listing.layout, listing.loneLabels, listing.categories)
    let limit = limit ?? listing.pictures.count
    var (found, sources, owners) = ([FoundPicture](), [LabelSource](), [String: String]())
    var unlabelled: [String] = []
    for (picture, source) in zip(listing.pictures, listing.sources) where found.count < limit {
      guard let source else {
        let error = Self.noLabels(picture, layout)
        if layout == .besidePictures { throw error }
        try notices.leaveOut(error)
        unlabelled.append(picture.path)
        continue
      }
      if !layout.isOneFile, let other = owners.updateValue(picture.path, forKey: source.path),
        other != picture.path
      {
        notices.add(
          .suspicious, file: picture.path, item: "mask",
          "is that of \((other as NSString).lastPathComponent) too; both pictures are used")
      }
      found.append(picture)
      sources.append(source)
    }
    guard !found.isEmpty else {
      throw DataError(.noInput, file: directory, expected: "pictures with labels", found: "none")
    }
    if limit == listing.pictures.count && !layout.isOneFile {
      for mask in listing.loneLabels {
        try notices.leaveOut(
          DataError(.noInput, file: mask, expected: "a picture beside the mask", found: "none"))
      }
    }
    if layout != .besidePictures {
      notices.add(.guessed, file: labels ?? directory, item: "labels", "read as \(layout.rawValue)")
    }
    (self.sources, self.unlabelled) = (sources, unlabelled)
    pictures = try PictureFiles.named(
      found.map { PictureFile(path: $0.path, page: $0.page, name: $0.name) }, notices: notices)
  }

  private static func noLabels(_ picture: FoundPicture, _ layout: DatasetLayout) -> DataError {
    let stem = ((picture.path as NSString).lastPathComponent as NSString).deletingPathExtension
    let expected =
      layout == .besidePictures
      ? "\(stem).npy, \(stem)\(FolderListing.maskSuffix) or \(stem).mask.tif beside it"
      : "labels (\(layout.rawValue))"
    return DataError(.noInput, file: picture.path, item: "mask", expected: expected, found: "none")
  }

  /// Pixels of the masks that were read so far whose colours are those of no class; nil where such are refused.
  public var inexactColors: InexactColors.Sum? { colors?.sum }

  /// Says how many pixels of all masks that were read so far have colours of no class, if there are any.
  public func reportInexactColors() {
    guard let sum = inexactColors, sum.pixels > 0 else { return }
    notices.add(
      .changed, file: directory,
      item:
        "\(sum.pixels) pixels of \(sum.masks) masks, up to \((10 * sum.largestDistance).rounded() / 10) away",
      "colours of no class in all, taken for the nearest")
  }

  /// Reads one picture and its mask.
  /// - Throws: `DataError` when a file is damaged, the sizes differ, or a label is no class.
  public func load(_ index: Int) throws(DataError) -> LabelledImage {
    let picture = pictures[index]
    let image = try picture.image(reading: reading, notices: notices)
    let source = sources[index]
    let mask = try source.mask(
      for: image, picture: picture, classes: classes, ignoresUnknown: ignoresUnknown, inexactColors: colors,
      notices: notices)
    guard mask.width == image.width && mask.height == image.height else {
      var found = "\(mask.width)×\(mask.height)"
      if mask.width == image.height && mask.height == image.width,
        try Image.orientation(ofFile: picture.path, page: picture.page ?? 0) > 4
      {
        found +=
          reading.orientation == .apply
          ? ", the size before it is turned as its EXIF orientation says (--ignore-orientation leaves it)"
          : ", the size after it is turned as its EXIF orientation says, which was to be ignored"
      }
      throw DataError(
        .malformed, file: source.path, item: "size",
        expected: "\(image.width)×\(image.height), that of \(picture.title)", found: found)
    }
    return LabelledImage(
      path: picture.title, image: image, mask: mask,
      pixelSize: try Image.pixelSize(ofFile: picture.path, page: picture.page ?? 0))
  }
}
