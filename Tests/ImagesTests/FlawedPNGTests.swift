import Base
import Foundation
import Images
import Testing

/// PNG files with flaws that cost no pixel, and with information that is not used.
@Suite struct FlawedPNGTests {
  private func read(_ bytes: [UInt8]) throws -> (image: Image, kinds: [Notice.Kind], texts: String) {
    let notices = Notices()
    let image = try Image(decoding: bytes, notices: notices)
    return (image, notices.all.map(\.kind), notices.all.map(\.text).joined(separator: "; "))
  }

  /// 36 x 10 grey pixels; 24 of the first row are repeated in the last, 333 bytes away, in a file that claims a window
  /// of 256.
  @Test func `a window smaller than the data needs is no flaw`() throws {
    let text =
      "iVBORw0KGgoAAAANSUhEUgAAACQAAAAKCAAAAAD5zaMCAAAAKklEQVQI12P4cWjf+c"
      + "lSb0W/Xn6vyzp3vo3Zm1y940EKZxlGAemAmMAEALDVGjXUZdIYAAAAAElFTkSuQmCC"
    let bytes = [UInt8](try #require(Data(base64Encoded: text)))
    let (image, kinds, _) = try read(bytes)
    #expect(kinds.isEmpty)
    let grey = (0..<360).map { image.pixels[3 * $0] }
    #expect(grey[0..<4] == [248, 194, 190, 207] && grey[0..<24] == grey[324..<348])
    #expect(try LabelMask(decoding: bytes).labels == grey)
  }

  @Test func `bytes after the end are left out`() throws {
    let bytes = PNGFile(width: 2, height: 1, samples: Array(1...6)).bytes
    #expect(try read(bytes + [1]).kinds == [.leftOut])
    #expect(try read(bytes + bytes).kinds == [.leftOut])
    #expect(try read(bytes + Array(repeating: 0, count: 90)).kinds.isEmpty)
  }

  @Test func `more data than pixels is told`() throws {
    let plain = PNGFile(width: 2, height: 1, samples: Array(1...6))
    var longer = plain
    longer.surplus = 100
    let (image, kinds, _) = try read(longer.bytes)
    #expect(try image == Image(decoding: plain.bytes))
    #expect(kinds == [.suspicious])
  }

  @Test func `a bad colour profile is not looked at`() throws {
    var file = PNGFile(width: 2, height: 1, samples: Array(1...6))
    file.extraChunks = [("iCCP", Array("icc\0\0nonsense".utf8)), ("gAMA", [1]), ("cHRM", [])]
    #expect(try read(file.bytes).kinds.isEmpty)
  }

  @Test func `of an animation the first picture is read`() throws {
    var file = PNGFile(width: 2, height: 1, samples: Array(1...6))
    file.extraChunks = [("acTL", PNGFile.bigEndian(2) + PNGFile.bigEndian(0))]
    #expect(try read(file.bytes).kinds == [.leftOut])
  }

  @Test(arguments: PNGKind.all.filter { [.greyAlpha, .rgba].contains($0.colorType) })
  func `alpha is dropped with a notice unless all is opaque`(kind: PNGKind) throws {
    let (type, opaque) = (kind.colorType, (1 << kind.bitDepth) - 1)
    for alpha in [opaque, opaque - 1, 0] {
      var file = kind.file(width: 9, height: 7)
      for pixel in 0..<63 { file.samples[type.channels * pixel + type.channels - 1] = opaque }
      file.samples[type.channels * 40 - 1] = alpha
      let (_, _, texts) = try read(file.bytes)
      #expect(texts.contains("transparency") == (alpha < opaque))
    }
  }

  @Test func `transparent colours are told when pixels have them`() throws {
    var indexed = PNGFile(width: 4, height: 1, colorType: .indexed, bitDepth: 2, samples: [0, 1, 1, 0])
    indexed.palette = Array(0..<12)
    for (alphas, kinds) in [([255, 255], []), ([255, 9], [.changed]), ([255, 255, 0, 0], [])]
      as [([UInt8], [Notice.Kind])]
    {
      indexed.extraChunks = [("tRNS", alphas)]
      #expect(try read(indexed.bytes).kinds == kinds)
    }
    var grey = PNGFile(width: 4, height: 1, colorType: .grey, bitDepth: 4, samples: [0, 1, 1, 0])
    var color = PNGFile(width: 1, height: 1, samples: [7, 8, 9])
    for (isThere, level) in [(true, 1), (false, 2)] as [(Bool, UInt8)] {
      grey.extraChunks = [("tRNS", [0, level])]
      color.extraChunks = [("tRNS", [0, 7, 0, 8, 0, 8 + level])]
      #expect(try read(grey.bytes).kinds == (isThere ? [.changed] : []))
      #expect(try read(color.bytes).kinds == (isThere ? [.changed] : []))
    }
  }

  @Test(arguments: 1...16, [PNGFile.ColorType.grey, .rgb, .rgba])
  func `16-bit samples of fewer bits are told`(bits: Int, type: PNGFile.ColorType) throws {
    for largest in [1 << bits - 1, 1 << (bits - 1)] {
      let samples = Array(repeating: largest, count: 3 * type.channels).enumerated().map {
        // The alpha of four channels has all bits.
        type == .rgba && $0.offset % 4 == 3 ? 65_535 : $0.offset == 0 ? $0.element : 0
      }
      let file = PNGFile(width: 3, height: 1, colorType: type, bitDepth: 16, samples: samples)
      let (image, kinds, texts) = try read(file.bytes)
      #expect(image.pixels[0] == UInt8((Double(largest) / 257).rounded()))
      #expect(kinds == (bits == 16 ? [.changed] : [.changed, .suspicious]))
      #expect(texts.contains("only \(bits) of 16 bits") == (bits < 16))
    }
  }

  @Test func `the variant for Apple's apps is named`() throws {
    let bytes = PNGFile(width: 2, height: 1, samples: Array(1...6)).bytes
    let variant = bytes[..<8] + PNGFile.chunk("CgBI", [0, 0, 0, 0]) + bytes[8...]
    let error = #expect(throws: DataError.self) { try Image(decoding: Array(variant)) }
    #expect(error?.kind == .unsupported && error?.found.contains("CgBI") == true)
  }
}
