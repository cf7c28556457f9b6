import Annotations
import Base
import Images

extension LabelledImages {
  /// The classes that the labels of a folder have: those of a `labelmap.txt` in it or beside the labels, as CVAT exports
  /// it; else by name where the files have names, else as many as the largest label says. A background comes first, added where shapes are drawn and none is called so.
  /// - Parameters:
  ///   - directory: folder of the pictures, or of the data set
  ///   - labels: where the labels lie, if not there, see `init(directory:classes:labels:)`
  ///   - notices: told of what was made up
  /// - Returns: the classes
  /// - Throws: `DataError` when there is nothing, a file is damaged, or there are more than 255 classes.
  public static func classes(
    in directory: String, labels: String? = nil, notices: Notices = Notices()
  ) throws(DataError) -> ClassList {
    if let path = ClassList.labelMapPath(in: directory, labels: labels) {
      notices.add(.guessed, file: path, item: "classes", "names and colours of the classes are read there")
      return try ClassList(contentsOf: path)
    }
    let found = try LabelledImages(
      directory: directory, classes: ClassList(count: 255), labels: labels, notices: notices)
    var names = found.categories ?? []
    var (hasShapes, largest) = (found.categories != nil, 0)
    var known = Set(names)
    for (source, picture) in zip(found.sources, found.pictures) {
      if case .shapes = source { continue }
      if let shapes = try source.shapes(picture: picture.path, notices: notices) {
        hasShapes = true
        for shape in shapes.shapes where known.insert(shape.className).inserted {
          names.append(shape.className)
        }
      } else {
        let mask = try LabelMask(contentsOf: source.path, classes: found.classes, notices: notices)
        largest = max(largest, mask.histogram.prefix(255).lastIndex { $0 > 0 } ?? 0)
      }
    }
    guard hasShapes else { return ClassList(count: largest + 1) }
    names.removeAll { ShapeLabels.ignoreNames.contains($0) }
    let backgrounds = names.filter(ShapeLabels.isBackground)
    names = [backgrounds.first ?? "background"] + names.filter { !ShapeLabels.isBackground($0) }
    guard names.count <= 255 else {
      throw DataError(
        .unsupported, file: labels ?? directory, item: "classes", expected: "at most 255",
        found: "\(names.count)")
    }
    if backgrounds.isEmpty {
      notices.add(
        .guessed, file: labels ?? directory, item: "classes",
        "what lies in no shape is a class of its own, background")
    }
    return ClassList(names: names, palette: .distinct(count: names.count))
  }
}
