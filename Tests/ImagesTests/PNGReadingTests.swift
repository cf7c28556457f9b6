import Foundation
import Images
import Testing

/// A kind of PNG file.
struct PNGKind: Sendable, CustomStringConvertible {
  var colorType: PNGFile.ColorType
  var bitDepth: Int
  var isInterlaced: Bool

  var description: String { "\(colorType) of \(bitDepth) bits\(isInterlaced ? ", interlaced" : "")" }

  static let all = PNGFile.ColorType.allCases.flatMap { type in
    type.bitDepths.flatMap { depth in
      [false, true].map { PNGKind(colorType: type, bitDepth: depth, isInterlaced: $0) }
    }
  }

  /// A file of this kind full of noise, its palette 16 colours short of what the depth allows where
  /// that is 256.
  func file(width: Int, height: Int) -> PNGFile {
    let colors = min(1 << bitDepth, 240)
    let count = width * height * colorType.channels
    let noise = Fixtures.noise(count: 2 * count, seed: UInt64(bitDepth) + 100 * UInt64(colorType.rawValue))
    var file = PNGFile(
      width: width, height: height, colorType: colorType, bitDepth: bitDepth, isInterlaced: isInterlaced)
    file.samples = (0..<count).map { (Int(noise[2 * $0]) << 8 | Int(noise[2 * $0 + 1])) >> (16 - bitDepth) }
    if colorType == .indexed { file.palette = Fixtures.noise(count: 3 * colors, seed: 9) }
    return file
  }
}

@Suite struct PNGReadingTests {
  @Test(arguments: PNGKind.all, [(1, 1), (5, 3), (17, 13)])
  func `pictures of every kind have the samples that Pillow gives`(kind: PNGKind, size: (Int, Int)) throws {
    let file = kind.file(width: size.0, height: size.1)
    let image = try Image(decoding: file.bytes)
    let channels = kind.colorType.channels
    let expected = (0..<size.0 * size.1).flatMap { pixel -> [UInt8] in
      let samples = file.samples[pixel * channels..<(pixel + 1) * channels].map { sample -> UInt8 in
        // 8 bits from 16 rounded to the nearest; from fewer by repeating the bits.
        kind.bitDepth == 16
          ? UInt8((Double(sample) / 257).rounded()) : UInt8(sample * 255 / ((1 << kind.bitDepth) - 1))
      }
      switch kind.colorType {
      case .grey, .greyAlpha: return [samples[0], samples[0], samples[0]]
      case .rgb, .rgba: return Array(samples[0..<3])
      case .indexed:
        let entry = 3 * file.samples[pixel]
        return entry < file.palette.count ? Array(file.palette[entry..<entry + 3]) : [0, 0, 0]
      }
    }
    #expect((image.width, image.height) == size)
    #expect(image.pixels == expected)
  }

  @Test func `every 16-bit sample is scaled by 1 over 257 and rounded`() throws {
    let file = PNGFile(width: 256, height: 256, colorType: .grey, bitDepth: 16, samples: Array(0..<65_536))
    let image = try Image(decoding: file.bytes)
    #expect((0..<65_536).allSatisfy { image.pixels[3 * $0] == UInt8((Double($0) / 257).rounded()) })
  }

  @Test func `gamma, profile, background and transparency change no sample`() throws {
    var file = PNGKind(colorType: .rgb, bitDepth: 8, isInterlaced: false).file(width: 9, height: 4)
    let plain = try Image(decoding: file.bytes)
    file.extraChunks = [
      ("gAMA", PNGFile.bigEndian(200_000)), ("sRGB", [0]), ("bKGD", [0, 9, 0, 9, 0, 9]),
      ("tRNS", file.samples[0..<3].flatMap { [0, UInt8($0)] }), ("tEXt", Array("Comment\0hello".utf8)),
    ]
    #expect(try Image(decoding: file.bytes) == plain)
  }

  @Test func `transparency of a palette leaves its colours`() throws {
    var file = PNGKind(colorType: .indexed, bitDepth: 4, isInterlaced: true).file(width: 9, height: 9)
    let plain = try Image(decoding: file.bytes)
    file.extraChunks = [("tRNS", Fixtures.noise(count: 16, seed: 4))]
    #expect(try Image(decoding: file.bytes) == plain)
  }

  @Test func `the kind of file is told by content and not by name`() throws {
    try Fixtures.withFolder { folder in
      let picture = Fixtures.picture(6, 5)
      try picture.write(to: "\(folder)/a.png")
      let renamed = "\(folder)/a.jpg"
      try #require(rename("\(folder)/a.png", renamed) == 0)
      #expect(try Image(contentsOf: renamed) == picture)
    }
  }

  @Test(arguments: [(1, 1), (7, 300), (300, 7), (64, 64)])
  func `a picture written as PNG is read back unchanged`(size: (Int, Int)) throws {
    let picture = Fixtures.picture(size.0, size.1)
    #expect(try Image(decoding: picture.encoded(.png)) == picture)
  }
}
