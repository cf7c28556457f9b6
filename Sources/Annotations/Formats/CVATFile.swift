import Base

/// Labels of many pictures in the XML of CVAT (docs.cvat.ai, "XML annotation format"), exported as "CVAT for images 1.1".
public struct CVATFile: Sendable {
  /// Names of the labels that can have an area, in the order of the file; where it lists none, of those that shapes have.
  public private(set) var categories: [String] = []
  /// The pictures, in the order of the file. Shapes are drawn by their `z_order`, and of the same in the order of the
  /// file.
  public private(set) var pictures: [AnnotatedPicture] = []
  /// For each picture the subset of a project that it lies in, where there is one.
  public private(set) var subsets: [String?] = []

  /// Names of elements below an image, and how often they were left out.
  private var leftOut: [String: Int] = [:]

  /// Reads a file: polygons, boxes, ellipses and masks. An ellipse becomes a polygon of 128 corners. Nothing is drawn.
  /// - Parameters:
  ///   - path: the file
  ///   - notices: told of shapes without an area (lines, points, skeletons, cuboids, tags)
  /// - Throws: `DataError` of kind `.malformed` naming the line or the shape; of kind `.unsupported` for files with a
  ///   document type and for videos (`<track>`).
  public init(contentsOf path: String, notices: Notices = Notices()) throws(DataError) {
    let file = try MappedFile(path: path)
    var reader = XMLReader(file.bytes, file: path)
    // Of the label that is being read.
    var (label, type, isPart) = ("", "any", false)
    var drawn: [(order: Int, shape: AnnotatedPicture.Shape)] = []
    while let event = try reader.next() {
      let place = reader.path
      switch event {
      case .start(let name, let attributes):
        switch place.count {
        case 1 where name != "annotations":
          throw DataError(
            .unsupported, file: path, expected: "<annotations>, as CVAT exports it (CVAT for images 1.1)",
            found: "<\(name.prefix(40))>")
        case 2 where name == "track":
          throw DataError(
            .unsupported, file: path, item: "line \(reader.line)",
            expected: "pictures: export it as \"CVAT for images 1.1\"", found: "tracks of a video")
        case 2 where name == "image":
          try addPicture(attributes, path)
          drawn = []
        case 3 where place[1] == "image":
          let item = "image[\(pictures.count - 1)].\(name)[\(drawn.count)]"
          let element = CVATElement(name: name, attributes: attributes, file: path, item: item)
          guard let geometry = try element.geometry else {
            // A file with many kinds of elements is none of CVAT's.
            let known = leftOut.count < 20 || leftOut[name] != nil ? name : "others"
            leftOut[known, default: 0] += 1
            continue
          }
          let shape = AnnotatedPicture.Shape(
            className: try element.text("label"), geometry: geometry, item: item)
          drawn.append((try element.wholeNumberIfPresent("z_order") ?? 0, shape))
        default:
          if Self.isLabel(place) { (label, type, isPart) = ("", "any", false) }
        }
      case .text(let text):
        guard Self.isLabel(place.dropLast()) else { continue }
        switch place.last {
        case "name": label += text
        case "type": type = text
        case "parent": isPart = true
        default: break
        }
      case .end(let name):
        if name == "label", Self.isLabel(place + [name]) {
          if !isPart, !label.isEmpty, Self.areaTypes.contains(type), !categories.contains(label) {
            categories.append(label)
          }
        } else if name == "image", place.count == 1 {
          let order = drawn.indices.sorted { (drawn[$0].order, $0) < (drawn[$1].order, $1) }
          pictures[pictures.count - 1].shapes = order.map { drawn[$0].shape }
        }
      }
    }
    if categories.isEmpty {
      var known = Set<String>()
      for shape in pictures.flatMap(\.shapes) where known.insert(shape.className).inserted {
        categories.append(shape.className)
      }
    }
    for (name, count) in leftOut.sorted(by: { $0.key < $1.key }) {
      try notices.leaveOut(
        DataError(
          .unsupported, file: path, item: name, expected: "polygons, boxes, ellipses and masks",
          found: "\(count) shapes of another kind"))
    }
  }

  /// Types of labels that shapes with an area may have.
  private static let areaTypes: Set<String> = ["any", "polygon", "rectangle", "ellipse", "mask"]

  /// Whether a place is a label of the list in `meta`: of a task, a job or a project.
  private static func isLabel(_ place: some BidirectionalCollection<String>) -> Bool {
    place.dropFirst().first == "meta" && place.last == "label" && place.dropLast().last == "labels"
  }

  private mutating func addPicture(_ attributes: [String: String], _ path: String) throws(DataError) {
    let item = "image[\(pictures.count)]"
    let element = CVATElement(name: "image", attributes: attributes, file: path, item: item)
    let (width, height) = (try element.wholeNumber("width"), try element.wholeNumber("height"))
    _ = try checkedPixels(width: width, height: height, file: path, item: item)
    pictures.append(
      AnnotatedPicture(name: try element.text("name"), width: width, height: height, shapes: []))
    subsets.append(attributes["subset"])
  }
}

/// An element below an image.
private struct CVATElement {
  var name: String
  var attributes: [String: String]
  var file: String
  var item: String

  /// Nil when it has no area.
  var geometry: AnnotatedPicture.Geometry? {
    get throws(DataError) {
      let polygon: Polygon
      let centre: Point
      switch name {
      case "polygon":
        polygon = Polygon(rings: [try points()])
        centre = Point(0, 0)
      case "box":
        let (a, b) = (
          Point(try number("xtl"), try number("ytl")), Point(try number("xbr"), try number("ybr"))
        )
        polygon = Polygon(x: min(a.x, b.x), y: min(a.y, b.y), width: abs(b.x - a.x), height: abs(b.y - a.y))
        centre = Point((a.x + b.x) / 2, (a.y + b.y) / 2)
      case "ellipse":
        centre = Point(try number("cx"), try number("cy"))
        polygon = Polygon(ellipseAround: centre, radii: (try number("rx"), try number("ry")))
      case "mask":
        return .patch(
          try MaskPatch(
            left: try wholeNumber("left"), top: try wholeNumber("top"), width: try wholeNumber("width"),
            height: try wholeNumber("height"), counts: try runs(), file: file, item: item))
      default: return nil
      }
      let degrees = name == "polygon" || attributes["rotation"] == nil ? 0 : try number("rotation")
      let turned = polygon.turned(by: degrees, around: centre)
      try turned.check(file: file, item: item)
      return .polygons([turned])
    }
  }

  func text(_ key: String) throws(DataError) -> String {
    guard let text = attributes[key], !text.isEmpty else { throw refuse(key, "a value", "nothing") }
    return text
  }

  private func number(_ key: String) throws(DataError) -> Double {
    let text = try text(key)
    guard let number = Double(text), number.isFinite else { throw refuse(key, "a number", text) }
    return number
  }

  func wholeNumber(_ key: String) throws(DataError) -> Int {
    let text = try text(key)
    guard let number = Int(text) else { throw refuse(key, "a whole number", text) }
    return number
  }

  func wholeNumberIfPresent(_ key: String) throws(DataError) -> Int? {
    attributes[key] == nil ? nil : try wholeNumber(key)
  }

  /// `x,y;x,y;…`.
  private func points() throws(DataError) -> [Point] {
    var points: [Point] = []
    for pair in try text("points").split(separator: ";") {
      let numbers = pair.split(separator: ",", omittingEmptySubsequences: false).map {
        Double($0.trimming())
      }
      guard numbers.count == 2, let x = numbers[0], let y = numbers[1] else {
        throw refuse("points", "pairs of x and y", String(pair))
      }
      points.append(Point(x, y))
    }
    return points
  }

  /// `3, 5, 7`.
  private func runs() throws(DataError) -> [Int] {
    var counts: [Int] = []
    for part in try text("rle").split(separator: ",", omittingEmptySubsequences: false) {
      guard let count = Int(part.trimming()) else { throw refuse("rle", "whole numbers", String(part)) }
      counts.append(count)
    }
    return counts
  }

  private func refuse(_ key: String, _ expected: String, _ found: String) -> DataError {
    DataError(
      .malformed, file: file, item: "\(item).\(key)", expected: expected,
      found: found == "nothing" ? found : "\"\(found.prefix(40))\"")
  }
}

extension Substring {
  /// Without spaces at both ends.
  fileprivate func trimming() -> Substring {
    var text = drop { $0 == " " }
    while text.last == " " { text.removeLast() }
    return text
  }
}
