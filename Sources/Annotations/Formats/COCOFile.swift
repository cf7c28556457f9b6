import Base
import Foundation

/// Labels of many pictures in the JSON of COCO (cocodataset.org, "Data format", object detection): polygons and run
/// lengths, as CVAT and Label Studio export it too.
public struct COCOFile: Sendable {
  /// Names of the categories, in the order of their ids.
  public var categories: [String]
  /// The pictures, in the order of the file. Shapes are drawn larger first, those of crowds before all others.
  public var pictures: [AnnotatedPicture]

  public init(categories: [String], pictures: [AnnotatedPicture]) {
    self.categories = categories
    self.pictures = pictures
  }

  /// Reads a file. Polygons and lengths are checked; nothing is drawn.
  /// - Parameters:
  ///   - path: the file
  ///   - notices: told of annotations without an area, which are boxes alone
  /// - Throws: `DataError` of kind `.malformed` naming the entry: ids that come twice or lead nowhere, sizes of pictures
  ///   that are none, polygons with an odd number of coordinates, run lengths that do not fit.
  public init(contentsOf path: String, notices: Notices = Notices()) throws(DataError) {
    let content = try decodeJSON(Content.self, contentsOf: path)
    func refuse(_ item: String, _ expected: String, _ found: String) -> DataError {
      DataError(.malformed, file: path, item: item, expected: expected, found: found)
    }
    var names: [Int: String] = [:]
    for (index, category) in content.categories.enumerated() {
      guard names.updateValue(category.name, forKey: category.id) == nil else {
        throw refuse("categories[\(index)].id", "each id once", "\(category.id) again")
      }
    }
    let ids = names.keys.sorted()
    categories = ids.map { names[$0]! }
    guard Set(categories).count == categories.count else {
      throw refuse("categories", "each name once", "a name twice")
    }
    var places: [Int: Int] = [:]
    pictures = []
    for (index, image) in content.images.enumerated() {
      guard places.updateValue(index, forKey: image.id) == nil else {
        throw refuse("images[\(index)].id", "each id once", "\(image.id) again")
      }
      _ = try checkedPixels(width: image.width, height: image.height, file: path, item: "images[\(index)]")
      pictures.append(
        AnnotatedPicture(name: image.fileName, width: image.width, height: image.height, shapes: []))
    }
    var (seen, found, boxes) = (Set<Int>(), [[Drawn]](repeating: [], count: pictures.count), 0)
    for (index, annotation) in content.annotations.enumerated() {
      let item = "annotations[\(index)]"
      if let id = annotation.id, !seen.insert(id).inserted {
        throw refuse("\(item).id", "each id once", "\(id) again")
      }
      guard let place = places[annotation.imageId] else {
        throw refuse("\(item).image_id", "the id of a picture", "\(annotation.imageId)")
      }
      guard let name = names[annotation.categoryId] else {
        throw refuse("\(item).category_id", "the id of a category", "\(annotation.categoryId)")
      }
      guard
        let geometry = try annotation.segmentation?.geometry(
          of: pictures[place], file: path, item: "\(item).segmentation")
      else {
        boxes += 1
        continue
      }
      found[place].append(
        Drawn(
          isCrowd: annotation.iscrowd == 1, area: geometry.area,
          shape: .init(className: name, geometry: geometry, item: item)))
    }
    for place in pictures.indices {
      let drawn = found[place]
      pictures[place].shapes = drawn.indices.sorted {
        (drawn[$0].rank, -drawn[$0].area, $0) < (drawn[$1].rank, -drawn[$1].area, $1)
      }.map { drawn[$0].shape }
    }
    if boxes > 0 { notices.add(.leftOut, file: path, "\(boxes) annotations without an area (boxes alone)") }
  }

  private struct Drawn {
    var isCrowd: Bool
    var area: Double
    var shape: AnnotatedPicture.Shape
    var rank: Int { isCrowd ? 0 : 1 }
  }

  /// Writes a file: an annotation a shape, polygons as such, and as compressed run lengths where they have holes, which
  /// COCO's polygons cannot have.
  /// - Throws: `DataError` of kind `.invalidArgument` for a picture without a size or a shape whose name is no category,
  ///   or when the file cannot be written.
  public func write(to path: String) throws(DataError) {
    var content = Content(
      images: [], annotations: [],
      categories: categories.enumerated().map { Content.Category(id: $0 + 1, name: $1) })
    for (index, picture) in pictures.enumerated() {
      guard let width = picture.width, let height = picture.height else {
        throw DataError(
          .invalidArgument, file: path, item: picture.name, expected: "a picture's size", found: "none")
      }
      content.images.append(
        .init(id: index + 1, fileName: picture.name, width: width, height: height))
      for shape in picture.shapes {
        guard let category = categories.firstIndex(of: shape.className) else {
          throw DataError(
            .invalidArgument, file: path, item: picture.name, expected: "a category", found: shape.className)
        }
        content.annotations.append(
          Content.Annotation(
            shape, id: content.annotations.count + 1, image: index + 1, category: category + 1, width: width,
            height: height))
      }
    }
    try writeJSON(content, to: path)
  }
}
