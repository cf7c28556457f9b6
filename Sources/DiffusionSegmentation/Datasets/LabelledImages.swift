import Checkpoints
import Foundation
import Images
import TensorCore

/// A picture with a label for each of its pixels.
public struct LabelledImage: Sendable {
  /// Path of the picture.
  public var path: String
  public var image: Image
  /// Of the size of the picture.
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
/// beside an indexed or grey picture `x.mask.png`, in any depth of folders.
///
/// Pictures are read when they are asked for.
public struct LabelledImages: Sendable {
  public let directory: String
  public let classes: ClassList
  /// Paths of the pictures, in order.
  public let imagePaths: [String]
  private let maskPaths: [String]

  /// Number of pictures.
  public var count: Int { imagePaths.count }

  /// Finds the pictures of a folder and their masks.
  /// - Parameter limit: take only the first of them
  /// - Throws: `DataError` when there is no such folder, no picture in it, or one without a mask.
  public init(directory: String, classes: ClassList, limit: Int? = nil) throws(DataError) {
    if let limit, limit < 1 {
      throw DataError(.invalidArgument, file: "limit", expected: "at least 1", found: "\(limit)")
    }
    self.directory = directory
    self.classes = classes
    let all = try PictureFiles.list(directory)
    imagePaths = Array(all.prefix(limit ?? all.count))
    var maskPaths: [String] = []
    for path in imagePaths {
      let stem = (path as NSString).deletingPathExtension
      let candidates = ["\(stem).npy", stem + PictureFiles.maskSuffix]
      guard let mask = candidates.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
        let names = candidates.map { ($0 as NSString).lastPathComponent }.joined(separator: " or ")
        throw DataError(.noInput, file: path, item: "mask", expected: "\(names) beside it", found: "neither")
      }
      maskPaths.append(mask)
    }
    self.maskPaths = maskPaths
  }

  /// Reads one picture and its mask.
  /// - Throws: `DataError` when a file is damaged, the sizes differ, or a label is no class.
  public func load(_ index: Int) throws(DataError) -> LabelledImage {
    let image = try Image(contentsOf: imagePaths[index])
    let mask = try LabelMask.read(maskPaths[index])
    guard mask.width == image.width && mask.height == image.height else {
      throw DataError(
        .malformed, file: maskPaths[index], item: "size",
        expected: "\(image.width)×\(image.height), that of \(imagePaths[index])",
        found: "\(mask.width)×\(mask.height)")
    }
    if let position = mask.labels.firstIndex(where: { Int($0) >= classes.count && $0 != classes.ignoreLabel })
    {
      throw DataError(
        .malformed, file: maskPaths[index],
        item: "label at row \(position / mask.width), column \(position % mask.width)",
        expected: "a class from 0 to \(classes.count - 1), or \(classes.ignoreLabel) to ignore",
        found: "\(mask.labels[position])")
    }
    return LabelledImage(path: imagePaths[index], image: image, mask: mask)
  }
}

extension LabelMask {
  /// Reads a mask: `.npy` of `[height, width]` with whole numbers, wrapped to 8 bits as the reference does, or
  /// an indexed or grey PNG, whose sample values are the labels.
  /// - Throws: `DataError` when the file is damaged or has another shape.
  public static func read(_ path: String) throws(DataError) -> LabelMask {
    guard path.hasSuffix(".npy") else { return try LabelMask(contentsOf: path) }
    let array = try NpyFile(contentsOf: path).array
    guard array.shape.count == 2, array.shape[0] > 0, array.shape[1] > 0 else {
      throw DataError(
        .malformed, file: path, item: "shape", expected: "[height, width]", found: "\(array.shape)")
    }
    guard array.count <= Image.maximumPixelCount else {
      throw DataError(
        .unsupported, file: path, item: "shape", expected: "at most \(Image.maximumPixelCount) pixels",
        found: "\(array.shape)")
    }
    guard !array.elementType.isFloatingPoint else {
      throw DataError(
        .malformed, file: path, item: "dtype", expected: "whole numbers", found: "\(array.elementType)")
    }
    return LabelMask(width: array.shape[1], height: array.shape[0], labels: array.uint8s())
  }
}
