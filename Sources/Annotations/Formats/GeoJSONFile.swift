import Base
import Images

/// Labels of a picture in GeoJSON as QuPath writes and reads it: a `FeatureCollection` of polygons in pixels, each with a
/// class (`properties.classification`).
public struct GeoJSONFile: Sendable {
  /// Without a size, which the format does not have.
  public var picture: AnnotatedPicture
  /// Colours of the classes, as far as the file has them.
  public var colors: [String: RGB]

  public init(_ picture: AnnotatedPicture, colors: [String: RGB] = [:]) {
    self.picture = picture
    self.colors = colors
  }

  /// Reads a file, a `FeatureCollection` or a list of features.
  /// - Parameters:
  ///   - path: the file
  ///   - name: path of the picture that it belongs to
  ///   - notices: told of features that are left out: without an area, or without a class
  /// - Throws: `DataError` of kind `.malformed` naming the feature.
  public init(contentsOf path: String, name: String, notices: Notices = Notices()) throws(DataError) {
    let content = try decodeJSON(Collection.self, contentsOf: path)
    (colors, picture) = ([:], AnnotatedPicture(name: name, width: nil, height: nil, shapes: []))
    for (index, feature) in content.features.enumerated() {
      let item = "features[\(index)]"
      func leaveOut(_ expected: String, _ found: String) throws(DataError) {
        try notices.leaveOut(
          DataError(.unsupported, file: path, item: item, expected: expected, found: found))
      }
      let polygons: [Polygon]
      switch feature.geometry {
      case .polygons(let found):
        polygons = try found.map { (rings) throws(DataError) in try Self.polygon(rings, path, item) }
      case .other(let type):
        try leaveOut("a Polygon or MultiPolygon", "\(type.prefix(40))")
        continue
      }
      guard let classification = feature.properties?.classification, let className = classification.name
      else {
        try leaveOut("a classification", "none")
        continue
      }
      if let color = classification.rgb { colors[className] = color }
      picture.shapes.append(.init(className: className, geometry: .polygons(polygons), item: item))
    }
  }

  private static func polygon(
    _ lists: [[[Double]]], _ path: String, _ item: String
  ) throws(DataError) -> Polygon {
    var rings: [[Point]] = []
    for list in lists {
      guard list.allSatisfy({ $0.count >= 2 }) else {
        throw DataError(
          .malformed, file: path, item: "\(item).geometry", expected: "pairs of x and y", found: "others")
      }
      var ring = list.map { Point($0[0], $0[1]) }
      // Rings end where they begin (RFC 7946, 3.1.6).
      if ring.count > 1, ring.first == ring.last { ring.removeLast() }
      rings.append(ring)
    }
    guard !rings.isEmpty else {
      throw DataError(.malformed, file: path, item: "\(item).geometry", expected: "a ring", found: "none")
    }
    let polygon = Polygon(rings: rings)
    try polygon.check(file: path, item: item)
    return polygon
  }

  /// Writes a file of annotations, with holes.
  /// - Throws: `DataError` of kind `.unsupported` for run lengths, or when the file cannot be written.
  public func write(to path: String) throws(DataError) {
    var features: [Collection.Feature] = []
    for shape in picture.shapes {
      guard case .polygons(let polygons) = shape.geometry else {
        throw DataError(
          .unsupported, file: path, item: shape.item, expected: "polygons",
          found: "run lengths; draw them first")
      }
      let closed = polygons.map { polygon in
        polygon.rings.map { ring in (ring + ring.prefix(1)).map { [$0.x, $0.y] } }
      }
      let color = colors[shape.className].map { [Int($0.red), Int($0.green), Int($0.blue)] }
      features.append(
        .init(
          geometry: .polygons(closed),
          properties: .init(
            objectType: "annotation",
            classification: .init(name: shape.className, color: color.map { .samples($0) }))))
    }
    try writeJSON(Collection(features: features), to: path)
  }
}
