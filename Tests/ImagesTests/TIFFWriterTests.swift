import Base
import Foundation
import Images
import Testing

@Suite struct TIFFWriterTests {
  @Test(arguments: [(1, 1), (7, 300), (300, 7), (5000, 3), (4097, 300)])
  func `a picture is read back unchanged`(width: Int, height: Int) throws {
    let picture = Fixtures.picture(width, height)
    try Fixtures.withFolder { folder in
      let path = "\(folder)/a.tif"
      try picture.write(to: path)
      let notices = Notices()
      #expect(try Image(contentsOf: path, notices: notices) == picture)
      #expect(notices.all.isEmpty)
    }
  }

  @Test(arguments: [nil, Palette.distinct(count: 5), .distinct(count: 256)], [(13, 9), (4500, 2)])
  func `a mask is read back unchanged`(palette: Palette?, size: (Int, Int)) throws {
    let labels = Fixtures.noise(count: size.0 * size.1, seed: 3).map { palette == nil ? $0 : $0 % 5 }
    let mask = LabelMask(width: size.0, height: size.1, labels: labels)
    try Fixtures.withFolder { folder in
      let path = "\(folder)/mask.tif"
      try mask.write(to: path, palette: palette)
      #expect(try LabelMask(contentsOf: path) == mask)
      let colors = try Palette(contentsOf: path)?.colors
      #expect(colors?.prefix(palette?.colors.count ?? 0) == palette?.colors[...])
      if let palette { #expect(try Image(contentsOf: path) == Image(mask: mask, palette: palette)) }
    }
  }

  @Test(arguments: [(40, 30), (4100, 513)])
  func `pages grow side by side, in rows of any number`(width: Int, height: Int) throws {
    let samples = (0..<3).map { page in
      let noise = Fixtures.noise(count: 2 * width * height, seed: UInt64(page))
      return (0..<width * height).map { UInt16(noise[2 * $0]) << 8 | UInt16(noise[2 * $0 + 1]) }
    }
    try Fixtures.withFolder { folder in
      let path = "\(folder)/a.tif"
      var writer = try TIFFWriter(
        path: path, width: width, height: height, kind: .deepGrey, pages: 3, names: ["a", "b", "c"],
        pixelSize: PixelSize(x: 0.25, y: 4))
      for row in stride(from: 0, to: height, by: 100) {
        let rows = row * width..<min(row + 100, height) * width
        for page in 0..<3 { try writer.append(Array(samples[page][rows]), page: page) }
      }
      try writer.finish()
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.tif"])
      #expect(try Image.pageCount(ofFile: path) == 3)
      let size = try #require(try Image.pixelSize(ofFile: path))
      #expect(abs(size.x - 0.25) < 1e-6 && abs(size.y - 4) < 1e-4)
      for page in 0..<3 {
        let image = try Image(contentsOf: path, page: page)
        let expected = samples[page].map { UInt8((Double($0) / 257).rounded()) }
        let found = stride(from: 0, to: image.pixels.count, by: 3).map { image.pixels[$0] }
        #expect(largestDifference(found, expected) == 0)
      }
    }
  }

  @Test func `a file that is not finished is not there`() throws {
    try Fixtures.withFolder { folder in
      do {
        var writer = try TIFFWriter(path: "\(folder)/a.tif", width: 10, height: 300, kind: .grey)
        try writer.append([UInt8](repeating: 3, count: 1000))
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
      for path in ["\(folder)/none/a.tif", "/dev/null"] {
        let error = #expect(throws: DataError.self) {
          _ = try TIFFWriter(path: path, width: 10, height: 300, kind: .grey)
        }
        #expect(error?.kind == .cannotCreate)
      }
    }
  }

  @Test func `the bytes are the same every time`() throws {
    let picture = Fixtures.picture(40, 30)
    #expect(try picture.encoded(.tiff) == picture.encoded(.tiff))
  }
}
