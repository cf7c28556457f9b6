import Base
import Checkpoints
import Foundation
import Images
import TestSupport
import Testing

@testable import DiffusionSegmentation

/// What is found in folders as people have them, and what is said of the rest.
struct FolderListingTests {
  let folder: TemporaryFolder
  let image = Image(width: 4, height: 3)
  let classes = ClassList(count: 3)
  let notices = Notices()

  init() throws { folder = try TemporaryFolder() }

  private func add(_ names: String..., mask: String? = nil) throws {
    for name in names { try image.write(to: folder.path(name)) }
    if let mask { try addMask(mask) }
  }

  private func addMask(_ name: String) throws {
    let mask = LabelMask(width: 4, height: 3, label: 1)
    if name.lowercased().hasSuffix("npy") {
      try NpyFile.write(NumericArray(mask.labels, shape: [3, 4]), to: folder.path(name))
    } else {
      _ = try folder.file(name, try mask.encoded())
    }
  }

  private var leftOut: [String] {
    notices.all.filter { $0.kind == .leftOut }.map { ($0.file as NSString).lastPathComponent }
  }

  @Test func picturesThatAreNotReadAreNamed() throws {
    try add("a.png")
    for name in ["b.gif", "c.WEBP", "d.webp", "e.heic", "f.bmp"] { _ = try folder.file(name, [1]) }
    for name in ["notes.txt", "meta.json", ".hidden.tif", "a.npy"] { _ = try folder.file(name, [1]) }
    #expect(try PictureFiles.list(folder.path, notices: notices) == [folder.path("a.png")])
    #expect(leftOut == ["b.gif", "c.WEBP", "d.webp", "e.heic", "f.bmp"])
    notices.isStrict = true
    let error = #expect(throws: DataError.self) { try PictureFiles.list(folder.path, notices: notices) }
    #expect(error?.file == folder.path("b.gif") && error?.isAboutContent == true)
  }

  @Test func endingsOfJPEGFilesAreKnown() throws {
    for name in ["a.jpg", "b.JPEG"] { try add(name) }
    for name in ["c.jfif", "d.jpe"] { _ = try folder.file(name, image.encoded(.jpeg)) }
    let found = try PictureFiles.expand([folder.path], notices: notices)
    #expect(found.map(\.name) == ["a", "b", "c", "d"] && notices.all.isEmpty)
    for picture in found { _ = try Image(contentsOf: picture.path) }
  }

  @Test func linksToNothingAreNamed() throws {
    try add("a.png", mask: "a.npy")
    for name in ["b.png", "b.npy", "folder", "c.txt"] {
      try FileManager.default.createSymbolicLink(
        atPath: folder.path(name), withDestinationPath: "../annex/\(name)")
    }
    #expect(try LabelledImages(directory: folder.path, classes: classes, notices: notices).count == 1)
    #expect(leftOut == ["b.png", "folder", "b.npy"])
    #expect(notices.all[0].text.contains("a link to a file that is not there"))
    notices.isStrict = true
    let error = #expect(throws: DataError.self) {
      try LabelledImages(directory: folder.path, classes: classes, notices: notices)
    }
    #expect(error?.file == folder.path("b.png") && error?.kind == .noInput)
  }

  @Test func namesThatAreNoTextAreNamed() throws {
    try add("a.png")
    let bytes = Array((folder.path + "/").utf8) + [0x78, 0xE9] + Array(".png".utf8) + [0]
    let descriptor = bytes.withUnsafeBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) { open($0.baseAddress!, O_CREAT | O_WRONLY, 0o644) }
    }
    // Some file systems take text only.
    guard descriptor >= 0 else { return }
    close(descriptor)
    #expect(try PictureFiles.list(folder.path, notices: notices).count == 1)
    #expect(leftOut == ["x\\xe9.png"])
  }

  @Test func pipesAreLeftOut() throws {
    try add("a.png")
    #expect(mkfifo(folder.path("b.png"), 0o644) == 0)
    #expect(try PictureFiles.list(folder.path, notices: notices) == [folder.path("a.png")])
    #expect(leftOut == ["b.png"])
  }

  @Test(arguments: ["x.NPY", "x.Npy", "x.mask.PNG", "x.MASK.png"])
  func masksInAnyCase(_ mask: String) throws {
    try add("x.PNG", mask: mask)
    let labelled = try LabelledImages(directory: folder.path, classes: classes, notices: notices)
    #expect(labelled.count == 1 && notices.all.isEmpty)
    #expect(try labelled.load(0).mask.labels == [UInt8](repeating: 1, count: 12))
  }

  @Test(arguments: ["x.mask.jpg", "x.MASK.JPEG", "x.mask.webp"])
  func masksOfOtherFormatsAreNoPictures(_ mask: String) throws {
    try add("x.png", mask: "x.npy")
    _ = try folder.file(mask, image.encoded(.jpeg))
    #expect(try LabelledImages(directory: folder.path, classes: classes, notices: notices).count == 1)
    #expect(leftOut == [mask])
  }

  @Test func twoMasksOfAPictureAreSaid() throws {
    try add("x.png", mask: "x.npy")
    _ = try folder.file("x.mask.png", LabelMask(width: 4, height: 3, label: 2).encoded())
    let labelled = try LabelledImages(directory: folder.path, classes: classes, notices: notices)
    #expect(try labelled.load(0).mask.labels[0] == 1)
    #expect(leftOut == ["x.mask.png"])
  }

  @Test func oneMaskOfTwoPicturesIsSaid() throws {
    try add("x.jpg", "x.png", mask: "x.npy")
    let labelled = try LabelledImages(directory: folder.path, classes: classes, notices: notices)
    #expect(labelled.pictures.map(\.name) == ["x.jpg", "x.png"])
    #expect(notices.all.contains { $0.kind == .suspicious && $0.file.hasSuffix("x.png") })
  }

  @Test func masksWithoutAPictureAreNamed() throws {
    try add("a.png", mask: "a.npy")
    try addMask("b.npy")
    try addMask("c.mask.png")
    #expect(try LabelledImages(directory: folder.path, classes: classes, notices: notices).count == 1)
    #expect(leftOut == ["b.npy", "c.mask.png"])
  }

  @Test func namesKeepTheirFolders() throws {
    for name in ["a", "b/deep"] { _ = try folder.folder(name) }
    try add("a/x.png", "b/x.png", "b/deep/x.png", "x.png", "b/y.png", "b/y.jpg")
    let found = try PictureFiles.expand([folder.path, folder.path("a/x.png")].dropLast(), notices: notices)
    #expect(found.map(\.name) == ["a/x", "b/deep/x", "b/x", "b/y.jpg", "b/y.png", "x"])
    #expect(notices.all.map(\.kind) == [.changed, .changed])
  }

  @Test func sameNamesFromDifferentFoldersAreRefused() throws {
    for name in ["a", "b"] { _ = try folder.folder(name) }
    try add("a/x.png", "b/x.png")
    let error = #expect(throws: DataError.self) {
      try PictureFiles.expand([folder.path("a"), folder.path("b")])
    }
    #expect(error?.file == folder.path("b/x.png") && error?.kind == .invalidArgument)
  }
}
