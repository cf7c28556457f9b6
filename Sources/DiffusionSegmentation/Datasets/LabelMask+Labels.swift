import Base
import Checkpoints
import Foundation
import Images

extension LabelMask {
  /// Reads the labels of a picture: an `.npy` file of `[height, width]`, or a PNG or TIFF file.
  ///
  /// Arrays may be of any type as long as their numbers are whole; -1 is taken for the label to ignore. PNG and TIFF files
  /// may be indexed or grey, whose sample values are the labels, or coloured in exactly the colours of the classes, or
  /// nearly so if wanted, and then in JPEG files too.
  /// - Parameters:
  ///   - path: the file
  ///   - page: which of the labels of several pages, counted from 0: an array `[pages, height, width]`, or pages of a TIFF
  ///     file; nil for a file of one
  ///   - classes: what the labels mean
  ///   - inexactColors: given, coloured pixels are of the class whose colour is nearest, and those of other colours are
  ///     counted; nil for exact colours alone. Classes with values in masks have no colours there
  ///   - notices: of what was guessed
  /// - Throws: `DataError` when the file is damaged or has another shape, or naming the pixel whose value is no class.
  public init(
    contentsOf path: String, page: Int? = nil, classes: ClassList, inexactColors: InexactColors? = nil,
    notices: Notices = Notices()
  ) throws(DataError) {
    if path.lowercased().hasSuffix(".npy") {
      self = try Self.array(path, page: page, classes: classes, notices: notices)
    } else {
      // Colours stand for classes, and so do values: not both.
      self = try LabelMask(
        contentsOf: path, page: page, palette: classes.maskValues == nil ? classes.palette : nil,
        inexactColors: inexactColors, notices: notices)
    }
    let table = classes.labelTable
    guard let position = labels.firstIndex(where: { table[Int($0)] == nil }) else {
      if classes.maskValues != nil {
        self.init(width: width, height: height, labels: labels.map { table[Int($0)]! })
      }
      return
    }
    throw Self.noClass(path, position, width: width, classes: classes, found: "\(labels[position])")
  }

  /// How many pages a file of labels has.
  static func pageCount(ofFile path: String) throws(DataError) -> Int {
    guard path.lowercased().hasSuffix(".npy") else { return try Image.pageCount(ofFile: path) }
    let shape = try NpyFile(contentsOf: path).array.shape
    return shape.count == 3 ? shape[0] : 1
  }

  private static func array(
    _ path: String, page: Int?, classes: ClassList, notices: Notices
  ) throws(DataError) -> LabelMask {
    let array = try NpyFile(contentsOf: path).array
    if let page { return try Self.page(page, of: array, path: path, classes: classes, notices: notices) }
    // Some programs write [height, width, 1] or [1, height, width].
    var shape = array.shape
    if shape.count == 3, shape.last == 1 { shape.removeLast() }
    if shape.count == 3, shape.first == 1 { shape.removeFirst() }
    guard shape.count == 2, shape[0] > 0, shape[1] > 0 else {
      throw DataError(
        .malformed, file: path, item: "shape", expected: "[height, width]", found: "\(array.shape)")
    }
    guard array.count <= Image.maximumPixelCount else {
      throw DataError(
        .unsupported, file: path, item: "shape", expected: "at most \(Image.maximumPixelCount) pixels",
        found: "\(array.shape)")
    }
    let (height, width) = (shape[0], shape[1])
    if array.elementType == .uint8 || array.elementType == .bool {
      return LabelMask(width: width, height: height, labels: array.uint8s())
    }
    return try Self.labels(
      array.doubles(), type: array.elementType, width: width, height: height, path: path, classes: classes,
      notices: notices)
  }

  /// A page of an array of several.
  private static func page(
    _ page: Int, of array: NumericArray, path: String, classes: ClassList, notices: Notices
  ) throws(DataError) -> LabelMask {
    let shape = array.shape
    guard shape.count == 3, page < shape[0], shape[1] > 0, shape[2] > 0,
      shape[1] * shape[2] <= Image.maximumPixelCount
    else {
      throw DataError(
        .malformed, file: path, item: "shape",
        expected: "[pages, height, width] of a picture with \(page + 1) or more pages", found: "\(shape)")
    }
    let (height, width) = (shape[1], shape[2])
    let values = array.doubles()[page * height * width..<(page + 1) * height * width]
    return try labels(
      Array(values), type: array.elementType, width: width, height: height, path: path, classes: classes,
      notices: notices)
  }

  private static func labels(
    _ values: [Double], type: ElementType, width: Int, height: Int, path: String, classes: ClassList,
    notices: Notices
  ) throws(DataError) -> LabelMask {
    // Doubles hold every number that may be a label, and keep apart all that may not.
    var labels = [UInt8](repeating: 0, count: values.count)
    var hasMinusOne = false
    for (position, value) in values.enumerated() {
      if let label = UInt8(exactly: value) {
        labels[position] = label
      } else if value == -1 {
        labels[position] = classes.ignoreLabel
        hasMinusOne = true
      } else {
        throw noClass(
          path, position, width: width, classes: classes, found: describe(value, type))
      }
    }
    if hasMinusOne {
      notices.add(.guessed, file: path, "-1 is taken for the label to ignore")
    }
    return LabelMask(width: width, height: height, labels: labels)
  }

  private static func describe(_ value: Double, _ type: ElementType) -> String {
    if let whole = Int64(exactly: value) { return "\(whole)" }
    return "\(value) (\(type))"
  }

  private static func noClass(
    _ path: String, _ position: Int, width: Int, classes: ClassList, found: String
  ) -> DataError {
    let ignored =
      Int(classes.ignoreLabel) < classes.count ? "" : ", or \(classes.ignoreLabel) to ignore"
    let expected =
      classes.maskValues.map { "one of the classes' values \($0.map { "\($0)" }.joined(separator: ", "))" }
      ?? "a class from 0 to \(classes.count - 1)"
    return DataError(
      .malformed, file: path, item: "label at row \(position / width), column \(position % width)",
      expected: expected + ignored, found: found)
  }
}

extension ClassList {
  /// The label for each value of a mask; nil for those that stand for nothing.
  fileprivate var labelTable: [UInt8?] {
    var table = [UInt8?](repeating: nil, count: 256)
    table[Int(ignoreLabel)] = ignoreLabel
    for label in 0..<count { table[Int(maskValues?[label] ?? UInt8(label))] = UInt8(label) }
    return table
  }
}
