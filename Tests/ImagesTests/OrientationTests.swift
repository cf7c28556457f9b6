import Base
import Images
import Testing

@Suite struct OrientationTests {
  /// Pixels 1 2 3 over 4 5 6, and what each orientation makes of them.
  @Test(
    arguments: [
      (1, [1, 2, 3, 4, 5, 6]), (2, [3, 2, 1, 6, 5, 4]), (3, [6, 5, 4, 3, 2, 1]), (4, [4, 5, 6, 1, 2, 3]),
      (5, [1, 4, 2, 5, 3, 6]), (6, [4, 1, 5, 2, 6, 3]), (7, [6, 3, 5, 2, 4, 1]), (8, [3, 6, 2, 5, 1, 4]),
    ] as [(Int, [UInt8])])
  func `all eight orientations`(orientation: Int, expected: [UInt8]) {
    let stored = Image(width: 3, height: 2, pixels: (1...6).flatMap { [$0, 10 * $0, 20 * $0] })
    let upright = stored.upright(from: orientation)
    #expect((upright.width, upright.height) == (orientation < 5 ? (3, 2) : (2, 3)))
    #expect(upright.pixels == expected.flatMap { [$0, 10 * $0, 20 * $0] })
  }

  @Test func `sizes beyond a tile turn four times to themselves`() {
    let stored = Fixtures.picture(71, 38)
    #expect((1...4).reduce(stored) { picture, _ in picture.upright(from: 6) } == stored)
    #expect(stored.upright(from: 6).upright(from: 8) == stored)
    #expect(stored.upright(from: 6).upright(from: 6) == stored.upright(from: 3))
    #expect(stored.upright(from: 5).upright(from: 2) == stored.upright(from: 6))
    for mirror in [2, 4, 5, 7] { #expect(stored.upright(from: mirror).upright(from: mirror) == stored) }
  }

  /// A picture with metadata, as JPEG and as PNG.
  private func files(_ tiff: [UInt8]) throws -> [[UInt8]] {
    var png = PNGFile(width: 3, height: 2, samples: Array(1...18))
    png.extraChunks = [("eXIf", tiff)]
    var late = PNGFile(width: 3, height: 2, samples: Array(1...18))
    late.chunksAtEnd = png.extraChunks
    let jpeg = Metadata.jpeg(try Fixtures.bytes("images/half_chroma.jpg"), with: Metadata.exif(tiff))
    return [jpeg, png.bytes, late.bytes]
  }

  @Test(arguments: 1...8, [true, false])
  func `pictures are turned upright with a notice unless told otherwise`(value: Int, isLittle: Bool) throws {
    for type in [1, 3, 4] {
      for file in try files(Metadata.tiff(orientation: value, isLittleEndian: isLittle, type: type)) {
        let (applied, ignored) = (Notices(), Notices())
        let upright = try Image(decoding: file, name: "a", notices: applied)
        let stored = try Image(
          decoding: file, name: "a", reading: PictureReading(orientation: .ignore), notices: ignored)
        #expect(upright == stored.upright(from: value))
        #expect(applied.all.map(\.kind) == (value == 1 ? [] : [.changed]))
        #expect(ignored.all.map(\.kind) == (value == 1 ? [] : [.ignored]))
        #expect((applied.all + ignored.all).allSatisfy { $0.file == "a" && $0.text.contains("EXIF") })
      }
    }
  }

  @Test func `the notice says the motion`() throws {
    let notices = Notices()
    _ = try Image(contentsOf: Fixtures.path("images/turned.jpg"), notices: notices)
    #expect(notices.all.map(\.text) == ["turned by 90° clockwise as its EXIF orientation says"])
    let ignored = Notices()
    let stored = try Image(
      contentsOf: Fixtures.path("images/turned.jpg"), reading: PictureReading(orientation: .ignore),
      notices: ignored)
    #expect(stored == (try Image(contentsOf: Fixtures.path("images/half_chroma.jpg"))))
    #expect(ignored.all.map(\.text) == ["its EXIF orientation says turned by 90° clockwise; not applied"])
  }

  @Test func `the orientation alone is read from the header`() throws {
    #expect(try Image.orientation(ofFile: Fixtures.path("images/turned.jpg")) == 6)
    #expect(try Image.orientation(ofFile: Fixtures.path("images/grey.jpg")) == 1)
    #expect(throws: DataError.self) { try Image.orientation(ofFile: Fixtures.path("images/README.md")) }
  }

  @Test func `damaged EXIF is ignored with a notice`() throws {
    let tiff = Metadata.tiff(orientation: 6)
    var wrongPlace = tiff
    wrongPlace[4] = 200
    var wrongType = tiff
    wrongType[24] = 2
    let damaged: [[UInt8]] = [
      [], Array(tiff[0..<7]), Array(tiff[0..<9]), Array(tiff[0..<25]), Array("neither II nor MM".utf8),
      wrongPlace, wrongType, Metadata.tiff(orientation: 9), Metadata.tiff(orientation: 65_535),
    ]
    for content in damaged {
      for file in try files(content) {
        let notices = Notices()
        let image = try Image(decoding: file, notices: notices)
        #expect(image == (try Image(decoding: file, reading: PictureReading(orientation: .ignore))))
        #expect(notices.all.map(\.kind) == [.ignored], "\(content)")
      }
    }
  }

  @Test func `unknown and missing orientations are upright without a notice`() throws {
    for tiff in [Metadata.tiff(orientation: 0), Metadata.tiff(orientation: 6, tag: 0x113)] {
      for file in try files(tiff) {
        let notices = Notices()
        _ = try Image(decoding: file, notices: notices)
        #expect(notices.all.isEmpty)
      }
    }
  }

  @Test func `EXIF comes before XMP, and the first EXIF before others`() throws {
    let plain = try Fixtures.bytes("images/half_chroma.jpg")
    let stored = try Image(decoding: plain)
    let exif6 = Metadata.exif(Metadata.tiff(orientation: 6))
    func read(_ file: [UInt8]) throws -> Image { try Image(decoding: file) }
    #expect(try read(Metadata.jpeg(plain, with: Metadata.xmp(orientation: 8))) == stored.upright(from: 8))
    #expect(
      try read(Metadata.jpeg(plain, with: Metadata.xmp(orientation: 8), exif6)) == stored.upright(from: 6))
    let upright = Metadata.exif(Metadata.tiff(orientation: 1))
    #expect(try read(Metadata.jpeg(plain, with: upright, Metadata.xmp(orientation: 8))) == stored)
    let three = Metadata.exif(Metadata.tiff(orientation: 3))
    #expect(try read(Metadata.jpeg(plain, with: exif6, three)) == stored.upright(from: 6))
    let other = Metadata.segment(0xE1, Array("some other program's".utf8))
    #expect(try read(Metadata.jpeg(plain, with: other, three)) == stored.upright(from: 3))
  }

  @Test func `labels are not turned`() throws {
    var file = PNGFile(width: 3, height: 2, colorType: .grey, samples: Array(1...6))
    file.extraChunks = [("eXIf", Metadata.tiff(orientation: 6))]
    let notices = Notices()
    #expect(try LabelMask(decoding: file.bytes, notices: notices).labels == Array(1...6))
    #expect(notices.all.map(\.kind) == [.ignored])
  }
}
