import Augment
import Base
import DiffusionSegmentation
import Foundation
import Images
import TestSupport
import Testing

/// What data sets keep when they are written, where files of labels may lie, and the figures of a check.
struct DatasetFormTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func add(_ name: String, _ mask: LabelMask, _ classes: ClassList, color: RGB = .black) throws {
    _ = try folder.folder("d")
    try Image(width: mask.width, height: mask.height, color: color).write(to: folder.path("d/\(name).png"))
    try LabelWriter(classes: classes).write(
      mask, as: .npy, stem: folder.path("d/\(name)"), picture: "\(name).png")
  }

  /// Another label to ignore than 255, and classes that change places.
  @Test(arguments: LabelFormat.allCases)
  func classesAndIgnoredPixelsStay(format: LabelFormat) throws {
    let classes = ClassList(
      names: ["background", "left", "right"], palette: .distinct(count: 3), ignoreLabel: 9,
      flipPairs: ClassPairs([(1, 2)]))
    let mask = LabelMask(width: 3, height: 3, labels: [0, 1, 2, 9, 9, 1, 0, 0, 9])
    try add("x", mask, classes)
    try LabelledImages(directory: folder.path("d"), classes: classes).write(as: format, to: folder.path("e"))
    let written = try ClassList(contentsOf: folder.path("e/classes.json"))
    #expect(written == classes)
    let again = try LabelledImages(directory: folder.path("e"), classes: written)
    #expect(try again.load(0).mask == mask)
    switch format {
    case .voc:
      let palette = try #require(try Palette(contentsOf: folder.path("e/SegmentationClass/x.png")))
      #expect(palette.colors[1] == RGB(128, 0, 0))
    case .geojson:
      let text = try String(contentsOfFile: folder.path("e/x.geojson"), encoding: .utf8)
      #expect(text.contains("Ignore*") && !text.contains("__ignore__"))
    default: break
    }
  }

  @Test func outsideOfShapesIsIgnoredWhereThereIsNoBackground() throws {
    _ = try folder.folder("d")
    try Image(width: 2, height: 1).write(to: folder.path("d/x.png"))
    let shape = #"{"label": "cell", "points": [[0, 0], [1, 1]], "shape_type": "rectangle"}"#
    _ = try folder.file("d/x.json", #"{"shapes": [\#(shape)], "imagePath": "x.png"}"#.utf8)
    let classes = ClassList(names: ["cell"], palette: .distinct(count: 1), ignoreLabel: 9)
    #expect(try LabelledImages(directory: folder.path("d"), classes: classes).load(0).mask.labels == [0, 9])
  }

  @Test func shapesDoNotTellThePageOfAStack() throws {
    _ = try folder.folder("d")
    var writer = try TIFFWriter(path: folder.path("d/x.tif"), width: 2, height: 1, kind: .grey, pages: 2)
    for page in 0..<2 { try writer.append([0, 0] as [UInt8], page: page) }
    try writer.finish()
    let path = try folder.file("d/x.json", #"{"shapes": [], "imagePath": "x.tif"}"#.utf8)
    let found = try LabelledImages(directory: folder.path("d"), classes: ClassList(count: 2))
    let error = #expect(throws: DataError.self) { try found.load(0) }
    #expect(error?.kind == .unsupported && error?.file == path)
  }

  @Test(
    arguments: [
      "annotations.json", "instances_train.json", "result.json", "_annotations.coco.json",
      "annotations/instances_default.json", "annotations/annotations.json",
    ])
  func filesOfCOCOAreFound(name: String) throws {
    _ = try folder.folder("d/annotations")
    for picture in ["x", "y"] { try Image(width: 2, height: 1).write(to: folder.path("d/\(picture).png")) }
    let text = """
      {"images": [{"id": 1, "file_name": "x.png", "width": 2, "height": 1}, {"id": 2, "file_name": "y.png", "width": 2,
      "height": 1}], "annotations": [{"image_id": 1, "category_id": 1, "segmentation": [[0, 0, 1, 0, 1, 1, 0, 1]]}],
      "categories": [{"id": 1, "name": "cell"}]}
      """
    _ = try folder.file("d/\(name)", text.utf8)
    let classes = ClassList(names: ["background", "cell"], palette: .distinct(count: 2))
    let found = try LabelledImages(directory: folder.path("d"), classes: classes)
    #expect(found.layout == .coco && found.imagePaths == [folder.path("d/x.png")])
    // A picture without shapes may not have been looked at.
    #expect(found.unlabelled == [folder.path("d/y.png")])
    #expect(try found.load(0).mask.labels == [1, 0])
  }

  // MARK: Figures of a check

  @Test func aThousandthOfAPictureIsNotNearlyEmpty() throws {
    let classes = ClassList(count: 2)
    var (one, none) = (LabelMask(width: 40, height: 25, label: 0), LabelMask(width: 40, height: 26, label: 0))
    (one[3, 3], none[3, 3]) = (1, 1)
    try add("one", one, classes)
    try add("none", none, classes)
    let check = try DatasetCheck(LabelledImages(directory: folder.path("d"), classes: classes))
    #expect(check.nearlyEmpty == [folder.path("d/none.png")])
    #expect(check.duplicates.isEmpty)
  }

  /// Of the same samples, in rows of another length.
  @Test func otherSidesAreOtherPictures() throws {
    let classes = ClassList(count: 2)
    try add("a", LabelMask(width: 8, height: 2, label: 1), classes)
    try add("b", LabelMask(width: 4, height: 4, label: 1), classes)
    try add("c", LabelMask(width: 4, height: 4, label: 0), classes)
    let check = try DatasetCheck(LabelledImages(directory: folder.path("d"), classes: classes))
    #expect(check.duplicates == [["b", "c"].map { folder.path("d/\($0).png") }])
  }

  @Test func anIgnoredClassIsNoneThatIsLabelled() throws {
    // All but 1 of 16 pixels are of class 0, which is ignored.
    var mask = LabelMask(width: 4, height: 4, label: 0)
    mask[0, 0] = 1
    let classes = ClassList(count: 2, ignoreLabel: 0)
    try add("a", mask, classes)
    let check = try DatasetCheck(LabelledImages(directory: folder.path("d"), classes: classes))
    #expect(check.ignored == 15 && check.classes.map(\.pixels) == [0, 1])
    #expect(check.classes.map(\.pictures) == [0, 1])
    #expect(check.nearlyEmpty.isEmpty)
    // One class alone tells nothing apart.
    #expect(!check.isTrainable)
  }
}
