import Base
import Images
import Testing

/// JPEG files with flaws that cost no pixel, as cameras and programs write them.
@Suite struct FlawedJPEGTests {
  private static let names = ["half_chroma", "grey", "rgb", "cmyk", "progressive"]

  /// Reads the changed file: the pixels must be those of the file as it was.
  private func notices(
    _ name: String, _ change: ([UInt8]) throws -> [UInt8]
  ) throws -> [Notice] {
    let bytes = try Fixtures.bytes("images/\(name).jpg")
    let notices = Notices()
    #expect(try Image(decoding: change(bytes), name: name, notices: notices) == Image(decoding: bytes))
    return notices.all.filter { !$0.text.hasPrefix("CMYK") }
  }

  private func place(of marker: UInt8, in file: [UInt8]) throws -> Int {
    try #require(file.indices.dropLast().first { file[$0] == 0xFF && file[$0 + 1] == marker })
  }

  @Test(arguments: ["half_chroma", "grey", "rgb", "cmyk"], [0, 1, 62, 255] as [UInt8])
  func `unused parameters of a scan may be odd`(name: String, end: UInt8) throws {
    for offset in 0...2 {
      let found = try notices(name) { file in
        let scan = try place(of: 0xDA, in: file)
        var changed = file
        changed[scan + 5 + 2 * Int(file[scan + 4]) + offset] = end
        return changed
      }
      // The first and the third are 0 in the standard.
      #expect(found.map(\.kind) == (offset != 1 && end == 0 ? [] : [.suspicious]))
    }
  }

  @Test(arguments: names)
  func `stray bytes before a marker of the header are skipped`(name: String) throws {
    for marker: UInt8 in [0xDB, 0xC4, 0xDA] {
      let found = try notices(name) { file in
        let place = try place(of: marker, in: file)
        return file[..<place] + [1, 2, 3, 0] + file[place...]
      }
      #expect(found.map(\.kind) == [.suspicious])
    }
  }

  @Test(arguments: names)
  func `bytes between the picture and the end are let pass`(name: String) throws {
    // The decoder may read up to 8 of them ahead.
    for junk in [Array(repeating: 0, count: 12), Array(1...30)] as [[UInt8]] {
      let found = try notices(name) { Array($0.dropLast(2)) + junk + Array($0.suffix(2)) }
      #expect(found.map(\.kind) == [.suspicious])
    }
  }

  @Test(arguments: names)
  func `what follows the end is left out`(name: String) throws {
    let film = Array("\0\0\0\u{18}ftypmp42".utf8) + Fixtures.noise(count: 300, seed: 1)
    #expect(try notices(name) { $0 + film }.map(\.kind) == [.leftOut])
    #expect(try notices(name) { $0 + $0 }.map(\.kind) == [.leftOut])
    #expect(try notices(name) { $0 + Array(repeating: 0, count: 500) }.isEmpty)
    // Phones announce further pictures, which is no flaw.
    let index = Metadata.segment(0xE2, Array("MPF\0II*\0".utf8) + Array(repeating: 0, count: 20))
    #expect(try notices(name) { Metadata.jpeg($0, with: index) + $0 }.isEmpty)
  }

  @Test(arguments: names)
  func `segments of other programs are no flaw`(name: String) throws {
    for marker: UInt8 in [0xE3, 0xE5, 0xEB, 0xED, 0xEF, 0xFE] {
      let segment = Metadata.segment(marker, Fixtures.noise(count: 50, seed: UInt64(marker)))
      #expect(try notices(name) { Metadata.jpeg($0, with: segment) }.isEmpty)
    }
    #expect(try notices(name) { Metadata.jpeg($0, with: [0xFF, 0xFF, 0xFF]) }.isEmpty)
  }

  @Test func `unknown versions and colour transforms are told`() throws {
    let version = try notices("half_chroma") { file in
      let place = try place(of: 0xE0, in: file)
      var changed = file
      changed[place + 9] = 7
      return changed
    }
    #expect(version.map(\.kind) == [.suspicious])
    let adobe = Metadata.segment(0xEE, Array("Adobe".utf8) + [0, 100, 0, 0, 0, 0, 7])
    let transform = try notices("half_chroma") { file in
      let place = try place(of: 0xE0, in: file)
      return file[..<place] + adobe + file[(place + 18)...]
    }
    #expect(transform.map(\.kind) == [.guessed])
  }

  @Test func `CMYK is told`() throws {
    let notices = Notices()
    _ = try Image(contentsOf: Fixtures.path("images/cmyk.jpg"), notices: notices)
    #expect(notices.all.map(\.kind) == [.guessed])
  }

  @Test func `a sound file makes no notice`() throws {
    for name in ["half_chroma", "progressive", "grey", "rgb", "quarter_chroma", "third_chroma"] {
      let notices = Notices()
      _ = try Image(contentsOf: Fixtures.path("images/\(name).jpg"), notices: notices)
      #expect(notices.all.isEmpty)
    }
  }

  @Test func `several flaws at once are told each`() throws {
    let found = try notices("half_chroma") { file in
      let scan = try place(of: 0xDA, in: file)
      var changed = file
      changed[scan + 5 + 2 * Int(file[scan + 4]) + 1] = 0
      return changed[..<scan] + [7, 7, 7] + changed[scan...] + [1]
    }
    #expect(found.map(\.kind) == [.suspicious, .suspicious, .leftOut])
  }

  @Test func `flaws that cost pixels are errors beside harmless ones`() throws {
    let file = try Fixtures.bytes("images/half_chroma.jpg")
    let scan = try place(of: 0xDA, in: file)
    var changed = file
    changed[scan + 5 + 2 * Int(file[scan + 4]) + 1] = 0
    let end: [UInt8] = [0xFF, 0xD9]
    for cut in [scan + 20, file.count - 40, file.count - 3] {
      #expect(throws: DataError.self) { try Image(decoding: changed[..<cut] + end) }
    }
    // A restart marker in the middle of the data.
    #expect(throws: DataError.self) {
      try Image(decoding: changed[..<(scan + 60)] + [0xFF, 0xD3] + changed[(scan + 60)...])
    }
  }

  @Test func `a file that ends in order before all components came is refused`() throws {
    let grey = try Fixtures.bytes("images/grey.jpg")
    let frame = try place(of: 0xC0, in: grey)
    let component = Array(grey[frame + 10..<frame + 13])
    try #require(grey[frame + 3] == 11 && component[0] == 1)
    // The frame promises two components more, which are in no scan.
    var file = grey
    file.insert(contentsOf: [2] + component[1...] + [3] + component[1...], at: frame + 13)
    file[frame + 3] = 17
    file[frame + 9] = 3
    let error = #expect(throws: DataError.self) { try Image(decoding: file) }
    #expect(error?.found.contains("component") == true)
  }
}
