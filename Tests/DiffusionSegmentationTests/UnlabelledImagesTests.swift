import DiffusionSegmentation
import Foundation
import TestSupport
import Testing

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
    #expect(try first(pictures, 2) == 100 / 127.5 - 1)
    for index in 0..<3 { try FileManager.default.removeItem(atPath: folder.path("p\(index).png")) }
    #expect(try first(pictures, 0) == -1)
    #expect { _ = try first(pictures, 2) } throws: { error in
      (error as? DataError)?.kind == .noInput && (error as? DataError)?.file.hasSuffix("p2.png") == true
    }
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

  /// Files of a killed process are cleared away; those of a running one, and others, are not.
  @Test func leftoversAreClearedAway() throws {
    let (dead, alive) = (try finishedProcess(), getpid())
    let kept = [
      ".a.png.-\(dead).12.tmp", ".a.png.\(alive).12.tmp", ".hidden", "a.\(dead).12.tmp",
      ".a.png.\(dead).x.tmp", ".a.\(dead).12.bak",
    ]
    for name in kept + [".a.png.\(dead).12.tmp"] { _ = try folder.file(name, [1]) }
    AtomicFile.removeLeftovers(in: folder.path)
    #expect(try folder.contents() == (kept + ["p0.png", "p1.png", "p2.png"]).sorted())
  }
}
