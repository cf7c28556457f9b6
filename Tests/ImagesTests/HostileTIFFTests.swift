import Base
import Foundation
import Images
import Testing

/// Files that lie, and files that are cut: typed errors, and no memory for what is not there.
@Suite struct HostileTIFFTests {
  private func error(_ file: TIFFFile) throws -> DataError {
    let error = try #require(throws: DataError.self) { try Image(decoding: file.bytes, name: "x.tif") }
    #expect(error.file == "x.tif")
    #expect(throws: DataError.self) { try LabelMask(decoding: file.bytes) }
    return error
  }

  private let sound = TIFFFile(width: 5, height: 4, Array(1...20))

  @Test(arguments: [false, true])
  func `a file made by hand is read`(isBig: Bool) throws {
    var file = sound
    file.isBig = isBig
    #expect(try LabelMask(decoding: file.bytes).labels == Array(1...20))
    #expect(try Image(decoding: file.bytes).pixels == (1...20).flatMap { [$0, $0, $0] })
  }

  @Test(arguments: [false, true])
  func `directories in a circle are told`(isBig: Bool) throws {
    var file = sound
    file.isBig = isBig
    file.next = file.directoryOffset
    #expect(try error(file).found.contains("comes back"))
    // By way of a second page.
    var bytes = file.bytes
    let (second, place) = (bytes.count, isBig ? 8 : 4)
    let start = file.directoryOffset
    bytes.replaceSubrange(
      second - place..<second, with: (0..<place).map { UInt8(truncatingIfNeeded: second >> (8 * $0)) })
    bytes += bytes[start..<second - place] + (0..<place).map { UInt8(truncatingIfNeeded: start >> (8 * $0)) }
    try Fixtures.withFolder { folder in
      try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/a.tif"))
      let error = #expect(throws: DataError.self) { try Image.pageCount(ofFile: "\(folder)/a.tif") }
      #expect(error?.kind == .malformed && error?.item == "directories")
      #expect(throws: DataError.self) { try PictureStream(contentsOf: "\(folder)/a.tif") }
    }
  }

  @Test(arguments: [1, 1 << 20, Int(UInt32.max) - 8])
  func `a next directory outside the file is told`(offset: Int) throws {
    var file = sound
    file.next = file.bytes.count - 1 + offset
    #expect(try error(file).item == "directories")
  }

  @Test(arguments: [1, 5, 8, 32_773, 7])
  func `sizes that the file cannot hold are refused at once`(compression: Int) throws {
    for (width, height) in [
      (1 << 31, 1 << 31), (1 << 20, 1 << 20), (16_384, 16_384), (1 << 20, 255), (65_535, 4000),
    ] {
      var file = sound
      file.tags[256] = .long([width])
      file.tags[257] = .long([height])
      file.tags[259] = .short([compression])
      file.tags[278] = .long([height])
      #expect(["size", "tiles", "directory"].contains(try error(file).item))
    }
  }

  @Test func `strips that lie are told`() throws {
    var file = sound
    file.offsetShift = 1 << 20
    _ = try error(file)
    // libtiff goes by the size of the picture where a size without compression cannot be, and needs no more than that.
    for (count, rows) in [(0, 4), (1, 4), (19, 4), (1 << 30, 4), (Int(UInt32.max), 4), (20, 1), (3, 2)] {
      file = sound
      file.byteCounts = [count]
      file.tags[278] = .long([rows])
      do {
        #expect(try LabelMask(decoding: file.bytes).labels == Array(1...20))
      } catch {
        #expect(error.isAboutFile)
      }
    }
    file = sound
    file.tags[259] = .short([5])
    for count in [0, 1, 19, 1 << 30] {
      file.byteCounts = [count]
      _ = try error(file)
    }
    file = sound
    file.tags[278] = .long([0])
    _ = try error(file)
  }

  @Test(arguments: [0, 2, 999, 6, 34_712, 65_535])
  func `unknown compressions are told by their number`(compression: Int) throws {
    var file = sound
    file.tags[259] = .short([compression])
    let error = try error(file)
    // What is no fax looks like a damaged one.
    if ![0, 2].contains(compression) {
      #expect(error.kind == .unsupported && error.item == "compression")
      #expect(error.found.contains("\(compression)"))
    }
  }

  @Test(
    arguments: [
      (258, [0]), (258, [24]), (258, [17]), (258, [64]), (258, [65_535]), (277, [0]), (277, [65_535]),
      (262, [2]), (262, [5]), (262, [8]), (262, [32_803]), (262, [9999]), (339, [3]), (339, [5]),
      (339, [6]), (284, [2, 2]), (256, [0]), (257, [0]), (273, []), (317, [7]),
    ] as [(Int, [Int])])
  func `tags that cannot be used are told`(tag: Int, values: [Int]) throws {
    var file = sound
    file.tags[tag] = .short(values)
    if tag == 317 {
      // Without compression a predictor means nothing.
      #expect(try LabelMask(decoding: file.bytes).labels == Array(1...20))
    } else {
      _ = try error(file)
    }
  }

  @Test(arguments: [(0, 16), (16, 0), (1 << 31, 16), (16, 1 << 31), (1 << 20, 1 << 20), (15, 15)])
  func `tiles of impossible sizes are told`(width: Int, height: Int) throws {
    var file = sound
    file.tags[278] = nil
    file.tags[322] = .long([width])
    file.tags[323] = .long([height])
    _ = try error(file)
  }

  @Test(arguments: ["jpeg_grey.tif", "jpeg_ycbcr_tiles.tif", "jpeg_strips.tif"])
  func `samples that libjpeg makes up are an error`(name: String) throws {
    var bytes = try Fixtures.bytes("Pictures/\(name)")
    let scan = try #require(bytes.indices.dropLast(40).first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xDA })
    // The end of the picture amid its data.
    bytes.replaceSubrange(scan + 30..<scan + 32, with: [0xFF, 0xD9])
    let error = #expect(throws: DataError.self) { try Image(decoding: bytes) }
    #expect(error?.found.isEmpty == false && error?.kind == .malformed)
  }

  @Test func `a fax that ends early is an error`() throws {
    var bytes = try Fixtures.bytes("Pictures/fax4.tif")
    // Pillow writes the strip first.
    for index in 12..<16 { bytes[index] = 0 }
    #expect(throws: DataError.self) { try Image(decoding: bytes) }
  }

  static let files: [String] = Set(ExpectedPicture.all.map(\.file)).filter { $0.hasSuffix(".tif") }.sorted()

  @Test(arguments: files)
  func `a cut file is an error or whole`(name: String) throws {
    let bytes = try Fixtures.bytes("Pictures/\(name)")
    let size = try Image(decoding: bytes)
    for length in stride(from: 0, to: bytes.count, by: 13) {
      do {
        let image = try Image(decoding: Array(bytes[..<length]))
        #expect((image.width, image.height) == (size.width, size.height))
      } catch {
        #expect(error.isAboutFile)
      }
    }
  }

  @Test(arguments: files)
  func `changed bytes never end the program`(name: String) throws {
    let bytes = try Fixtures.bytes("Pictures/\(name)")
    let noise = Fixtures.noise(count: 400, seed: UInt64(bytes.count))
    for round in 0..<100 {
      var changed = bytes
      let place = (Int(noise[4 * round]) << 8 | Int(noise[4 * round + 1])) % bytes.count
      changed[place] = noise[4 * round + 2] < 128 ? noise[4 * round + 3] : changed[place] ^ 0x80
      for range in [SampleRange.full, .percentile(1, 99)] {
        do {
          _ = try Image(decoding: changed, reading: PictureReading(range: range))
        } catch {
          #expect(error.isAboutFile || error.kind == .invalidArgument)
        }
      }
      _ = try? LabelMask(decoding: changed)
    }
  }
}

extension DataError {
  fileprivate var isAboutFile: Bool { kind == .malformed || kind == .unsupported }
}
