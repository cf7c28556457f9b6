import Base
import DiffusionSegmentation
import Foundation
import Images
import TestSupport
import Testing

/// Masks in JPEG files and in colours that are nearly those of the classes.
struct LossyMaskTests {
  let folder: TemporaryFolder
  let classes = ClassList(
    names: ["ground", "cell"], palette: Palette(colors: [RGB(3, 0, 0), RGB(13, 201, 7)]))
  let mask = LabelMask(width: 32, height: 32, labels: (0..<1024).map { $0 % 32 < 16 ? 0 : 1 })

  init() throws {
    folder = try TemporaryFolder()
    for name in ["p/a.png", "p/b.jpg"] {
      _ = try folder.folder("p")
      try Image(width: 32, height: 32).write(to: folder.path(name))
    }
  }

  private func images(
    labels: String? = nil, nearestColors: Bool = true, notices: Notices = Notices()
  ) throws -> LabelledImages {
    try LabelledImages(
      directory: folder.path("p"), classes: classes, labels: labels.map(folder.path),
      nearestColors: nearestColors, notices: notices)
  }

  private func write(_ path: String) throws {
    _ = try folder.folder((path as NSString).deletingLastPathComponent)
    try Image(mask: mask, palette: classes.palette).write(to: folder.path(path))
  }

  @Test(arguments: ["l/a.jpg", "l/a.mask.JPEG"])
  func inAnotherFolder(name: String) throws {
    try write(name)
    try write("l/b.png")
    let notices = Notices()
    let found = try images(labels: "l", notices: notices)
    #expect(found.count == 2 && found.unlabelled.isEmpty)
    #expect(found.inexactColors == .init())
    for index in 0..<2 { #expect(try found.load(index).mask == mask) }
    let sum = try #require(found.inexactColors)
    #expect(sum.masks == 1 && sum.pixels > 0 && sum.largestDistance < 100)
    found.reportInexactColors()
    #expect(notices.all.last?.file == folder.path("p"))
    #expect(notices.all.last?.item.hasPrefix("\(sum.pixels) pixels of 1 masks") == true)
    let check = try DatasetCheck(found)
    #expect(check.inexactColors == sum && check.isTrainable)
    // Without being asked for they are left out, saying why.
    let without = try images(labels: "l", nearestColors: false, notices: notices)
    #expect(without.count == 1 && without.inexactColors == nil)
    let notice = try #require(notices.all.first { $0.file == folder.path(name) && $0.kind == .leftOut })
    #expect(notice.text.contains("--nearest-colors"))
    #expect(try DatasetCheck(without).inexactColors == nil)
  }

  @Test func aPictureIsNotItsOwnMaskAndOthersComeFirst() throws {
    try write("p/b.mask.png")
    let found = try images(labels: "p")
    #expect(found.imagePaths == [folder.path("p/b.jpg")] && found.unlabelled == [folder.path("p/a.png")])
    // Beside the pictures: arrays and PNG before JPEG.
    try write("p/a.mask.jpg")
    try write("p/b.mask.jpg")
    let notices = Notices()
    let beside = try images(notices: notices)
    #expect(beside.layout == .besidePictures && beside.count == 2)
    for index in 0..<2 { #expect(try beside.load(index).mask == mask) }
    #expect(beside.inexactColors?.masks == 1)
    #expect(notices.all.contains { $0.file == folder.path("p/b.mask.jpg") && $0.kind == .leftOut })
    let error = #expect(throws: DataError.self) { try images(nearestColors: false, notices: notices) }
    #expect(error?.kind == .noInput)
    #expect(
      notices.all.contains {
        $0.file == folder.path("p/a.mask.jpg") && $0.text.contains("--nearest-colors")
      })
  }

  @Test func valuesStandForClassesAndColoursDoNot() throws {
    try write("l/a.jpg")
    let found = try LabelledImages(
      directory: folder.path("p"), classes: classes.stored(as: [0, 255]), labels: folder.path("l"),
      nearestColors: true)
    let error = #expect(throws: DataError.self) { try found.load(0) }
    #expect(error?.kind == .unsupported && error?.found.contains("no colours") == true)
  }
}
