import Annotations
import Base
import Images
import TestSupport
import Testing

@Suite struct FormatTests {
  static let kinds = ["coco", "labelme", "geojson"]

  /// Written and read again, with and without a background class.
  @Test(arguments: kinds, 0..<20 as Range<UInt64>)
  func maskAfterFile(kind: String, seed: UInt64) throws {
    let folder = try TemporaryFolder()
    for names in [["background", "cell", "dust"], ["sky", "cell", "dust"]] {
      let labels = ShapeLabels(names: names)
      let mask = randomMask(seed: seed, labels: [0, 1, 2, 255])
      let drawn = try AnnotatedPicture(mask, name: "x.png", labels: labels)
      let path = folder.path("x.json")
      let read: AnnotatedPicture
      switch kind {
      case "coco":
        try COCOFile(categories: names + ["__ignore__"], pictures: [drawn]).write(to: path)
        read = try #require(try COCOFile(contentsOf: path).pictures.first)
      case "labelme":
        try LabelMeFile(drawn).write(to: path)
        read = try LabelMeFile(contentsOf: path).picture
      default:
        try GeoJSONFile(drawn).write(to: path)
        read = try GeoJSONFile(contentsOf: path, name: "x.png").picture
      }
      let notices = Notices()
      let again = try read.mask(labels, width: mask.width, height: mask.height, file: path, notices: notices)
      #expect(again == mask)
      // Areas inside each other are no overlaps.
      #expect(notices.all.isEmpty)
    }
  }

  /// Rectangles by left, top, width, height and class; pixels of several classes.
  @Test(
    arguments: [
      // Inside each other, outer first; a third inside the second, and one beside it.
      ([[0, 0, 9, 9, 1], [1, 1, 6, 6, 2], [2, 2, 2, 2, 1]], 0),
      ([[0, 0, 9, 9, 1], [1, 1, 2, 2, 2], [4, 4, 2, 2, 2], [1, 1, 5, 1, 1]], 2),
      // The inner first is covered.
      ([[1, 1, 2, 2, 2], [0, 0, 9, 9, 1]], 4),
      // Partly over one, of the same class and of another.
      ([[0, 0, 4, 4, 1], [2, 0, 4, 2, 1]], 0), ([[0, 0, 4, 4, 1], [2, 0, 4, 2, 2]], 4),
      // Inside two that overlap, in their common part and over its border.
      ([[0, 0, 5, 3, 1], [3, 0, 5, 3, 1], [3, 0, 2, 1, 2]], 0),
      ([[0, 0, 5, 3, 1], [3, 0, 5, 3, 1], [2, 0, 2, 1, 2]], 2),
      // Counted once, though three lie there.
      ([[0, 0, 3, 1, 1], [2, 0, 3, 1, 2], [2, 0, 9, 1, 1]], 3),
    ] as [([[Int]], Int)])
  func overlapsAreThoseOfShapesThatDoNotLieInside(shapes: [[Int]], overlaps: Int) throws {
    let notices = Notices()
    let picture = AnnotatedPicture(
      name: "x", width: 12, height: 9,
      shapes: shapes.map { shape in
        let numbers = shape.map(Double.init)
        return .init(
          className: ["a", "b"][shape[4] - 1],
          geometry: .polygons([Polygon(x: numbers[0], y: numbers[1], width: numbers[2], height: numbers[3])]))
      })
    let mask = try picture.mask(
      ShapeLabels(names: ["background", "a", "b"]), width: 12, height: 9, file: "f", notices: notices)
    let last = try #require(shapes.last)
    #expect(Int(mask[last[0], last[1]]) == last[4])
    let expected =
      overlaps == 0 ? [] : ["\(overlaps) pixels lie in shapes of several classes; the one drawn last counts"]
    #expect(notices.all.map(\.text) == expected)
  }

  @Test func laterShapesCoverEarlierOnesAndAreCounted() throws {
    let notices = Notices()
    let picture = AnnotatedPicture(
      name: "x", width: 4, height: 1,
      shapes: [
        .init(className: "a", geometry: .polygons([Polygon(x: 0, y: 0, width: 3, height: 1)])),
        .init(className: "b", geometry: .polygons([Polygon(x: 2, y: -5, width: 9, height: 9)])),
      ])
    let mask = try picture.mask(
      ShapeLabels(names: ["background", "a", "b"]), width: 4, height: 1, file: "f", notices: notices)
    #expect(mask.labels == [1, 1, 2, 2])
    #expect(notices.all.map(\.text).contains { $0.hasPrefix("1 pixels lie in shapes of several classes") })
    #expect(notices.all.map(\.text).contains { $0.hasPrefix("1 shapes reach beyond the picture") })
  }

  @Test func unknownNamesAreListed() throws {
    let picture = AnnotatedPicture(
      name: "x", width: 2, height: 1,
      shapes: ["cat", "dog", "cat"].map {
        .init(className: $0, geometry: .polygons([Polygon(x: 0, y: 0, width: 1, height: 1)]))
      })
    var labels = ShapeLabels(names: ["background"])
    let error = #expect(throws: DataError.self) { try picture.mask(labels, width: 2, height: 1, file: "f") }
    #expect(error?.found == "\"cat\", \"dog\"")
    labels.ignoresUnknown = true
    let notices = Notices()
    #expect(try picture.mask(labels, width: 2, height: 1, file: "f", notices: notices).labels == [0, 0])
    #expect(notices.all.count == 1)
  }

  static let hostile: [(kind: String, text: String, item: String)] = [
    ("coco", coco(image: #""width": 1000000000, "height": 1000000000"#), "images[0]"),
    ("coco", coco(image: #""width": 0, "height": 5"#), "images[0]"),
    ("coco", coco(segmentation: #"[[0, 0, 1]]"#), "annotations[0].segmentation"),
    ("coco", coco(segmentation: #"[[0, 0, 1e300, 0, 1, 1]]"#), "annotations[0].segmentation"),
    ("coco", coco(segmentation: #"{"size": [4, 4], "counts": [16]}"#), "annotations[0].segmentation.size"),
    (
      "coco", coco(segmentation: #"{"size": [4, 5], "counts": [9223372036854775807, 9]}"#),
      "annotations[0].segmentation.counts"
    ),
    (
      "coco", coco(segmentation: #"{"size": [4, 5], "counts": "oooooooooooooo0"}"#),
      "annotations[0].segmentation.counts"
    ),
    ("coco", coco(more: #", {"id": 7, "image_id": 1, "category_id": 1}"#), "annotations[1].id"),
    ("coco", coco(more: #", {"id": 8, "image_id": 2, "category_id": 1}"#), "annotations[1].image_id"),
    ("coco", coco(more: #", {"id": 8, "image_id": 1, "category_id": 3}"#), "annotations[1].category_id"),
    ("coco", #"{"images": []}"#, "annotations"),
    ("labelme", labelme(path: "/etc/passwd"), "imagePath"),
    ("labelme", labelme(path: "../x.png"), "imagePath"),
    ("labelme", labelme(points: "[[0, 0], [1, 1]]"), "shapes[0]"),
    ("labelme", labelme(points: "[[0, 0, 3], [1, 1], [2, 2]]"), "shapes[0].points"),
    (
      "geojson",
      #"{"features": [{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}, "properties": {"classification": {"name": "a"}}}]}"#,
      "features[0]"
    ),
  ]

  private static func coco(
    image: String = #""width": 5, "height": 4"#, segmentation: String = "[[0, 0, 3, 0, 3, 3]]",
    more: String = ""
  ) -> String {
    """
    {"images": [{"id": 1, "file_name": "x.png", \(image)}], "categories": [{"id": 1, "name": "a"}],
    "annotations": [{"id": 7, "image_id": 1, "category_id": 1, "segmentation": \(segmentation)}\(more)]}
    """
  }

  private static func labelme(path: String = "x.png", points: String = "[[0, 0], [1, 1], [0, 1]]") -> String {
    #"{"shapes": [{"label": "a", "points": \#(points), "shape_type": "polygon"}], "imagePath": "\#(path)"}"#
  }

  @Test(arguments: hostile)
  func refusedNamingTheItem(kind: String, text: String, item: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("x.json")
    try AtomicFile.write(Array(text.utf8), to: path)
    let error = #expect(throws: DataError.self) {
      switch kind {
      case "coco": _ = try COCOFile(contentsOf: path)
      case "labelme": _ = try LabelMeFile(contentsOf: path)
      default: _ = try GeoJSONFile(contentsOf: path, name: "x.png")
      }
    }
    #expect(error?.file == path)
    #expect(error?.item == item)
  }
}
