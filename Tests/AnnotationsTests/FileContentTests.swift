import Annotations
import Base
import Foundation
import Images
import TestSupport
import Testing

/// What stands in files beside the outlines: order, names, colours and measures.
@Suite struct FileContentTests {
  private func coco(_ annotations: String, categories: String) throws -> COCOFile {
    let folder = try TemporaryFolder()
    let text = """
      {"images": [{"id": 1, "file_name": "x.png", "width": 4, "height": 1}], "annotations": [\(annotations)],
      "categories": [\(categories)]}
      """
    return try COCOFile(contentsOf: folder.file("c.json", text.utf8))
  }

  private func annotation(_ id: Int, category: Int, columns: Range<Int>, isCrowd: Bool = false) -> String {
    let (first, last) = (columns.lowerBound, columns.upperBound)
    return """
      {"id": \(id), "image_id": 1, "category_id": \(category), "iscrowd": \(isCrowd ? 1 : 0),
      "segmentation": [[\(first), 0, \(last), 0, \(last), 1, \(first), 1]]}
      """
  }

  private let categories = #"{"id": 7, "name": "b"}, {"id": 3, "name": "a"}"#
  private let labels = ShapeLabels(names: ["background", "a", "b"])

  @Test func categoriesAreInTheOrderOfTheirIds() throws {
    #expect(try coco("", categories: categories).categories == ["a", "b"])
  }

  @Test func smallerShapesLieAboveLargerOnesAndCrowdsBelowAll() throws {
    func drawn(_ annotations: [String]) throws -> [UInt8] {
      try coco(annotations.joined(separator: ","), categories: categories).pictures[0]
        .mask(labels, width: 4, height: 1, file: "f").labels
    }
    let (small, large) = (
      annotation(1, category: 7, columns: 1..<2), annotation(2, category: 3, columns: 0..<3)
    )
    #expect(try drawn([small, large]) == [1, 2, 1, 0])
    #expect(try drawn([large, small]) == [1, 2, 1, 0])
    let crowd = annotation(1, category: 7, columns: 2..<4, isCrowd: true)
    for annotations in [[crowd, large], [large, crowd]] { #expect(try drawn(annotations) == [1, 1, 1, 2]) }
  }

  /// pycocotools: `mask.area` and `mask.toBbox`.
  @Test func annotationsHaveAreaAndBox() throws {
    struct Content: Decodable {
      struct Annotation: Decodable {
        var area: Double
        var bbox: [Double]
      }
      var annotations: [Annotation]
    }
    var mask = LabelMask(width: 9, height: 7, label: 0)
    for (x, y) in [(2, 1), (3, 1), (4, 1), (4, 2), (4, 3), (4, 4)] { mask[x, y] = 1 }
    let picture = try AnnotatedPicture(mask, name: "x.png", labels: ShapeLabels(names: ["background", "a"]))
    let folder = try TemporaryFolder()
    try COCOFile(categories: ["a"], pictures: [picture]).write(to: folder.path("c.json"))
    let data = try Data(contentsOf: URL(fileURLWithPath: folder.path("c.json")))
    let found = try JSONDecoder().decode(Content.self, from: data).annotations
    #expect(found.map(\.area) == [6] && found.map(\.bbox) == [[2, 1, 3, 4]])
  }

  /// Corners of a rectangle in any order.
  @Test(arguments: ["[[1, 0], [3, 2]]", "[[3, 2], [1, 0]]", "[[3, 0], [1, 2]]", "[[1, 2], [3, 0]]"])
  func rectanglesAreDrawnFromAnyCorner(points: String) throws {
    let folder = try TemporaryFolder()
    let text =
      #"{"shapes": [{"label": "a", "points": \#(points), "shape_type": "rectangle"}], "imagePath": "x.png"}"#
    let picture = try LabelMeFile(contentsOf: folder.file("x.json", text.utf8)).picture
    let mask = try picture.mask(labels, width: 4, height: 3, file: "f")
    #expect(mask.labels == [0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0])
  }

  @Test func coloursOfClassesAreWrittenAndRead() throws {
    let folder = try TemporaryFolder()
    let square = AnnotatedPicture.Geometry.polygons([Polygon(x: 0, y: 0, width: 1, height: 1)])
    let picture = AnnotatedPicture(
      name: "x.png", width: nil, height: nil,
      shapes: ["a", "b"].map { .init(className: $0, geometry: square) })
    try GeoJSONFile(picture, colors: ["a": RGB(10, 20, 30)]).write(to: folder.path("x.geojson"))
    #expect(
      try GeoJSONFile(contentsOf: folder.path("x.geojson"), name: "x.png").colors == ["a": RGB(10, 20, 30)])
  }

  /// As QuPath wrote them before and after version 0.4: 24 bits below a sign, or three numbers.
  @Test(arguments: [
    (#""colorRGB": -16112098"#, RGB(10, 38, 30)), (#""color": -16112098"#, RGB(10, 38, 30)),
    (#""color": [1, 2, 3]"#, RGB(1, 2, 3)),
  ])
  func packedColoursAreRead(text: String, color: RGB) throws {
    let folder = try TemporaryFolder()
    let feature = """
      {"features": [{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1]]]},
      "properties": {"classification": {"name": "a", \(text)}}}]}
      """
    let file = try GeoJSONFile(contentsOf: folder.file("x.geojson", feature.utf8), name: "x.png")
    #expect(file.colors == ["a": color])
  }

  /// From the development kit's table.
  @Test func coloursOfPascalVOC() {
    let expected: [(Int, RGB)] = [
      (0, .black), (1, RGB(128, 0, 0)), (2, RGB(0, 128, 0)), (3, RGB(128, 128, 0)), (4, RGB(0, 0, 128)),
      (8, RGB(64, 0, 0)), (15, RGB(192, 128, 128)), (20, RGB(0, 64, 128)), (255, RGB(224, 224, 192)),
    ]
    for (label, color) in expected { #expect(PascalVOC.palette.colors[label] == color) }
  }
}
