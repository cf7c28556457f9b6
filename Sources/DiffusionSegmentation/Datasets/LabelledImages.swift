import Base
import Foundation
import Images

/// A picture with a label for each of its pixels.
public struct LabelledImage: Sendable {
  /// Path of the picture.
  public var path: String
  public var image: Image
  /// Labels of the picture, of its size.
  public var mask: LabelMask

  public init(path: String, image: Image, mask: LabelMask) {
    precondition(
      image.width == mask.width && image.height == mask.height,
      "a mask of \(mask.width)×\(mask.height) for a picture of \(image.width)×\(image.height)")
    self.path = path
    self.image = image
    self.mask = mask
  }
}

/// A folder of labelled pictures in the layout of ddpm-segmentation: `x.png` or `x.jpg` beside `x.npy`, or
/// beside a picture of labels `x.mask.png`, in any depth of folders.
///
/// Pictures are read when they are asked for.
public struct LabelledImages: Sendable {
  public let directory: String
  public let classes: ClassList
  /// Paths of the pictures, in order.
  public var imagePaths: [String] { pictures.map(\.path) }
  /// The pictures, and what results that belong to them are called.
  public let pictures: [PictureFile]
  /// Whether pictures are turned as their EXIF orientation says, which their masks must fit.
  public let orientation: OrientationHandling
  private let maskPaths: [String]
  private let notices: Notices

  /// Number of pictures.
  public var count: Int { pictures.count }

  /// Finds the pictures of a folder and their masks.
  /// - Parameters:
  ///   - directory: path of the folder; folders inside it are searched too
  ///   - classes: what the labels of the masks mean
  ///   - limit: take only the first of them
  ///   - orientation: whether pictures are turned as their EXIF orientation says, which their masks must fit
  ///   - notices: told of files that are left out, of masks that are not used, and of whatever is peculiar about those
  ///     that are read
  /// - Throws: `DataError` when there is no such folder, no picture in it, or one without a mask.
  public init(
    directory: String, classes: ClassList, limit: Int? = nil, orientation: OrientationHandling = .apply,
    notices: Notices = Notices()
  ) throws(DataError) {
    if let limit, limit < 1 {
      throw DataError(.invalidArgument, file: "limit", expected: "at least 1", found: "\(limit)")
    }
    self.directory = directory
    self.classes = classes
    self.orientation = orientation
    self.notices = notices
    let listing = try FolderListing(directory, notices: notices)
    guard !listing.pictures.isEmpty else {
      throw DataError(.noInput, file: directory, expected: "pictures (.png, .jpg, .jpeg)", found: "none")
    }
    let found = Array(listing.pictures.prefix(limit ?? listing.pictures.count))
    var (maskPaths, owners) = ([String](), [String: String]())
    for picture in found {
      guard let mask = picture.masks.first else {
        let stem = (picture.name as NSString).lastPathComponent
        throw DataError(
          .noInput, file: picture.path, item: "mask",
          expected: "\(stem).npy or \(stem)\(FolderListing.maskSuffix) beside it", found: "neither")
      }
      for other in picture.masks.dropFirst() {
        try notices.leaveOut(
          DataError(
            .malformed, file: other, expected: "one mask for a picture", found: "another that is used instead"
          ))
      }
      if let other = owners.updateValue(picture.path, forKey: mask) {
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
      found.map { PictureFile(path: $0.path, name: $0.name) }, notices: notices)
  }

  /// Reads one picture and its mask.
  /// - Throws: `DataError` when a file is damaged, the sizes differ, or a label is no class.
  public func load(_ index: Int) throws(DataError) -> LabelledImage {
    let path = pictures[index].path
    let image = try Image(contentsOf: path, orientation: orientation, notices: notices)
    let mask = try LabelMask(contentsOf: maskPaths[index], classes: classes, notices: notices)
    guard mask.width == image.width && mask.height == image.height else {
      var found = "\(mask.width)×\(mask.height)"
      if mask.width == image.height && mask.height == image.width,
        try Image.orientation(ofFile: path) > 4
      {
        found +=
          orientation == .apply
          ? ", the size before it is turned as its EXIF orientation says (--ignore-orientation leaves it)"
          : ", the size after it is turned as its EXIF orientation says, which was to be ignored"
      }
      throw DataError(
        .malformed, file: maskPaths[index], item: "size",
        expected: "\(image.width)×\(image.height), that of \(path)", found: found)
    }
    return LabelledImage(path: path, image: image, mask: mask)
  }
}
