import Base
import Checkpoints
import Foundation
import Images
import TestSupport
import Testing

@testable import DiffusionSegmentation

/// Pages of TIFF files as pictures of their own, and pictures that are read in another way.
struct StackTests {
  let folder: TemporaryFolder
  let notices = Notices()
  let classes = ClassList(count: 3)

  init() throws { folder = try TemporaryFolder() }

  /// Every page has one grey value, its number times 20.
  private func stack(_ name: String, pages: Int, width: Int = 4, height: Int = 3) throws {
    var writer = try TIFFWriter(
      path: folder.path(name), width: width, height: height, kind: .grey, pages: pages)
    for page in 0..<pages {
      try writer.append([UInt8](repeating: UInt8(20 * page % 256), count: width * height), page: page)
    }
    try writer.finish()
  }

  private func masks(_ name: String, _ labels: [[UInt8]]) throws {
    if name.hasSuffix("npy") {
      try NpyFile.write(
        NumericArray(labels.flatMap(\.self), shape: [labels.count, 3, 4]), to: folder.path(name))
    } else {
      var writer = try TIFFWriter(
        path: folder.path(name), width: 4, height: 3, kind: .labels(nil), pages: labels.count)
      for (page, label) in labels.enumerated() { try writer.append(label, page: page) }
      try writer.finish()
    }
  }

  @Test func everyPageIsAPictureWithANameOfItsOwn() throws {
    try stack("a.tif", pages: 1)
    try stack("s.tif", pages: 3)
    try Image(width: 4, height: 3).write(to: folder.path("s.png"))
    for found in [
      try PictureFiles.expand([folder.path], notices: notices),
      try PictureFiles.expand(["a.tif", "s.png", "s.tif"].map(folder.path), notices: notices),
    ] {
      #expect(found.map(\.name) == ["a", "s", "s/p001", "s/p002", "s/p003"])
      #expect(found.map(\.page) == [nil, nil, 0, 1, 2])
      #expect(found[4].title == folder.path("s.tif") + " (page 3)")
      #expect(try found[4].image(notices: notices)[0, 0] == RGB(40, 40, 40))
    }
    #expect(notices.all.isEmpty)
    #expect(try PictureFile.pageCount(of: folder.path("s.tif")) == 3)
    #expect(try PictureFiles.list(folder.path).count == 3)
  }

  @Test func namesOfPagesNeverCollide() throws {
    try stack("s.tif", pages: 2)
    _ = try folder.folder("s")
    try Image(width: 4, height: 3).write(to: folder.path("s/p002.png"))
    let names = try PictureFiles.expand([folder.path], notices: notices).map(\.name)
    #expect(Set(names) == ["s/p001", "s/p002.tif", "s/p002.png"])
    try stack("many.tif", pages: 1000)
    let many = try PictureFiles.expand([folder.path("many.tif")]).map(\.name)
    #expect(many.first == "many/p0001" && many.last == "many/p1000" && Set(many).count == 1000)
  }

  @Test(arguments: ["s.npy", "s.mask.tif", "s.MASK.TIFF"])
  func masksOfAStackHaveAsManyPages(_ name: String) throws {
    try stack("s.tif", pages: 3)
    try masks(name, (0..<3).map { [UInt8](repeating: $0, count: 12) })
    let labelled = try LabelledImages(directory: folder.path, classes: classes, notices: notices)
    #expect(labelled.count == 3 && notices.all.isEmpty)
    for page in 0..<3 {
      let item = try labelled.load(page)
      #expect(item.mask.labels == [UInt8](repeating: UInt8(page), count: 12))
      #expect(item.image[3, 2].red == UInt8(20 * page))
    }
  }

  @Test(arguments: ["s.npy", "s.mask.tif"], [1, 2, 4])
  func masksOfOtherNumbersOfPagesAreRefused(_ name: String, _ pages: Int) throws {
    try stack("s.tif", pages: 3)
    try masks(name, (0..<pages).map { _ in [UInt8](repeating: 1, count: 12) })
    let labelled = try LabelledImages(directory: folder.path, classes: classes)
    let error = #expect(throws: DataError.self) { try labelled.load(0) }
    #expect(error?.isAboutContent == true && error?.file == folder.path(name) && error?.item == "pages")
  }

  @Test(arguments: [LabelFormat.png, .coco, .voc, .labelme])
  func convertedPagesArePicturesOfTheirOwn(format: LabelFormat) throws {
    _ = try folder.folder("from")
    var writer = try TIFFWriter(
      path: folder.path("from/s.tif"), width: 4, height: 3, kind: .deepGrey, pages: 2,
      pixelSize: PixelSize(x: 0.5, y: 0.5))
    for page in 0..<2 {
      try writer.append([UInt16](repeating: UInt16(257 * (page + 1)), count: 12), page: page)
    }
    try writer.finish()
    try Image(width: 4, height: 3, color: RGB(1, 2, 3)).write(to: folder.path("from/t.png"))
    try masks("from/s.npy", [[UInt8](repeating: 1, count: 12), [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]])
    try LabelMask(width: 4, height: 3, label: 2).write(to: folder.path("from/t.mask.png"))
    let named = ClassList(names: ["background", "a", "b"], palette: .distinct(count: 3))
    let from = try LabelledImages(directory: folder.path("from"), classes: named, notices: notices)
    try from.write(as: format, to: folder.path("to"))
    #expect(notices.all.contains { $0.kind == .changed && $0.text.contains("one by one") })
    let again = try LabelledImages(directory: folder.path("to"), classes: named)
    #expect(
      again.pictures.map(\.name).map { $0.replacing("images/", with: "") } == ["s/p001", "s/p002", "t"])
    for (index, picture) in again.pictures.enumerated() {
      let same = try #require(from.pictures.firstIndex { picture.name.hasSuffix($0.name) })
      #expect(try again.load(index).mask == from.load(same).mask)
      #expect(try again.load(index).image == from.load(same).image)
      #expect((try again.load(index).pixelSize == nil) == picture.name.hasSuffix("t"))
    }
  }

  @Test func aMaskOfAPictureMayBeATIFF() throws {
    try Image(width: 4, height: 3).write(to: folder.path("x.png"))
    try LabelMask(width: 4, height: 3, label: 2).write(
      to: folder.path("x.mask.tif"), palette: classes.palette)
    let labelled = try LabelledImages(directory: folder.path, classes: classes, notices: notices)
    #expect(try labelled.load(0).mask == LabelMask(width: 4, height: 3, label: 2) && notices.all.isEmpty)
  }

  @Test func pretrainingSeesEveryPage() throws {
    try stack("s.tif", pages: 3, width: 8, height: 8)
    let pictures = try UnlabelledImages(directory: folder.path, imageSize: 8, notices: notices)
    #expect(pictures.count == 3 && Set(pictures.paths).count == 3 && notices.all.isEmpty)
    #expect(try (0..<3).map { try pictures.image($0)[0, 0].red } == [0, 20, 40])
    let bright = try UnlabelledImages(
      directory: folder.path, imageSize: 8, reading: PictureReading(range: .values(0, 80)))
    #expect(try bright.image(2)[0, 0].red == 128)
  }

  @Test func aSegmenterRemembersHowPicturesAreRead() throws {
    let world = try TinyWorld()
    let path = world.folder.path("s.safetensors")
    var segmenter = try world.train()
    try segmenter.write(to: path)
    #expect(try SegmenterFile(contentsOf: path).record.format == 4)
    segmenter.reading = PictureReading(
      orientation: .ignore, channels: [0, 2, 1], range: .percentile(0.1, 99.9))
    try segmenter.write(to: path)
    let file = try SegmenterFile(contentsOf: path)
    #expect(file.record.format == 6 && file.record.range == "percentile:0.1,99.9")
    #expect(try Segmenter(contentsOf: path, features: segmenter.features).reading == segmenter.reading)
    var record = file.record
    for (channels, range) in [([0, 1], "full"), ([-1], "full"), ([0], "some")] {
      (record.channels, record.range) = (channels, range)
      let error = #expect(throws: DataError.self) { try record.reading(.apply, file: path) }
      #expect(error?.kind == .malformed && error?.file == path)
    }
  }
}
