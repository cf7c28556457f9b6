import Augment
import Base
import Foundation
import Images
import TensorCore
import TestSupport
import Testing
import Training

@testable import DiffusionSegmentation

/// Squares at random places of large pictures.
struct RandomSquareTests {
  let folder: TemporaryFolder
  let notices = Notices()
  private static let side = 8

  init() throws { folder = try TemporaryFolder() }

  /// Red tells the column, green the row, blue the picture.
  private static func map(_ number: Int, width: Int = 60, height: Int = 50) -> Image {
    var image = Image(width: width, height: height)
    for y in 0..<height { for x in 0..<width { image[x, y] = RGB(UInt8(x), UInt8(y), UInt8(number)) } }
    return image
  }

  private func write(_ image: Image, _ name: String, pixelSize: Double? = nil) throws {
    guard name.hasSuffix("tif") else { return try image.write(to: folder.path(name)) }
    var writer = try TIFFWriter(
      path: folder.path(name), width: image.width, height: image.height, kind: .rgb,
      pixelSize: pixelSize.map { PixelSize(x: $0, y: $0) })
    try writer.append(image.pixels)
    try writer.finish()
  }

  private func pictures(
    _ scale: Tiling.Scale = .factor(1), cacheBytes: Int = 1 << 20, reading: PictureReading = PictureReading()
  ) throws -> UnlabelledImages {
    try UnlabelledImages(
      directory: folder.path, imageSize: Self.side, crop: .random(scale), reading: reading, notices: notices,
      cacheBytes: cacheBytes)
  }

  private func visit(_ picture: Int, _ number: Int) -> PictureVisit {
    PictureVisit(picture: picture, number: number, seed: 7)
  }

  /// All columns and rows are begun at, up to the borders, and what is shown is what lies there.
  @Test func squaresComeFromEverywhere() throws {
    try write(Self.map(3), "a.png")
    let pictures = try pictures()
    var (columns, rows) = (Set<Int>(), Set<Int>())
    for number in 0..<500 {
      let square = try pictures.image(visit(0, number))
      let (x, y) = (Int(square[0, 0].red), Int(square[0, 0].green))
      #expect(square == Self.map(3).cropped(x: x, y: y, width: Self.side, height: Self.side))
      columns.insert(x)
      rows.insert(y)
    }
    #expect(columns == Set(0...52) && rows == Set(0...42))
    let middle = try pictures.image(0)
    #expect(middle[0, 0] == RGB(26, 21, 3))
  }

  /// Kept, scaled, cut in advance or read from the file for itself, in any order, by any number of threads.
  @Test(arguments: [1.0, 0.5, 1.3], ["png", "tif"])
  func whatIsShownFollowsFromTheVisitAlone(scale: Double, ending: String) throws {
    let height = ending == "tif" ? 250 : 50
    for index in 0..<3 { try write(Self.map(index, height: height), "p\(index).\(ending)") }
    let visits = (0..<120).map { visit($0 % 3, $0 / 3) }
    let geometry = try ImageFit.tile(Tiling(scale: .factor(scale))).geometry(
      width: 60, height: height, input: .init(size: Self.side, normalization: .ddpmTraining))
    let expected = try visits.map { visit in
      let canvas = try #require(
        try PictureCrop.random(.factor(scale)).canvas(
          width: 60, height: height, side: Self.side, name: "a"))
      let tile = canvas.tile(visit.random)
      return geometry.apply(Self.map(visit.picture, height: height)).cropped(
        x: tile.x, y: tile.y, width: Self.side, height: Self.side)
    }
    for cacheBytes in [0, 6000, 20_000, 1 << 20] {
      for order in [Array(visits.indices), Array(visits.indices.reversed())] {
        let pictures = try pictures(.factor(scale), cacheBytes: cacheBytes)
        for index in order {
          let isSame = try pictures.image(visits[index]) == expected[index]
          #expect(isSame, "\(index) with \(cacheBytes) bytes")
        }
      }
      let shown = try withThreadCounts([1, 4]) {
        var sequence = PictureSequence(seed: 7)
        sequence.pictures = try pictures(.factor(scale), cacheBytes: cacheBytes)
        return try (0..<5).map { step in
          try sequence.squares(
            8, step: step, side: Self.side, mirrors: true, turns: true, random: Philox(seed: UInt64(step))
          ).pictures.elements
        }
      }
      let isSame = shown[0] == shown[1]
      #expect(isSame)
    }
    #expect(notices.all.isEmpty)
  }

  /// Of a picture that is not kept several squares are cut at a time, so that its file is not needed for each.
  @Test func decodedPicturesServeSeveralVisits() throws {
    for index in 0..<2 { try write(Self.map(index), "p\(index).png") }
    let all = try pictures()
    let few = try pictures(cacheBytes: 4 * 2 * 5 * 3 * 64)
    #expect(try few.image(visit(0, 0)) == all.image(visit(0, 0)))
    #expect(try all.image(visit(1, 0)) == few.image(visit(1, 0)))
    for index in 0..<2 { try FileManager.default.removeItem(atPath: folder.path("p\(index).png")) }
    for number in 1..<5 { #expect(try few.image(visit(0, number)) == all.image(visit(0, number))) }
    let error = #expect(throws: DataError.self) { try few.image(visit(0, 5)) }
    #expect(error?.kind == .noInput)
    // A square is shown once.
    #expect(throws: DataError.self) { try few.image(visit(0, 3)) }
  }

  /// A TIFF file that is not kept and much higher than a square: strips further below are not looked at.
  @Test func onlyStripsOfTheSquareAreDecoded() throws {
    var random = Philox(seed: 1)
    var image = Image(width: 4000, height: 600)
    // What cannot be packed, so that the middle of the file is that of the picture.
    for y in 0..<600 { for x in 0..<4000 { image[x, y] = RGB(0, 0, UInt8(random.nextWord() & 255)) } }
    try write(image, "a.tif")
    let path = URL(fileURLWithPath: folder.path("a.tif"))
    let sound = try pictures(cacheBytes: 0)
    let before = try (0..<40).map { try sound.image(visit(0, $0)) }
    var bytes = try Data(contentsOf: path)
    // What follows the middle of the file is damaged, but for the directory at its end.
    for place in bytes.count / 2..<bytes.count - 4000 { bytes[place] = 0x55 }
    try bytes.write(to: path)
    var (whole, damaged) = (0, 0)
    for number in 0..<40 {
      // One that was found to be damaged is not opened again.
      let pictures = try pictures(cacheBytes: 0)
      if let square = try? pictures.image(visit(0, number)) {
        #expect(square == before[number])
        whole += 1
      } else {
        damaged += 1
      }
    }
    #expect(whole > 6 && damaged > 8, "\(whole), \(damaged)")
  }

  /// Said once, with their number; places lie along the longer side.
  @Test func smallPicturesAreEnlargedAndCounted() throws {
    try write(Self.map(0), "a.png")
    try write(Self.map(1, width: 5, height: 15), "b.png")
    try write(Self.map(2, width: 14, height: 14), "c.png")
    let pictures = try pictures(.factor(0.5))
    #expect(notices.all.map(\.kind) == [.changed])
    #expect(notices.all.first?.text.hasPrefix("2 of 3 pictures are smaller than 8 pixels") == true)
    let tops = try Set((0..<60).map { try pictures.image(visit(1, $0))[0, 0].green })
    #expect(tops.count > 7 && tops.contains(0))
  }

  /// What a square uses of 16 bits says nothing about the picture.
  @Test(arguments: [0, 1 << 23]) func darkSquares(cacheBytes: Int) throws {
    // Wide enough for several strips.
    var writer = try TIFFWriter(path: folder.path("s.tif"), width: 4000, height: 400, kind: .deepGrey)
    for half in [60_000, 5] as [UInt16] {
      try writer.append([UInt16](repeating: half, count: 4000 * 200))
    }
    try writer.finish()
    let pictures = try pictures(cacheBytes: cacheBytes)
    for number in 0..<20 { _ = try pictures.image(visit(0, number)) }
    #expect(notices.all.map(\.kind) == [.changed], "\(notices.all.map(\.text))")
  }

  /// Pages of 16 bits, in the range that is asked for.
  @Test(arguments: [0, 1 << 20]) func pagesOfADeepStack(cacheBytes: Int) throws {
    var writer = try TIFFWriter(
      path: folder.path("s.tif"), width: 40, height: 200, kind: .deepGrey, pages: 3)
    for page in 0..<3 {
      try writer.append(
        (0..<200 * 40).map { UInt16(1000 + 4 * ($0 % 40) + 200 * ($0 / 40 % 2) + 400 * page) }, page: page)
    }
    try writer.finish()
    let reading = PictureReading(range: .values(1000, 1000 + 255 * 8))
    let pictures = try pictures(cacheBytes: cacheBytes, reading: reading)
    #expect(pictures.count == 3)
    for (page, number) in [(0, 0), (1, 0), (2, 0), (2, 1), (0, 1)] {
      let whole = try Image(contentsOf: folder.path("s.tif"), page: page, reading: reading)
      let canvas = try #require(
        try PictureCrop.random(.factor(1)).canvas(width: 40, height: 200, side: Self.side, name: "s"))
      let tile = canvas.tile(visit(page, number).random)
      #expect(
        try pictures.image(visit(page, number))
          == whole.cropped(x: tile.x, y: tile.y, width: Self.side, height: Self.side))
    }
    #expect(
      notices.all.map(\.kind) == [.changed] && notices.all.first?.text.contains("reduced to 8 bits") == true)
  }

  /// Scaled to a width of a pixel, where files tell it; others are left out.
  @Test func pixelSizes() throws {
    try write(Self.map(0), "a.tif", pixelSize: 0.5)
    try write(Self.map(1), "b.tif", pixelSize: 1)
    try write(Self.map(2), "c.png")
    let pictures = try pictures(.pixelSize(1))
    #expect(pictures.count == 2)
    #expect(notices.all.map(\.kind) == [.leftOut] && notices.all.first?.item == "pixel size")
    let half = Self.map(0).resized(width: 30, height: 25, filter: .bilinear)
    #expect(try pictures.image(0) == half.cropped(x: 11, y: 8, width: Self.side, height: Self.side))
    #expect(try pictures.image(1)[0, 0] == RGB(26, 21, 1))
    try FileManager.default.removeItem(atPath: folder.path("a.tif"))
    try FileManager.default.removeItem(atPath: folder.path("b.tif"))
    let error = #expect(throws: DataError.self) { try self.pictures(.pixelSize(1)) }
    #expect(error?.item == "pixel size")
  }

  /// The next sound picture is cut where the damaged one would have been.
  @Test(arguments: [0, 1 << 20]) func aDamagedPicture(cacheBytes: Int) throws {
    for index in 0..<3 { try write(Self.map(index), "p\(index).png") }
    let path = URL(fileURLWithPath: folder.path("p1.png"))
    var bytes = try Data(contentsOf: path)
    // So far behind that only decoding tells.
    for index in bytes.count / 2..<bytes.count - 16 { bytes[index] = 0x55 }
    try bytes.write(to: path)
    let pictures = try pictures(cacheBytes: cacheBytes)
    #expect(pictures.count == 3 && notices.all.isEmpty)
    let square = try pictures.image(visit(1, 4))
    #expect(square[0, 0].blue == 2)
    let canvas = try #require(
      try PictureCrop.random(.factor(1)).canvas(width: 60, height: 50, side: Self.side, name: "a"))
    let tile = canvas.tile(visit(1, 4).random)
    #expect(square[0, 0] == RGB(UInt8(tile.x), UInt8(tile.y), 2))
    #expect(notices.all.map(\.kind) == [.leftOut])
  }

  /// A file that became another after it was listed.
  @Test func anotherSizeIsAnError() throws {
    for index in 0..<2 { try write(Self.map(index), "p\(index).png") }
    let pictures = try pictures()
    try write(Self.map(0, width: 61), "p0.png")
    notices.isStrict = true
    let error = #expect(throws: DataError.self) { try pictures.image(visit(0, 0)) }
    #expect(error?.item == "size" && error?.found == "61 x 50")
  }
}
