import Base
import Foundation
import Images
import Testing

/// What other programs read in a file, see `Tests/Fixtures/Pictures/make.py`.
struct ExpectedPicture: Decodable, Sendable, CustomTestStringConvertible {
  struct Reading: Decodable, Sendable {
    var channels: [Int]?
    var range: String?
  }
  var file: String
  var page: Int?
  var source: String?
  var width: Int
  var height: Int
  var channels: Int?
  var samples: Data?
  var labels: Data?
  var tolerance: Int?
  var reading: Reading?

  var testDescription: String {
    "\(file) \(page.map { "page \($0)" } ?? "") \(reading?.channels?.description ?? "") \(reading?.range ?? "")"
  }

  var path: String { Fixtures.path("Pictures/\(file)") }

  func pictureReading() throws -> PictureReading {
    PictureReading(
      channels: reading?.channels, range: try reading?.range.map { try SampleRange($0) } ?? .full)
  }

  static let all: [ExpectedPicture] = {
    let data = try! Data(contentsOf: URL(fileURLWithPath: Fixtures.path("Pictures/expected.json")))
    return try! JSONDecoder().decode([ExpectedPicture].self, from: data)
  }()
  static let pictures = all.filter { $0.samples != nil }
  static let masks = all.filter { $0.labels != nil }

  /// Red, green and blue; grey is repeated.
  var rgb: [UInt8] { channels == 3 ? Array(samples!) : samples!.flatMap { [$0, $0, $0] } }
}

/// The largest difference of two lists of the same length; nil for other lengths.
func largestDifference(_ a: [UInt8], _ b: [UInt8]) -> Int? {
  a.count == b.count ? zip(a, b).reduce(0) { max($0, abs(Int($1.0) - Int($1.1))) } : nil
}

@Suite struct TIFFTableTests {
  @Test(arguments: ExpectedPicture.pictures)
  func `every kind of file has the samples of other programs`(expected: ExpectedPicture) throws {
    let image = try Image(
      contentsOf: expected.path, page: expected.page, reading: expected.pictureReading())
    #expect((image.width, image.height) == (expected.width, expected.height))
    let difference = try #require(largestDifference(image.pixels, expected.rgb))
    #expect(difference <= expected.tolerance!, "\(expected.source!)")
  }

  /// Rows after others that were passed over, in strips, tiles, planes and pages, packed in any way.
  @Test(arguments: ExpectedPicture.pictures)
  func `rows that are passed over change none of those below`(expected: ExpectedPicture) throws {
    let reading = try expected.pictureReading()
    let whole = try Image(contentsOf: expected.path, page: expected.page, reading: reading)
    func rows(_ rows: Range<Int>) -> Image {
      whole.cropped(x: 0, y: rows.lowerBound, width: whole.width, height: rows.count)
    }
    for first in 0..<whole.height {
      let stream = try PictureStream(contentsOf: expected.path, page: expected.page, reading: reading)
      try stream.skip(to: first)
      let end = min(first + 2, whole.height)
      #expect(try stream.read(rows: 2) == rows(first..<end), "\(first)")
      guard end + 1 < whole.height else { continue }
      try stream.skip(to: end + 1)
      #expect(try stream.read(rows: whole.height) == rows(end + 1..<whole.height), "\(first)")
      #expect(try stream.read(rows: 1) == nil)
    }
  }

  @Test(arguments: ExpectedPicture.pictures, [1, 4, 1000])
  func `a stream gives the same rows`(expected: ExpectedPicture, rows: Int) throws {
    let reading = try expected.pictureReading()
    let stream = try PictureStream(contentsOf: expected.path, page: expected.page, reading: reading)
    let whole = try Image(contentsOf: expected.path, page: expected.page, reading: reading)
    #expect((stream.width, stream.height) == (whole.width, whole.height))
    var pixels: [UInt8] = []
    while let part = try stream.read(rows: rows) {
      #expect(part.width == whole.width && part.height <= rows)
      pixels += part.pixels
    }
    #expect(largestDifference(pixels, whole.pixels) == 0)
    #expect(try stream.read(rows: rows) == nil)
  }

  @Test(arguments: ExpectedPicture.masks)
  func `masks hold the numbers that are stored`(expected: ExpectedPicture) throws {
    let mask = try LabelMask(contentsOf: expected.path)
    #expect((mask.width, mask.height) == (expected.width, expected.height))
    #expect(mask.labels == Array(expected.labels!))
  }

  @Test(arguments: [16, 32])
  func `labels of many bits fit into 8, or the pixel is named`(bits: Int) throws {
    func file(_ values: [Int]) -> [UInt8] {
      let samples = values.flatMap { value in
        (0..<bits / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
      }
      var file = TIFFFile(width: 3, height: 2, samples)
      file.tags[258] = .short([bits])
      return file.bytes
    }
    let most = (1 << bits) - 1
    let notices = Notices()
    let mask = try LabelMask(decoding: file([0, 1, 2, 255, most, 7]), notices: notices)
    #expect(mask.labels == [0, 1, 2, 255, 255, 7] && notices.all.map(\.kind) == [.guessed])
    let error = #expect(throws: DataError.self) { try LabelMask(decoding: file([0, 1, 2, 3, 256, 7])) }
    #expect(error?.item == "pixel (1, 1)" && error?.found == "256")
  }

  @Test func `labels stay as they are stored where 0 is white, and that is said`() throws {
    var file = TIFFFile(width: 3, height: 1, [0, 1, 2])
    file.tags[262] = .short([0])
    let notices = Notices()
    #expect(try LabelMask(decoding: file.bytes, notices: notices).labels == [0, 1, 2])
    #expect(notices.all.map(\.kind) == [.guessed])
  }

  @Test func `masks may have the colours of classes, and floats are none`() throws {
    let palette = Palette.distinct(count: 4)
    let mask = LabelMask(width: 5, height: 3, labels: (0..<15).map { UInt8($0 % 4) })
    let bytes = try Image(mask: mask, palette: palette).encoded(.tiff)
    #expect(try LabelMask(decoding: bytes, palette: palette) == mask)
    for name in ["float32.tif", "int16.tif", "cmyk.tif", "rgb16_tiles.tif", "rgb8_lzw.tif"] {
      let error = #expect(throws: DataError.self) {
        try LabelMask(contentsOf: Fixtures.path("Pictures/\(name)"))
      }
      #expect(error?.kind == .unsupported)
    }
  }

  @Test func `pages are counted without thumbnails, and there are no others`() throws {
    let path = Fixtures.path("Pictures/pages.tif")
    #expect(try Image.pageCount(ofFile: path) == 3)
    #expect(try Image.pageCount(ofFile: Fixtures.path("images/rgb.jpg")) == 1)
    let notices = Notices()
    _ = try Image(contentsOf: path, notices: notices)
    let texts = notices.all.filter { $0.kind == .leftOut }.map(\.text)
    #expect(texts == ["all but the first of its 3 pages", "smaller copies or masks of its pages (1)"])
    for page in [-1, 3] {
      let error = #expect(throws: DataError.self) { try Image(contentsOf: path, page: page) }
      #expect(error?.kind == .invalidArgument && error?.item == "page")
    }
    #expect(throws: DataError.self) { try Image(contentsOf: Fixtures.path("images/rgb.jpg"), page: 1) }
  }

  @Test func `orientation turns a picture unless it is to be ignored`() throws {
    let path = Fixtures.path("Pictures/turned.tif")
    #expect(try Image.orientation(ofFile: path) == 6)
    let stored = try Image(contentsOf: path, reading: PictureReading(orientation: .ignore))
    #expect(try Image(contentsOf: path) == stored.upright(from: 6))
    let stream = try PictureStream(contentsOf: path, reading: PictureReading(orientation: .ignore))
    #expect(try stream.read(rows: 100) == stored)
  }

  @Test(
    arguments: [
      ("ome.ome.tif", 0.65, 0.7), ("imagej.tif", 0.25, 0.5), ("resolution.tif", 0.5, 1),
    ])
  func `the size of a pixel is known`(name: String, x: Double, y: Double) throws {
    let size = try #require(try Image.pixelSize(ofFile: Fixtures.path("Pictures/\(name)")))
    #expect(abs(size.x - x) < 1e-6 && abs(size.y - y) < 1e-6, "\(size)")
  }

  @Test(arguments: ["grey8.tif", "jpeg_strips.tif", "rgb16.png"])
  func `most files say nothing of the size of a pixel`(name: String) throws {
    #expect(try Image.pixelSize(ofFile: Fixtures.path("Pictures/\(name)")) == nil)
  }

  @Test(
    arguments: [
      ("rgba.tif", .changed, "transparency dropped"),
      (
        "premultiplied.tif", .suspicious,
        "its colours are darkened by transparency (premultiplied) and left so"
      ),
      ("cmyk.tif", .guessed, "CMYK converted to red, green and blue without a colour profile"),
      (
        "five_channels.tif", .leftOut,
        "4 more of its 5 channels than the first, shown as grey: --channels names others"
      ),
      ("grey16.tif", .changed, "16-bit samples reduced to 8 bits"),
      (
        "rgb16_tiles.tif", .suspicious,
        "uses only 12 of 16 bits, which makes it dark: --range percentile:0.1,99.9 spreads the values that it uses"
      ),
      (
        "float32.tif", .changed,
        "3 samples are not finite; NaN became black, infinity black or white"
      ),
      ("turned.tif", .changed, "turned by 90° clockwise as its TIFF orientation says"),
    ] as [(String, Notice.Kind, String)])
  func `what is dropped or guessed is said`(name: String, kind: Notice.Kind, text: String) throws {
    let notices = Notices()
    let path = Fixtures.path("Pictures/\(name)")
    _ = try Image(contentsOf: path, notices: notices)
    #expect(notices.all.contains(Notice(kind, file: path, text)), "\(notices.all)")
  }

  @Test(arguments: ["grey8.tif", "rgb8_planar_tiles.tif", "palette8.tif", "bilevel.tif", "ome.ome.tif"])
  func `a sound file gives no notice`(name: String) throws {
    let notices = Notices()
    _ = try Image(contentsOf: Fixtures.path("Pictures/\(name)"), notices: notices)
    #expect(notices.all.isEmpty, "\(notices.all)")
  }

  @Test(arguments: [[5], [0, 1, 5], [-1]])
  func `channels that there are not are refused`(channels: [Int]) throws {
    for name in ["five_channels.tif", "rgb16.png", "cmyk.jpg", "palette8.tif"] {
      let error = #expect(throws: DataError.self) {
        try Image(
          contentsOf: Fixtures.path("Pictures/\(name)"), reading: PictureReading(channels: channels))
      }
      #expect(error?.item == "channels" && error?.kind == .unsupported)
    }
  }
}
