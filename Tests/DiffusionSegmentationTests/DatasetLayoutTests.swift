import Base
import DiffusionSegmentation
import Foundation
import Images
import TestSupport
import Testing

/// Labels of other tools: written, recognised and read again, and refused where they lead elsewhere.
struct DatasetLayoutTests {
  let folder: TemporaryFolder
  let classes = ClassList(names: ["background", "cell", "dust"], palette: .distinct(count: 3))
  /// With a hole, ignored pixels and areas that touch.
  let mask = LabelMask(
    width: 5, height: 4, labels: [1, 1, 1, 0, 2, 1, 0, 1, 2, 2, 1, 1, 1, 0, 255, 0, 0, 0, 255, 255])

  init() throws {
    folder = try TemporaryFolder()
    _ = try folder.folder("from")
    for (index, name) in ["a", "b"].enumerated() {
      try Image(width: 5, height: 4, color: RGB(UInt8(index), 0, 0)).write(
        to: folder.path("from/\(name).png"))
      try LabelWriter(classes: classes).write(
        mask, as: .npy, stem: folder.path("from/\(name)"), picture: "\(name).png")
    }
  }

  private func images(_ path: String = "from", labels: String? = nil, notices: Notices = Notices()) throws
    -> LabelledImages
  {
    try LabelledImages(
      directory: folder.path(path), classes: classes, labels: labels.map(folder.path), notices: notices)
  }

  @Test(arguments: [
    (LabelFormat.coco, DatasetLayout.coco), (.voc, .pascalVOC), (.labelme, .labelMe), (.geojson, .geoJSON),
    (.png, .besidePictures), (.npy, .besidePictures),
  ])
  func writtenFormsAreRecognisedAndReadAgain(format: LabelFormat, layout: DatasetLayout) throws {
    try images().write(as: format, to: folder.path("to"))
    let again = try images("to")
    #expect(again.layout == layout)
    #expect(again.count == 2)
    for index in 0..<again.count {
      #expect(try again.load(index).mask == mask)
      #expect(try again.load(index).image[0, 0].red == UInt8(index))
    }
    #expect(try folder.contents() == ["from", "to"])
    // A folder that holds something is not written to.
    let error = #expect(throws: DataError.self) { try images().write(as: format, to: folder.path("to")) }
    #expect(error?.kind == .cannotCreate)
  }

  @Test func twoFoldersArePairedByName() throws {
    _ = try folder.folder("pictures/x")
    _ = try folder.folder("labels/x")
    for name in ["x/1", "2", "3"] {
      try Image(width: 5, height: 4).write(to: folder.path("pictures/\(name).png"))
    }
    for name in ["x/1", "2", "lone"] { try mask.write(to: folder.path("labels/\(name).png")) }
    let found = try images("pictures", labels: "labels")
    #expect(found.layout == .twoFolders)
    #expect(found.pictures.map(\.name) == ["2", "x/1"])
    #expect(found.unlabelled == [folder.path("pictures/3.png")])
    #expect(found.loneLabels == [folder.path("labels/lone.png")])
    #expect(try found.load(1).mask == mask)
    try LabelWriter(classes: classes).write(mask, as: .npy, stem: folder.path("labels/2"), picture: "2.png")
    #expect(throws: DataError.self) { try images("pictures", labels: "labels") }
  }

  @Test(arguments: ["../from/a.png", "/etc/passwd", "x/../../from/a.png", ""])
  func picturesOutsideTheFolderAreNotFollowed(name: String) throws {
    let text = """
      {"images": [{"id": 1, "file_name": "\(name)", "width": 5, "height": 4}], "annotations": [], "categories": []}
      """
    let path = try folder.file("c.json", text.utf8)
    let error = #expect(throws: DataError.self) { try images("from", labels: "c.json") }
    #expect(error?.file == path)
    #expect(error?.item == "images[0].file_name")
    #expect(error?.kind == .malformed)
  }

  @Test func classesComeFromTheFiles() throws {
    #expect(try LabelledImages.classes(in: folder.path("from")).count == 3)
    try images().write(as: .geojson, to: folder.path("to"))
    let found = try LabelledImages.classes(in: folder.path("to"))
    #expect(Set(found.names) == ["background", "cell", "dust"])
    #expect(found.names[0] == "background")
  }

  @Test func checkFindsWhatIsWrong() throws {
    let sound = try DatasetCheck(images())
    #expect(sound.isTrainable)
    #expect(sound.classes.map(\.pixels) == [12, 16, 6])
    #expect(sound.ignored == 6)
    #expect(sound.duplicates.isEmpty)
    // The same picture under another name, one of another size, and an empty mask.
    try Image(width: 5, height: 4).write(to: folder.path("from/c.png"))
    try Image(width: 7, height: 4).write(to: folder.path("from/d.png"))
    let writer = LabelWriter(classes: classes)
    let empty = LabelMask(width: 5, height: 4, label: 0)
    try writer.write(empty, as: .npy, stem: folder.path("from/c"), picture: "c.png")
    try writer.write(mask, as: .npy, stem: folder.path("from/d"), picture: "d.png")
    let check = try DatasetCheck(images())
    #expect(!check.isTrainable)
    #expect(check.pairs == 3)
    #expect(check.problems.map(\.picture) == [folder.path("from/d.png")])
    #expect(check.duplicates == [[folder.path("from/a.png"), folder.path("from/c.png")]])
    #expect(check.nearlyEmpty == [folder.path("from/c.png")])
  }
}
