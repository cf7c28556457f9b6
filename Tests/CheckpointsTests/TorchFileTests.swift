import Checkpoints
import TestSupport
import Testing

@Suite("PyTorch files")
struct TorchFileTests {
  let folder: TemporaryFolder
  static let four: [UInt8] = .init(of: [1, 2, 3, 4] as [Float])
  static let dictionary = Pickle.dictionary([
    ("w", Pickle.tensor(Pickle.storage("0", count: 4), shape: [2, 2], strides: [2, 1])),
    ("epoch", Pickle.integer(3)),
  ])

  init() throws { folder = try TemporaryFolder() }

  func open(_ zip: ZipBytes) throws -> Checkpoint {
    try Checkpoint(contentsOf: folder.file("test.pt", zip.bytes))
  }

  /// A sound file, to be damaged.
  static var sound: ZipBytes {
    var zip = ZipBytes()
    zip.entries = [
      ZipBytes.Entry("any name/data.pkl", Pickle.file(dictionary)), ZipBytes.Entry("any name/data/0", four),
    ]
    return zip
  }

  // MARK: Zip

  @Test("names, shapes and values, in any folder, with ZIP64 fields and a comment")
  func sound() throws {
    for variant in 0..<4 {
      var zip = Self.sound
      if variant == 1 { zip.entries[1].isZip64 = true }
      if variant == 2 { zip.hasEndRecord64 = true }
      if variant == 3 {
        zip.comment = Array("PK comment".utf8)
        zip.alignment = 1
      }
      let checkpoint = try open(zip)
      #expect(checkpoint.format == .torchZip)
      #expect(checkpoint.entries.map(\.path) == ["w", "epoch"])
      #expect(checkpoint.tensors.map(\.array.shape) == [[2, 2]])
      #expect(try checkpoint.tensor(named: "w").elements == [1, 2, 3, 4], "\(variant)")
      expectRefusal(mentions: "test.pt", "v") { _ = try checkpoint.tensor(named: "v") }
      expectRefusal(mentions: "plain value") { _ = try checkpoint.tensor(named: "epoch") }
    }
  }

  @Test("big-endian files")
  func bigEndian() throws {
    var zip = Self.sound
    zip.entries[1].data = [0x3F, 0x80, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0, 0x7F, 0x80, 0, 0]
    zip.entries.append(ZipBytes.Entry("any name/byteorder", Array("big".utf8)))
    #expect(try open(zip).tensor(named: "w").elements == [1, -2, 0, .infinity])
    zip.entries[2] = ZipBytes.Entry("any name/byteorder", Array("pdp".utf8))
    expectRefusal(mentions: "byteorder", "pdp") { _ = try open(zip) }
  }

  /// A way to damage the directory of a zip file.
  struct Lie: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let change: @Sendable (inout ZipBytes) -> Void

    init(_ name: String, _ change: @escaping @Sendable (inout ZipBytes) -> Void) {
      testDescription = name
      self.change = change
    }

    static let all = [
      Lie("offset beyond the file") { $0.entries[1].offset = 1 << 30 },
      Lie("offset of another entry") { $0.entries[1].offset = 0 },
      Lie("offset into the middle") { $0.entries[0].offset = 7 },
      Lie("ZIP64 offset near the largest number") {
        $0.entries[1].isZip64 = true
        $0.entries[1].offset = .max
      },
      Lie("negative ZIP64 offset") {
        $0.entries[1].isZip64 = true
        $0.entries[1].offset = -1
      },
      Lie("size beyond the file") {
        $0.entries[1].size = 1 << 30
        $0.entries[1].compressedSize = 1 << 30
      },
      Lie("ZIP64 size near the largest number") {
        $0.entries[1].isZip64 = true
        $0.entries[1].size = .max
        $0.entries[1].compressedSize = .max
      },
      Lie("two sizes of an uncompressed entry") { $0.entries[1].size = 8 },
      Lie("another name in the local header") { $0.entries[1].localName = "any name/data/1" },
      Lie("another size in the local header") { $0.entries[1].localSize = 8 },
      Lie("names twice") { $0.entries.append($0.entries[1]) },
      Lie("more entries than there are") { $0.count = 3 },
      Lie("as many entries as fit into no file") {
        $0.hasEndRecord64 = true
        $0.count = .max
      },
      Lie("directory beyond the file") { $0.directoryOffset = 1 << 30 },
      Lie("directory of negative size") {
        $0.hasEndRecord64 = true
        $0.directorySize = -1
      },
      Lie("directory too large") { $0.directorySize = 1 << 30 },
      Lie("encrypted entry") { $0.entries[0].flags = 1 },
      Lie("compressed entry") { $0.entries[1].method = 8 },
      Lie("unknown compression") { $0.entries[0].method = 99 },
      Lie("no data.pkl") { $0.entries.removeFirst() },
      Lie("no storage") { $0.entries.removeLast() },
      Lie("no entries") { $0.entries = [] },
    ]
  }

  @Test("directories that lie", arguments: Lie.all)
  func lies(lie: Lie) {
    var zip = Self.sound
    lie.change(&zip)
    expectRefusal(mentions: "test.pt") { _ = try open(zip) }
  }

  // MARK: Stream

  func openLegacy(_ bytes: [UInt8]) throws -> Checkpoint {
    try Checkpoint(contentsOf: folder.file("old.pt", bytes))
  }

  @Test("the older stream, with a storage that is a view of another")
  func legacy() throws {
    let view = Pickle.tuple([Pickle.string("v"), Pickle.integer(1), Pickle.integer(2)])
    let tensor = Pickle.tensor(Pickle.storage("7", count: 4, view: view), shape: [2], strides: [1])
    let whole = Pickle.tensor(Pickle.storage("7", count: 4, view: Pickle.none), shape: [4], strides: [1])
    let file = TorchBytes.legacy(
      Pickle.dictionary([("part", tensor), ("all", whole)]), storages: [("7", 4, Self.four)])
    let checkpoint = try openLegacy(file)
    #expect(checkpoint.format == .torchLegacy)
    #expect(try checkpoint.tensor(named: "part").elements == [2, 3])
    #expect(try checkpoint.tensor(named: "all").elements == [1, 2, 3, 4])
  }

  @Test("streams that lie")
  func legacyLies() {
    func file(_ storages: [(key: String, count: Int, bytes: [UInt8])]) -> [UInt8] {
      TorchBytes.legacy(Self.dictionary, storages: storages)
    }
    expectRefusal(.malformed, mentions: "storage 0") { _ = try openLegacy(file([])) }
    for count in [-1, 5, .max, .min, 1 << 62] {
      expectRefusal(.malformed, mentions: "storage 0", "old.pt") {
        _ = try openLegacy(file([("0", count, Self.four)]))
      }
    }
    expectRefusal(.malformed, mentions: "4 elements") {
      _ = try openLegacy(file([("0", 1, Array(Self.four[..<4]))]))
    }
    expectRefusal(.malformed, mentions: "storage 1") {
      _ = try openLegacy(file([("0", 4, Self.four), ("1", 0, [])]))
    }
    expectRefusal(.malformed, mentions: "twice") {
      _ = try openLegacy(file([("0", 4, Self.four), ("0", 4, Self.four)]))
    }
    let outside = Pickle.tuple([Pickle.string("v"), Pickle.integer(3), Pickle.integer(.max)])
    expectRefusal(.malformed, mentions: "view inside storage") {
      _ = try openLegacy(TorchBytes.legacy(Pickle.storage("0", count: 4, view: outside), storages: []))
    }
    let two = Pickle.list([Pickle.storage("0", count: 4), Pickle.storage("0", "LongStorage", count: 4)])
    expectRefusal(.malformed, mentions: "one element type") { _ = try openLegacy(TorchBytes.legacy(two)) }
    expectRefusal(.malformed, mentions: "magic number") { _ = try openLegacy(Pickle.file(Pickle.integer(1))) }
    var version = file([("0", 4, Self.four)])
    version[19] = 0
    expectRefusal(.malformed, mentions: "protocol version") { _ = try openLegacy(version) }
  }

  // MARK: Neither

  @Test(
    "files that are no checkpoints are told by their content",
    arguments: [
      ("empty.pt", []), ("text.pt", Array("not a checkpoint".utf8)), ("cut.pt", Array("PK".utf8)),
      ("byte.pt", [0x80]), ("brace.pt", Array("12345678{".utf8)), ("empty.safetensors", []),
      ("text.safetensors", Array("not a checkpoint".utf8)),
    ] as [(String, [UInt8])])
  func neither(name: String, bytes: [UInt8]) {
    expectRefusal(.malformed, mentions: name) { _ = try Checkpoint(contentsOf: folder.file(name, bytes)) }
  }

  @Test("no file, and a folder")
  func noFile() {
    expectRefusal(.noInput, mentions: "absent.pt") {
      _ = try Checkpoint(contentsOf: folder.path("absent.pt"))
    }
    expectRefusal(.noInput) { _ = try Checkpoint(contentsOf: folder.url.path) }
  }
}
