import Annotations
import Base
import Foundation
import Images
import TestSupport
import Testing

/// Shapes of type mask, as labelme 5.3 and later have them.
@Suite struct LabelMeMaskTests {
  static let labels = ShapeLabels(names: ["background", "cell", "dust"])

  private static func base64(_ mask: LabelMask) throws -> String {
    Data(try mask.encoded()).base64EncodedString()
  }

  private static func shape(_ points: String, mask: String?, label: String = "cell") -> String {
    #"{"label": "\#(label)", "points": \#(points), "shape_type": "mask""#
      + (mask.map { #", "mask": "\#($0)""# } ?? "") + "}"
  }

  private func read(_ shapes: [String], notices: Notices = Notices()) throws -> AnnotatedPicture {
    let folder = try TemporaryFolder()
    let text =
      #"{"shapes": [\#(shapes.joined(separator: ","))], "imagePath": "x.png", "imageHeight": 3, "imageWidth": 5, "imageData": null}"#
    return try LabelMeFile(contentsOf: folder.file("x.json", text.utf8), notices: notices).picture
  }

  /// Both points are inside, and fractions are dropped.
  @Test(arguments: ["[[1, 1], [3, 2]]", "[[1.0, 1.7], [3.9, 2.2]]"])
  func masksLieWhereTheirPointsSay(points: String) throws {
    let mask = LabelMask(width: 3, height: 2, labels: [1, 0, 1, 0, 255, 0])
    let picture = try read([Self.shape(points, mask: Self.base64(mask))])
    let drawn = try picture.mask(Self.labels, width: 5, height: 3, file: "f")
    #expect(drawn.labels == [0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0])
  }

  @Test func otherShapesAreReadBesideThem() throws {
    let (mask, notices) = (LabelMask(width: 1, height: 1, labels: [1]), Notices())
    let shapes = [
      #"{"label": "dust", "points": [[0, 0], [2, 1]], "shape_type": "rectangle"}"#,
      Self.shape("[[0, 0], [0, 0]]", mask: try Self.base64(mask)),
      #"{"label": "dust", "points": [[4.5, 2.5], [4.5, 3.1]], "shape_type": "circle"}"#,
      #"{"label": "dust", "points": [[3, 0], [4, 0], [4, 1], [3, 1]], "shape_type": "polygon"}"#,
      #"{"label": "dust", "points": [[1.5, 1], [2, 1.5], [1.5, 2], [1, 1.5]], "shape_type": "oriented_rectangle"}"#,
    ]
    let without = ["line", "point", "linestrip", "points"].map {
      #"{"label": "dust", "points": [[0, 0], [4, 2]], "shape_type": "\#($0)"}"#
    }
    let picture = try read(shapes + without, notices: notices)
    let drawn = try picture.mask(Self.labels, width: 5, height: 3, file: "f")
    #expect(drawn.labels == [1, 2, 0, 2, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2])
    #expect(notices.all.map(\.item) == (5..<9).map { "shapes[\($0)]" })
  }

  @Test func hostileMasksAreRefusedByName() throws {
    let mask = try Self.base64(LabelMask(width: 2, height: 2, labels: [1, 0, 1, 0]))
    let cases: [(String, String)] = [
      (Self.shape("[[0, 0], [1, 1]]", mask: nil), "shapes[0].mask"),
      (Self.shape("[[0, 0], [1, 1]]", mask: "not base64!"), "shapes[0].mask"),
      (Self.shape("[[0, 0], [1, 1]]", mask: "AAAA"), "shapes[0].mask"),
      (Self.shape("[[0, 0], [1, 1]]", mask: ""), "shapes[0].mask"),
      (Self.shape("[[0, 0], [1, 1]]", mask: String(mask.dropLast(24))), "shapes[0].mask"),
      (Self.shape("[[0, 0], [2, 1]]", mask: mask), "shapes[0].mask"),
      (Self.shape("[[1, 1], [0, 0]]", mask: mask), "shapes[0].mask"),
      (Self.shape("[[0, 0]]", mask: mask), "shapes[0].points"),
      // Larger than the picture of 5 x 3, whatever stands in it.
      (Self.shape("[[0, 0], [5, 1]]", mask: mask), "shapes[0].points"),
      (Self.shape("[[0, 0], [16383, 16383]]", mask: mask), "shapes[0].points"),
      (
        #"{"label": "cell", "points": [[0, 0], [1, 1]], "shape_type": "oriented_rectangle"}"#,
        "shapes[0].points"
      ),
      (Self.shape("[[0, 0], [1e300, 1]]", mask: mask), "shapes[0].points"),
    ]
    for (shape, item) in cases {
      let error = #expect(throws: DataError.self) { try read([shape]) }
      #expect(error?.item.hasPrefix(item) == true && error?.isAboutContent == true)
      #expect(error?.file.hasSuffix("x.json") == true)
    }
  }

  @Test(arguments: [
    #"[{"id": 1, "data": {"image": "/data/upload/x.png"}, "annotations": [{"result": []}]}]"#,
    #"{"result": [{"type": "polygonlabels"}], "task": 3}"#,
    #"[{"image": "x.png", "annotator": 1, "lead_time": 2.5}]"#,
  ])
  func theJSONOfLabelStudioIsNamed(text: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("x.json", text.utf8)
    for error in [
      #expect(throws: DataError.self) { try LabelMeFile(contentsOf: path) },
      #expect(throws: DataError.self) { try COCOFile(contentsOf: path) },
    ] {
      #expect(error?.kind == .unsupported && error?.expected.contains("Brush labels to PNG") == true)
    }
  }
}
