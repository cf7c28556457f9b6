import Base
import Checkpoints
import DiffusionSegmentation
import Foundation
import Images
import TestSupport
import Testing

struct LabelledImagesTests {
  let folder: TemporaryFolder
  let image = Image(width: 4, height: 3)
  let classes = ClassList(count: 3)

  init() throws { folder = try TemporaryFolder() }

  private func add(_ name: String, labels: [UInt8] = [UInt8](repeating: 1, count: 12), shape: [Int] = [3, 4])
    throws
  {
    try image.write(to: folder.path(name))
    let stem = (name as NSString).deletingPathExtension
    try NpyFile.write(NumericArray(labels, shape: shape), to: folder.path("\(stem).npy"))
  }

  /// Folder by folder, names as Python sorts them.
  @Test func orderIsThatOfTheReference() throws {
    for name in ["b", "Z", "a/deep"] { _ = try folder.folder(name) }
    for name in ["b/2.png", "b/10.jpg", "Z/x.png", "a/deep/y.jpeg", "a.png", "é.png", "A.PNG"] {
      try add(name)
    }
    _ = try folder.file("notes.txt", [1])
    _ = try folder.file(".hidden.png", [1])
    let found = try LabelledImages(directory: folder.path, classes: classes).imagePaths
    #expect(
      found.map { $0.replacingOccurrences(of: folder.path + "/", with: "") }
        == ["A.PNG", "Z/x.png", "a/deep/y.jpeg", "a.png", "b/10.jpg", "b/2.png", "é.png"])
    let firstTwo = try LabelledImages(directory: folder.path, classes: classes, limit: 2)
    #expect(firstTwo.imagePaths == Array(found.prefix(2)))
  }

  @Test func pictureMasksAreMasksAndNoPictures() throws {
    try image.write(to: folder.path("x.png"))
    let mask = LabelMask(width: 4, height: 3, labels: [0, 1, 2, 255] + [UInt8](repeating: 0, count: 8))
    try mask.write(to: folder.path("x.mask.png"), palette: .distinct(count: 256))
    let labelled = try LabelledImages(directory: folder.path, classes: classes)
    #expect(labelled.count == 1)
    #expect(try labelled.load(0).mask == mask)
  }

  @Test func missingMaskIsNamed() throws {
    try image.write(to: folder.path("alone.png"))
    let error = #expect(throws: DataError.self) {
      try LabelledImages(directory: folder.path, classes: classes)
    }
    #expect(error?.file == folder.path("alone.png") && error?.expected.contains("alone.npy") == true)
    #expect(error?.kind == .noInput)
  }

  @Test func maskOfAnotherSizeIsRefused() throws {
    try add("x.png", shape: [4, 3])
    let error = #expect(throws: DataError.self) {
      try LabelledImages(directory: folder.path, classes: classes).load(0)
    }
    #expect(error?.file == folder.path("x.npy") && error?.found == "3×4" && error?.isAboutContent == true)
  }

  @Test func labelThatIsNoClassIsRefusedWithItsPlace() throws {
    try add("x.png", labels: [0, 1, 2, 255, 0, 3, 0, 0, 0, 0, 0, 0])
    let error = #expect(throws: DataError.self) {
      try LabelledImages(directory: folder.path, classes: classes).load(0)
    }
    #expect(error?.item == "label at row 1, column 1" && error?.found == "3")
  }

  @Test(arguments: [[12], [3, 4, 2], [0, 4], [1, 1, 3, 4]])
  func maskOfAnotherShapeIsRefused(_ shape: [Int]) throws {
    try add("x.png", labels: [UInt8](repeating: 0, count: shape.reduce(1, *)), shape: shape)
    let error = #expect(throws: DataError.self) {
      try LabelledImages(directory: folder.path, classes: classes).load(0)
    }
    #expect(error?.item == "shape")
  }

  @Test func emptyAndMissingFoldersAreRefused() throws {
    for path in [folder.path, folder.path("gone")] {
      let error = #expect(throws: DataError.self) { try LabelledImages(directory: path, classes: classes) }
      #expect(error?.kind == .noInput)
    }
    try add("x.png")
    let error = #expect(throws: DataError.self) {
      try LabelledImages(directory: folder.path, classes: classes, limit: 0)
    }
    #expect(error?.kind == .invalidArgument)
  }
}
