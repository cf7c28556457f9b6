import Base
import Foundation
import Images
import Testing

/// Palettes whose channels are chosen, masks where 0 is white, and BigTIFF.
@Suite struct PaletteChannelTests {
  /// Pictures with a palette, as bytes.
  private static func bytes(_ name: String) throws -> [UInt8] {
    guard name == "indexed.png" else {
      return Array(try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("Pictures/\(name)"))))
    }
    var file = PNGFile(width: 3, height: 2, colorType: .indexed, samples: [0, 1, 2, 2, 1, 0])
    file.palette = [1, 2, 3, 40, 50, 60, 200, 150, 100]
    return file.bytes
  }

  @Test(arguments: ["palette4.tif", "palette8.tif", "indexed.png"])
  func `channels of a palette are those of its colours`(name: String) throws {
    let bytes = try Self.bytes(name)
    let plain = try Image(decoding: bytes)
    for channels in [[2, 0, 1], [1], [0, 0, 2]] {
      let read = try Image(decoding: bytes, reading: PictureReading(channels: channels))
      let sources = channels.count == 1 ? [channels[0], channels[0], channels[0]] : channels
      let expected = stride(from: 0, to: plain.pixels.count, by: 3).flatMap { pixel in
        sources.map { plain.pixels[pixel + $0] }
      }
      #expect(largestDifference(read.pixels, expected) == 0)
    }
    // Ranges are those of the colours, too.
    let range = try Image(decoding: bytes, reading: PictureReading(range: .values(0, 51)))
    #expect(largestDifference(range.pixels, plain.pixels.map { UInt8(min(255, 5 * Int($0))) }) == 0)
    let error = #expect(throws: DataError.self) {
      try Image(decoding: bytes, reading: PictureReading(channels: [3]))
    }
    #expect(error?.item == "channels")
  }

  @Test(arguments: [("white2.tif", 3), ("white4.tif", 15), ("white8.tif", 255)])
  func `labels are numbers as they are stored though 0 is white`(name: String, most: Int) throws {
    let notices = Notices()
    let path = Fixtures.path("Pictures/\(name)")
    let mask = try LabelMask(contentsOf: path, notices: notices)
    let picture = try Image(contentsOf: path)
    let shown = mask.labels.map { UInt8((most - Int($0)) * 255 / most) }
    #expect(
      largestDifference(stride(from: 0, to: 3 * shown.count, by: 3).map { picture.pixels[$0] }, shown) == 0)
    #expect(notices.all.map(\.kind) == [.guessed])
  }

  @Test func `a BigTIFF mask is read, of 16 bits too`() throws {
    var file = TIFFFile(width: 3, height: 2, [0, 1, 2, 255, 7, 0])
    file.isBig = true
    #expect(try LabelMask(decoding: file.bytes).labels == [0, 1, 2, 255, 7, 0])
    #expect(try Image(decoding: file.bytes)[1, 1] == RGB(7, 7, 7))
    #expect(try Image(decoding: file.bytes)[0, 1] == .white)
    file = TIFFFile(width: 2, height: 1, [3, 0, 255, 255])
    file.isBig = true
    file.tags[258] = .short([16])
    #expect(try LabelMask(decoding: file.bytes).labels == [3, 255])
    let palette = Palette(colors: [.black, RGB(9, 0, 0)])
    file = TIFFFile(width: 2, height: 1, [9, 0, 0, 0, 0, 0])
    file.isBig = true
    (file.tags[258], file.tags[262], file.tags[277]) = (.short([8, 8, 8]), .short([2]), .short([3]))
    #expect(try LabelMask(decoding: file.bytes, palette: palette).labels == [1, 0])
  }
}
