import Base
import Foundation
import Images
import Testing

@Suite struct DamagedFileTests {
  private static let smallPNGs = [
    PNGKind(colorType: .rgb, bitDepth: 8, isInterlaced: false),
    PNGKind(colorType: .indexed, bitDepth: 2, isInterlaced: true),
    PNGKind(colorType: .greyAlpha, bitDepth: 16, isInterlaced: true),
  ]

  @Test(arguments: smallPNGs)
  func `a PNG cut off anywhere is refused`(kind: PNGKind) throws {
    let bytes = kind.file(width: 9, height: 7).bytes
    for count in 0..<bytes.count {
      let error = try #require(throws: DataError.self) {
        try Image(decoding: Array(bytes[0..<count]), name: "cut.png")
      }
      #expect(error.kind == .malformed && error.file == "cut.png" && !error.found.isEmpty)
    }
  }

  @Test(arguments: smallPNGs)
  func `a PNG with any bit flipped is refused`(kind: PNGKind) throws {
    let bytes = kind.file(width: 9, height: 7).bytes
    #expect(throws: Never.self) { try Image(decoding: bytes) }
    for bit in 0..<8 * bytes.count {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(throws: DataError.self) { try Image(decoding: flipped) }
      #expect(throws: DataError.self) { try LabelMask(decoding: flipped) }
    }
  }

  @Test(arguments: smallPNGs)
  func `a bit flipped in a part beside the picture costs no pixel and is told`(kind: PNGKind) throws {
    var file = kind.file(width: 9, height: 7)
    let plain = try Image(decoding: file.bytes)
    let start = file.bytes.count - 12
    file.chunksAtEnd = [("tEXt", Array("Title\0x".utf8))]
    let bytes = file.bytes
    var read = 0
    for bit in 8 * start..<8 * (bytes.count - 12) {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      let notices = Notices()
      guard let image = try? Image(decoding: flipped, notices: notices) else { continue }
      read += 1
      #expect(image == plain)
      #expect(notices.all.contains { $0.text.contains("wrong checksum") })
    }
    // The length, and the bits of the name that make a chunk critical or none, are needed.
    #expect(read > 8 * 10)
  }

  @Test func `a wrong checksum is named`() throws {
    var bytes = Self.smallPNGs[0].file(width: 4, height: 4).bytes
    bytes[bytes.count - 14] ^= 0xFF
    let error = try #require(throws: DataError.self) { try Image(decoding: bytes, name: "a.png") }
    #expect(error.file == "a.png" && error.found.contains("CRC"))
  }

  @Test func `bad compressed data behind right checksums is refused`() throws {
    let header = PNGFile.bigEndian(4) + PNGFile.bigEndian(4) + [8, 2, 0, 0, 0]
    let streams: [[UInt8]] = [
      [], [0x78], [0x78, 0x01, 0x07], Array(repeating: 0xFF, count: 40), PNGFile.zlib([0, 1, 2]),
      PNGFile.zlib(Array(repeating: 9, count: 4 * 13)),
    ]
    for stream in streams {
      let bytes =
        [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + PNGFile.chunk("IHDR", header)
        + PNGFile.chunk("IDAT", stream) + PNGFile.chunk("IEND", [])
      #expect(throws: DataError.self, "\(stream)") { try Image(decoding: bytes) }
    }
  }

  @Test(arguments: [
    (100_000, 100_000, DataError.Kind.unsupported), (16_385, 16_384, .unsupported),
    (1 << 20, 1 << 20, .malformed),
    (0x7FFF_FFFF, 0x7FFF_FFFF, .malformed), (0, 5, .malformed), (5, 0, .malformed),
    (16_384, 16_384, .malformed),
  ])
  func `a header that claims too much is refused before memory is taken`(
    width: Int, height: Int, kind: DataError.Kind
  ) throws {
    let honest = PNGFile(width: 1, height: 1, samples: [1, 2, 3]).bytes
    let lying =
      Array(honest[0..<8])
      + PNGFile.chunk("IHDR", PNGFile.bigEndian(width) + PNGFile.bigEndian(height) + [8, 2, 0, 0, 0])
      + honest[33...]
    let start = processorNanoseconds()
    let error = try #require(throws: DataError.self) { try Image(decoding: lying, name: "huge.png") }
    #expect(error.file == "huge.png")
    // 2^20 is libpng's own limit of a side, so either may be the one to refuse.
    #expect(error.kind == kind || width == 1 << 20)
    #expect(width != 16_384 || error.item == "size")
    #expect(processorNanoseconds() - start < 1_000_000_000)
  }

  @Test func `a JPEG cut off anywhere is refused`() throws {
    for name in ["half_chroma.jpg", "progressive.jpg", "grey.jpg", "cmyk.jpg"] {
      let bytes = try Fixtures.bytes("images/\(name)")
      for count in 0..<bytes.count {
        let error = try #require(throws: DataError.self) {
          try Image(decoding: Array(bytes[0..<count]), name: name)
        }
        #expect(error.file == name && error.kind == .malformed)
      }
    }
  }

  @Test func `a JPEG with a damaged byte is read or refused`() throws {
    for name in ["half_chroma.jpg", "progressive.jpg", "cmyk.jpg"] {
      let bytes = try Fixtures.bytes("images/\(name)")
      var refused = 0
      for index in bytes.indices {
        for change: UInt8 in [0x01, 0x80, 0xFF] {
          var damaged = bytes
          damaged[index] ^= change
          do throws(DataError) {
            _ = try Image(decoding: damaged)
          } catch {
            refused += 1
          }
        }
      }
      #expect(refused > bytes.count / 2)
    }
  }

  /// What this thread has used of its processor, which other programs do not make longer.
  private func processorNanoseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }

  /// A file with the sides in its frame header replaced.
  private func jpeg(_ name: String, claiming width: Int, _ height: Int) throws -> [UInt8] {
    var bytes = try Fixtures.bytes("images/\(name)")
    let frame = try #require(
      bytes.indices.dropLast().first { bytes[$0] == 0xFF && [0xC0, 0xC2].contains(bytes[$0 + 1]) })
    let sides = [height >> 8, height & 255, width >> 8, width & 255].map { UInt8($0) }
    bytes.replaceSubrange(frame + 5..<frame + 9, with: sides)
    return bytes
  }

  @Test(arguments: ["half_chroma.jpg", "progressive.jpg", "cmyk.jpg"])
  func `a JPEG that claims too much is refused at once`(name: String) throws {
    let start = processorNanoseconds()
    let huge = try #require(throws: DataError.self) {
      try Image(decoding: jpeg(name, claiming: 65_280, 65_000), name: "huge.jpg")
    }
    #expect(huge.kind == .unsupported && huge.found == "65280 x 65000")
    let large = try #require(throws: DataError.self) {
      try Image(decoding: jpeg(name, claiming: 16_000, 16_000), name: "large.jpg")
    }
    #expect(large.kind == .malformed)
    #expect(processorNanoseconds() - start < 1_000_000_000)
  }

  @Test func `missing files, folders and unwritable places are typed errors`() throws {
    try Fixtures.withFolder { folder in
      let picture = Fixtures.picture(2, 2)
      func expect(_ kind: DataError.Kind, _ call: () throws -> Void) {
        let error = #expect(throws: DataError.self, performing: call)
        #expect(error?.kind == kind)
      }
      expect(.noInput) { _ = try Image(contentsOf: "\(folder)/none.png") }
      expect(.noInput) { _ = try LabelMask(contentsOf: folder) }
      expect(.cannotCreate) { try picture.write(to: "\(folder)/none/a.png") }
      for name in ["a.gif", "a", "png", ".png/a"] {
        expect(.invalidArgument) { try picture.write(to: "\(folder)/\(name)") }
      }
      for quality in [0, 101, -1, Int.max] {
        expect(.invalidArgument) { try picture.write(to: "\(folder)/a.jpg", quality: quality) }
      }
      let leftBehind = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(leftBehind.isEmpty)
    }
  }
}
