import CZlib
import Checkpoints
import Foundation
import TestSupport
import Testing

@Suite("Archives of NumPy arrays")
struct NpzTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func open(_ entries: [ZipBytes.Entry]) throws -> NpzFile {
    var zip = ZipBytes()
    zip.entries = entries
    return try NpzFile(contentsOf: folder.file("test.npz", zip.bytes))
  }

  /// Deflated data as they stand in zip files.
  static func deflate(_ bytes: [UInt8]) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: Int(compressBound(UInt(bytes.count))))
    var size = UInt(output.count)
    precondition(compress(&output, &size, bytes, UInt(bytes.count)) == Z_OK)
    // Without the two bytes before and the checksum after them that zlib adds.
    return Array(output[2..<Int(size) - 4])
  }

  static func deflatedEntry(_ name: String, _ content: [UInt8]) -> ZipBytes.Entry {
    let crc = crc32_z(0, content, content.count)
    var entry = ZipBytes.Entry(name, content, crc: UInt32(crc))
    entry.data = deflate(content)
    entry.compressedSize = entry.data.count
    entry.method = 8
    return entry
  }

  static let bytes = NumpyTests.npy("'|u1'", shape: "(1000,)", data: [UInt8](repeating: 3, count: 1000))

  @Test("stored and deflated entries; others are not listed")
  func entries() throws {
    let file = try open([
      ZipBytes.Entry("b.npy", Self.bytes), ZipBytes.Entry("note.txt", [1]),
      Self.deflatedEntry("a/c.npy", Self.bytes),
    ])
    #expect(file.names == ["b", "a/c"])
    for name in file.names {
      #expect(try file.array(named: name).uint8s() == [UInt8](repeating: 3, count: 1000))
    }
    expectRefusal(.malformed, mentions: "test.npz", "note", "b, a/c") { _ = try file.array(named: "note") }
  }

  /// A way to damage an entry.
  struct Lie: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let change: @Sendable (inout ZipBytes.Entry) -> Void

    init(_ name: String, _ change: @escaping @Sendable (inout ZipBytes.Entry) -> Void) {
      testDescription = name
      self.change = change
    }

    static let all = [
      Lie("larger than declared") { $0.size = 500 },
      Lie("smaller than declared") { $0.size = 5000 },
      Lie("declared as a terabyte") {
        $0.isZip64 = true
        $0.size = 1 << 40
      },
      Lie("declared as the largest number") {
        $0.isZip64 = true
        $0.size = .max
      },
      Lie("declared as nothing") { $0.size = 0 },
      Lie("cut short") {
        $0.data.removeLast(4)
        $0.compressedSize -= 4
      },
      Lie("followed by more") {
        $0.data += [0, 0, 0]
        $0.compressedSize += 3
      },
      Lie("empty") {
        $0.data = []
        $0.compressedSize = 0
      },
      Lie("damaged") { $0.data[0] = 0xFF },
      Lie("of another checksum") { $0.crc ^= 1 },
      Lie("not deflated at all") {
        $0.data = bytes
        $0.compressedSize = bytes.count
      },
    ]
  }

  @Test("deflated data that are not what the directory says", arguments: Lie.all)
  func lies(lie: Lie) {
    var entry = Self.deflatedEntry("a.npy", Self.bytes)
    lie.change(&entry)
    expectRefusal(mentions: "test.npz", "a") { _ = try open([entry]).array(named: "a") }
  }

  @Test("a megabyte that inflates to a gigabyte is not inflated when it says less")
  func bomb() {
    var entry = Self.deflatedEntry("a.npy", [UInt8](repeating: 0, count: 64 << 20))
    entry.size = 1000
    let error = expectRefusal(.malformed, mentions: "a.npy") { _ = try open([entry]).array(named: "a") }
    #expect(error?.expected.contains("1000") == true)
  }

  @Test("an uncompressed entry with a wrong checksum")
  func checksum() {
    expectRefusal(.malformed, mentions: "checksum") {
      _ = try open([ZipBytes.Entry("a.npy", Self.bytes, crc: 7)]).array(named: "a")
    }
  }

  @Test("an array inside that is damaged is named with its file")
  func damagedArray() {
    expectRefusal(.malformed, mentions: "test.npz", "a", "shape") {
      _ = try open([ZipBytes.Entry("a.npy", Array(Self.bytes[..<500]))]).array(named: "a")
    }
    expectRefusal(.unsupported, mentions: "test.npz", "'|O'") {
      _ = try open([ZipBytes.Entry("a.npy", NumpyTests.npy("'|O'", shape: "(1,)"))]).array(named: "a")
    }
  }

  @Test("what is written is read back in order, and twice the same bytes come out")
  func roundTrip() throws {
    let arrays = NumpyTests.samples.enumerated().map {
      NamedArray(name: "arr_\($0.offset)", array: $0.element)
    }
    try NpzFile.write(arrays, to: folder.path("a.npz"))
    try NpzFile.write(arrays, to: folder.path("b.npz"))
    let first = try Data(contentsOf: folder.url.appending(path: "a.npz"))
    #expect(try first == Data(contentsOf: folder.url.appending(path: "b.npz")))
    let file = try NpzFile(contentsOf: folder.path("a.npz"))
    #expect(file.names == arrays.map(\.name))
    for item in arrays {
      let back = try file.array(named: item.name)
      #expect(back.elementType == item.array.elementType && back.shape == item.array.shape)
      #expect(back.doubles() == item.array.doubles())
    }
  }

  @Test("names that come twice are refused and nothing is left behind")
  func writerRefusals() throws {
    let arrays = NumpyTests.samples.map { NamedArray(name: "same", array: $0) }
    expectRefusal(.invalidArgument, mentions: "same") { try NpzFile.write(arrays, to: folder.path("x.npz")) }
    let long = NamedArray(name: String(repeating: "x", count: 70_000), array: NumpyTests.samples[0])
    expectRefusal(.invalidArgument) { try NpzFile.write([long], to: folder.path("x.npz")) }
    #expect(try folder.content.isEmpty)
  }
}
