import Base

/// Labels of a picture in the JSON of labelme (github.com/wkentaro/labelme), which has it beside the picture.
public struct LabelMeFile: Sendable {
  public var picture: AnnotatedPicture

  public init(_ picture: AnnotatedPicture) { self.picture = picture }

  private struct Content: Codable {
    struct Shape: Codable {
      var label: String
      var points: [[Double]]
      var shapeType: String?
      var groupId: Int?
      var flags: [String: Bool]? = [:]
      /// A PNG file in base64 of a shape of type mask.
      var mask: String?

      enum CodingKeys: String, CodingKey {
        case label, points, flags, mask
        case shapeType = "shape_type"
        case groupId = "group_id"
      }
    }
    var version: String? = "5.4.1"
    var flags: [String: Bool]? = [:]
    var shapes: [Shape]
    var imagePath: String
    var imageHeight: Int?
    var imageWidth: Int?

    /// labelme reads no file without the key `imageData`, which is null where no picture is embedded.
    private enum WrittenKey: String, CodingKey {
      case version, flags, shapes, imagePath, imageData, imageHeight, imageWidth
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: WrittenKey.self)
      try container.encode(version, forKey: .version)
      try container.encode(flags, forKey: .flags)
      try container.encode(shapes, forKey: .shapes)
      try container.encode(imagePath, forKey: .imagePath)
      try container.encodeNil(forKey: .imageData)
      try container.encode(imageHeight, forKey: .imageHeight)
      try container.encode(imageWidth, forKey: .imageWidth)
    }
  }

  /// Only whether a picture is embedded, which may be long.
  private struct Embedded: Decodable { var imageData: String? }

  /// Reads a file: polygons, rectangles (turned ones too), circles and masks, in the order in which they were drawn. A circle becomes a
  /// polygon of 128 corners. The picture's own samples (`imageData`) are not read.
  /// - Parameters:
  ///   - path: the file
  ///   - notices: told of shapes without an area (points, lines), other kinds of shapes and embedded pictures
  /// - Throws: `DataError` of kind `.malformed` naming the shape; for `imagePath`, when it leads out of the folder; of kind
  ///   `.unsupported` for the JSON of Label Studio, and for masks of more than `MaskPatch.maximumRuns` in all.
  public init(contentsOf path: String, notices: Notices = Notices()) throws(DataError) {
    let content = try decodeJSON(Content.self, contentsOf: path)
    if try decodeJSON(Embedded.self, contentsOf: path).imageData != nil {
      notices.add(.ignored, file: path, item: "imageData", "the embedded picture is not used; the file is")
    }
    _ = try PictureReference.path(content.imagePath, in: ".", file: path, item: "imagePath")
    var size: (width: Int, height: Int)?
    if let width = content.imageWidth, let height = content.imageHeight {
      _ = try checkedPixels(width: width, height: height, file: path, item: "imageWidth, imageHeight")
      size = (width, height)
    }
    var (shapes, runs) = ([AnnotatedPicture.Shape](), 0)
    for (index, shape) in content.shapes.enumerated() {
      let item = "shapes[\(index)]"
      guard shape.points.allSatisfy({ $0.count == 2 }) else {
        throw DataError(
          .malformed, file: path, item: "\(item).points", expected: "pairs of x and y", found: "others")
      }
      let points = shape.points.map { Point($0[0], $0[1]) }
      if shape.shapeType == "mask" {
        let patch = try Self.patch(shape.mask, points, size, path, item)
        runs += patch.counts.count
        guard runs <= MaskPatch.maximumRuns else {
          throw DataError(
            .unsupported, file: path, item: item,
            expected: "masks of at most \(MaskPatch.maximumRuns) runs in all", found: "more")
        }
        shapes.append(.init(className: shape.label, geometry: .patch(patch), item: item))
        continue
      }
      guard let polygon = try Self.polygon(shape.shapeType ?? "polygon", points, path, item) else {
        try notices.leaveOut(
          DataError(
            .unsupported, file: path, item: item, expected: "a polygon, rectangle, circle or mask",
            found: "a shape of type \"\((shape.shapeType ?? "").prefix(40))\""))
        continue
      }
      try polygon.check(file: path, item: item)
      shapes.append(.init(className: shape.label, geometry: .polygons([polygon]), item: item))
    }
    picture = AnnotatedPicture(
      name: content.imagePath, width: content.imageWidth, height: content.imageHeight, shapes: shapes)
  }

  private static func polygon(
    _ type: String, _ points: [Point], _ path: String, _ item: String
  ) throws(DataError) -> Polygon? {
    switch type {
    case "polygon": return Polygon(rings: [points])
    case "oriented_rectangle":
      guard points.count == 4 else {
        throw DataError(
          .malformed, file: path, item: "\(item).points", expected: "4 corners of a rectangle",
          found: "\(points.count)")
      }
      return Polygon(rings: [points])
    case "rectangle", "circle":
      guard points.count == 2 else {
        throw DataError(
          .malformed, file: path, item: "\(item).points", expected: "2 points of a \(type)",
          found: "\(points.count)")
      }
      let (a, b) = (points[0], points[1])
      guard type == "circle" else {
        return Polygon(x: min(a.x, b.x), y: min(a.y, b.y), width: abs(b.x - a.x), height: abs(b.y - a.y))
      }
      return Polygon(circleAround: a, through: b)
    default: return nil
    }
  }

  /// Writes a file. What lies in the hole of a shape must be a shape after it, as `AnnotatedPicture.init(_:name:labels:)`
  /// makes them, since labelme's polygons have no holes.
  /// - Throws: `DataError` of kind `.unsupported` for run lengths, or when the file cannot be written.
  public func write(to path: String) throws(DataError) {
    var content = Content(
      shapes: [], imagePath: picture.name, imageHeight: picture.height, imageWidth: picture.width)
    for shape in picture.shapes {
      guard case .polygons(let polygons) = shape.geometry else {
        throw DataError(
          .unsupported, file: path, item: shape.item, expected: "polygons",
          found: "run lengths; draw them first")
      }
      for (number, polygon) in polygons.enumerated() where !polygon.rings.isEmpty {
        content.shapes.append(
          .init(
            label: shape.className, points: polygon.rings[0].map { [$0.x, $0.y] }, shapeType: "polygon",
            groupId: polygons.count > 1 ? number : nil))
      }
    }
    try writeJSON(content, to: path)
  }
}
