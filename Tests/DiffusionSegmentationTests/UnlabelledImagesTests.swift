import Base
import DiffusionSegmentation
import Foundation
import Images
import TestSupport
import Testing
import Training

struct UnlabelledImagesTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for index in 0..<3 {
      try Image(width: 8, height: 8, color: RGB(UInt8(50 * index), 100, 200))
        .write(to: folder.path("p\(index).png"))
    }
  }

  /// The first sample of a picture, in [-1, 1].
  private func first(_ pictures: UnlabelledImages, _ index: Int) throws -> Float {
    var values = [Float](repeating: 9, count: 3 * 64)
    try values.withUnsafeMutableBufferPointer { try pictures.read(index, into: $0.baseAddress!) }
    return values[0]
  }

  /// What is kept in memory needs its file no more; what is not and has gone is an error, never another picture.
  @Test func aPictureThatHasGoneIsAnError() throws {
    let pictures = try UnlabelledImages(directory: folder.path, imageSize: 8, cacheBytes: 3 * 64)
    #expect(try first(pictures, 0) == -1)
    #expect(try first(pictures, 2) == 100 / 127.5 - 1)
    for index in 0..<3 { try FileManager.default.removeItem(atPath: folder.path("p\(index).png")) }
    #expect(try first(pictures, 0) == -1)
    #expect { _ = try first(pictures, 2) } throws: { error in
      (error as? DataError)?.kind == .noInput && (error as? DataError)?.file.hasSuffix("p2.png") == true
    }
  }

  /// The same squares for those who read them, and whole pictures for those who cut.
  @Test(arguments: [0, 1 << 20]) func wholePictures(cached: Int) throws {
    var image = Image(width: 12, height: 8, color: RGB(10, 20, 30))
    for y in 0..<8 { image[2, y] = RGB(200, 20, 30) }
    try image.write(to: folder.path("p0.png"))
    let squares = try UnlabelledImages(directory: folder.path, imageSize: 8, cacheBytes: cached)
    let whole = try UnlabelledImages(
      directory: folder.path, imageSize: 8, keepsWhole: true, cacheBytes: cached)
    for _ in 0..<2 {
      #expect(try whole.image(0) == image && squares.image(0) == image.centerCropped(size: 8))
      #expect(try first(whole, 0) == first(squares, 0) && first(whole, 0) == 200 / 127.5 - 1)
    }
    #expect(whole.record == squares.record)
  }

  /// Damages a picture so that only decoding tells.
  private func damage(_ name: String) throws -> String {
    let path = folder.path(name)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    for index in 41..<bytes.count - 16 { bytes[index] = 0x55 }
    try bytes.write(to: URL(fileURLWithPath: path))
    return path
  }

  /// The next sound picture takes the place of one that is found to be damaged when it is first used; which one depends
  /// on nothing that happened before.
  @Test(arguments: [0, 1, 3])
  func aPictureThatIsDamagedInside(cached: Int) throws {
    let broken = try damage("p1.png")
    for order in [[0, 1, 2], [2, 1, 0, 1]] {
      let notices = Notices()
      let pictures = try UnlabelledImages(
        directory: folder.path, imageSize: 8, notices: notices, cacheBytes: cached * 3 * 64)
      #expect(pictures.count == 3 && notices.all.isEmpty)
      for index in order {
        #expect(try first(pictures, index) == [-1, 100 / 127.5 - 1, 100 / 127.5 - 1][index])
      }
      #expect(notices.all.map(\.file) == [broken])
      notices.isStrict = true
      #expect { _ = try first(pictures, 1) } throws: { ($0 as? DataError)?.file == broken }
    }
  }

  @Test func itsPlaceIsTakenByOneOfItsClass() throws {
    for name in ["b/p0.png", "a/p1.png", "a/p2.png", "b/p3.png"] {
      _ = try folder.folder("classes/\((name as NSString).deletingLastPathComponent)")
      try Image(width: 8, height: 8, color: RGB(name.hasPrefix("a") ? 0 : 255, 0, 0)).write(
        to: folder.path("classes/\(name)"))
    }
    _ = try damage("classes/a/p2.png")
    let pictures = try UnlabelledImages(directory: folder.path("classes"), imageSize: 8, usesClasses: true)
    #expect(try first(pictures, 1) == -1)
    _ = try damage("classes/a/p1.png")
    let none = try UnlabelledImages(directory: folder.path("classes"), imageSize: 8, usesClasses: true)
    #expect { _ = try first(none, 1) } throws: { ($0 as? DataError)?.file.hasSuffix("p1.png") == true }
    #expect(try first(none, 2) == 1)
  }

  /// The list is told from others by names and sizes, wherever the folder is.
  @Test func theListHasARecord() throws {
    func record(_ directory: String) throws -> PictureListRecord {
      try UnlabelledImages(directory: directory, imageSize: 8).record
    }
    let before = try record(folder.path)
    #expect(before.count == 3 && before.digest.count == 64)
    try FileManager.default.copyItem(atPath: folder.path, toPath: folder.path + "-copy")
    defer { try? FileManager.default.removeItem(atPath: folder.path + "-copy") }
    #expect(try record(folder.path + "-copy/") == before)
    try FileManager.default.moveItem(atPath: folder.path("p2.png"), toPath: folder.path("q2.png"))
    #expect(try record(folder.path) != before)
    try FileManager.default.moveItem(atPath: folder.path("q2.png"), toPath: folder.path("p2.png"))
    try Image(width: 80, height: 80).write(to: folder.path("p2.png"))
    #expect(try record(folder.path) != before)
  }

  /// Pictures after one that is left out are still themselves, in memory or read again.
  @Test(arguments: [0, 1, 3])
  func aBrokenPictureIsLeftOutOrRefused(cached: Int) throws {
    let broken = try folder.file("p1.png", [1, 2, 3])
    let notices = Notices()
    let pictures = try UnlabelledImages(
      directory: folder.path, imageSize: 8, notices: notices, cacheBytes: cached * 3 * 64)
    #expect(pictures.count == 2 && notices.all.map(\.file) == [broken])
    #expect(try first(pictures, 0) == -1)
    #expect(try first(pictures, 1) == 100 / 127.5 - 1)
    notices.isStrict = true
    #expect {
      _ = try UnlabelledImages(directory: folder.path, imageSize: 8, notices: notices)
    } throws: { ($0 as? DataError)?.file == broken }
  }

  @Test func aFolderWithoutASoundPictureIsRefused() throws {
    for index in 0..<3 { _ = try folder.file("p\(index).png", [1, 2, 3]) }
    #expect { _ = try UnlabelledImages(directory: folder.path, imageSize: 8) } throws: {
      ($0 as? DataError)?.file.hasSuffix("p0.png") == true
    }
  }

  /// The outermost folder names the class, and every picture needs one.
  @Test func foldersAreClasses() throws {
    for name in ["b/p0.png", "b/old/p1.png", "a/old/p2.png"] {
      _ = try folder.folder("pictures/\((name as NSString).deletingLastPathComponent)")
      try Image(width: 8, height: 8).write(to: folder.path("pictures/\(name)"))
    }
    for ending in ["", "/"] {
      let pictures = try UnlabelledImages(
        directory: folder.path("pictures") + ending, imageSize: 8, usesClasses: true)
      #expect(pictures.classNames == ["a", "b"])
      #expect((0..<3).map { pictures.label(of: $0) } == [0, 1, 1])
    }
    #expect { _ = try UnlabelledImages(directory: folder.path, imageSize: 8, usesClasses: true) } throws: {
      ($0 as? DataError)?.found.hasSuffix("p0.png") == true
    }
  }
}
