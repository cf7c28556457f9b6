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

/// A folder of labelled pictures in the layout of ddpm-segmentation: `x.png` or `x.jpg` beside `x.npy`, or
/// beside a picture of labels `x.mask.png` or `x.mask.tif`, in any depth of folders. Pages of a TIFF file are pictures of
/// their own; their masks are an array `[pages, height, width]` or as many pages.
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
  private let maskPaths: [String]
  private let notices: Notices

  /// Number of pictures.
  public var count: Int { pictures.count }

  /// Finds the pictures of a folder and their masks.
  /// - Parameters:
  ///   - directory: path of the folder; folders inside it are searched too
  ///   - classes: what the labels of the masks mean
  ///   - limit: take only the first of them
  ///   - reading: how files become pictures; masks must fit them as they are turned
  ///   - notices: told of files that are left out, of masks that are not used, and of whatever is peculiar about those
  ///     that are read
  /// - Throws: `DataError` when there is no such folder, no picture in it, or one without a mask.
  public init(
    directory: String, classes: ClassList, limit: Int? = nil, reading: PictureReading = PictureReading(),
    notices: Notices = Notices()
  ) throws(DataError) {
    if let limit, limit < 1 {
      throw DataError(.invalidArgument, file: "limit", expected: "at least 1", found: "\(limit)")
    }
    self.directory = directory
    self.classes = classes
    self.reading = reading
    self.notices = notices
    let listing = try FolderListing(directory, notices: notices)
    guard !listing.pictures.isEmpty else {
      throw DataError(
        .noInput, file: directory, expected: "pictures (.png, .jpg, .jpeg, .tif, .tiff)", found: "none")
    }
    let found = Array(listing.pictures.prefix(limit ?? listing.pictures.count))
    var (maskPaths, owners) = ([String](), [String: String]())
    for picture in found {
      guard let mask = picture.masks.first else {
        let stem = ((picture.path as NSString).lastPathComponent as NSString).deletingPathExtension
        throw DataError(
          .noInput, file: picture.path, item: "mask",
          expected: "\(stem).npy, \(stem)\(FolderListing.maskSuffix) or \(stem).mask.tif beside it",
          found: "none")
      }
      for other in picture.masks.dropFirst() where (picture.page ?? 0) == 0 {
        try notices.leaveOut(
          DataError(
            .malformed, file: other, expected: "one mask for a picture", found: "another that is used instead"
          ))
      }
      if let other = owners.updateValue(picture.path, forKey: mask), other != picture.path {
        notices.add(
          .suspicious, file: picture.path, item: "mask",
          "is that of \((other as NSString).lastPathComponent) too; both pictures are used")
      }
      maskPaths.append(mask)
    }
    if limit == nil {
      for mask in listing.loneMasks {
        try notices.leaveOut(
          DataError(.noInput, file: mask, expected: "a picture beside the mask", found: "none"))
      }
    }
    self.maskPaths = maskPaths
    pictures = try PictureFiles.named(
      found.map { PictureFile(path: $0.path, page: $0.page, name: $0.name) }, notices: notices)
  }

  /// Reads one picture and its mask.
  /// - Throws: `DataError` when a file is damaged, the sizes differ, or a label is no class.
  public func load(_ index: Int) throws(DataError) -> LabelledImage {
    let picture = pictures[index]
    let image = try picture.image(reading: reading, notices: notices)
    if picture.page != nil {
      let pages = try PictureFile.pageCount(of: picture.path)
      let found = try LabelMask.pageCount(ofFile: maskPaths[index])
      guard found == pages else {
        throw DataError(
          .malformed, file: maskPaths[index], item: "pages",
          expected: "\(pages), as many as \(picture.path) has", found: "\(found)")
      }
    }
    let mask = try LabelMask(
      contentsOf: maskPaths[index], page: picture.page, classes: classes, notices: notices)
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
        .malformed, file: maskPaths[index], item: "size",
        expected: "\(image.width)×\(image.height), that of \(picture.title)", found: found)
    }
    return LabelledImage(
      path: picture.title, image: image, mask: mask,
      pixelSize: try Image.pixelSize(ofFile: picture.path, page: picture.page ?? 0))
  }
}
