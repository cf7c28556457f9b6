import Checkpoints
import TensorCore
import TestSupport
import Testing

@Suite("Pickles in PyTorch files")
struct PickleTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func open(_ object: [UInt8], storages: [String: [UInt8]] = [:]) throws -> Checkpoint {
    try Checkpoint(contentsOf: folder.file("test.pt", TorchBytes.zip(object, storages: storages)))
  }

  /// Opens a file that holds the bytes as `data.pkl`, whatever they are.
  func openRaw(_ pickle: [UInt8]) throws -> Checkpoint {
    var zip = ZipBytes()
    zip.entries = [ZipBytes.Entry("x/data.pkl", pickle, crc: 0)]
    return try Checkpoint(contentsOf: folder.file("test.pt", zip.bytes))
  }

  // MARK: Values

  @Test(
    "numbers of all instructions",
    arguments: [
      ([0x4B, 200], 200), ([0x4D, 0x34, 0x12], 0x1234), ([0x4A, 0xFE, 0xFF, 0xFF, 0xFF], -2),
      ([0x8A, 0], 0), ([0x8A, 1, 0x80], -128), ([0x8A, 2, 0xFF, 0], 255),
      ([0x8A, 8, 0, 0, 0, 0, 0, 0, 0, 0x80], Int.min), ([0x8B, 3, 0, 0, 0, 0, 0, 1], 0x10000),
      (Array("I-17\n".utf8), -17), (Array("L123456789012L\n".utf8), 123_456_789_012),
    ] as [([UInt8], Int)])
  func integers(pickle: [UInt8], expected: Int) throws {
    guard case .integer(let value) = try openRaw([0x80, 2] + pickle + [0x2E]).root else {
      Issue.record("not an integer")
      return
    }
    #expect(value == expected)
  }

  @Test("protocol 4 with frames, short strings and the implicit memo")
  func protocol4() throws {
    var pickle: [UInt8] = [0x80, 4, 0x95, 40, 0, 0, 0, 0, 0, 0, 0]
    pickle += [0x7D, 0x94, 0x28, 0x8C, 1] + "a".utf8 + [0x94]
    pickle +=
      [0x8C, 11] + "collections".utf8 + [0x94, 0x8C, 11] + "OrderedDict".utf8 + [0x94, 0x93, 0x29, 0x52]
    pickle += [0x8C, 1] + "b".utf8 + [0x68, 1, 0x75, 0x2E]
    let checkpoint = try openRaw(pickle)
    guard case .string("a") = checkpoint["b"] else {
      Issue.record("\(checkpoint.root)")
      return
    }
  }

  @Test("protocol 1 with truth values, lists and dictionaries in their old form")
  func protocol1() throws {
    let pickle = Array("(".utf8) + Pickle.string("k") + "(I01\nI00\nNF2.5\nld.".utf8
    let checkpoint = try openRaw(pickle)
    #expect(checkpoint.entries.map(\.path) == ["k/0", "k/1", "k/2", "k/3"])
    guard case .bool(true) = checkpoint["k/0"], case .bool(false) = checkpoint["k/1"],
      case .none? = checkpoint["k/2"],
      case .double(2.5) = checkpoint["k/3"]
    else {
      Issue.record("\(checkpoint.root)")
      return
    }
  }

  @Test("a key that comes again keeps its place and takes the new value")
  func repeatedKey() throws {
    let checkpoint = try open(
      Pickle.dictionary([("a", Pickle.integer(1)), ("b", Pickle.integer(2)), ("a", Pickle.integer(3))]))
    #expect(checkpoint.entries.map(\.path) == ["a", "b"])
    guard case .integer(3) = checkpoint["a"] else {
      Issue.record("\(checkpoint.root)")
      return
    }
  }

  @Test("an ordered dictionary built from pairs, as Python 2 wrote it")
  func pairs() throws {
    let pair = Pickle.list([Pickle.string("w"), Pickle.integer(7)])
    let checkpoint = try open(Pickle.call("collections", "OrderedDict", [Pickle.list([pair])]))
    #expect(checkpoint.entries.map(\.path) == ["w"])
  }

  @Test("tensors of untyped storages, with the type as an argument")
  func version3() throws {
    let storage =
      Pickle.tuple([
        Pickle.string("storage"), Pickle.global("torch.storage", "UntypedStorage"), Pickle.string("0"),
        Pickle.string("cpu"), Pickle.integer(8),
      ]) + [0x51]
    let tensor = Pickle.call(
      "torch._utils", "_rebuild_tensor_v3",
      [
        storage, Pickle.integer(1), Pickle.integers([3]), Pickle.integers([1]), [0x89], Pickle.none,
        Pickle.global("torch", "uint16"),
      ])
    let checkpoint = try open(
      Pickle.dictionary([("t", tensor)]), storages: ["0": .init(of: [1, 2, 65535, 4] as [UInt16])])
    let array = try checkpoint.array(named: "t")
    #expect(array.elementType == .uint16 && array.int64s() == [2, 65535, 4])
  }

  // MARK: Code

  @Test(
    "names beyond the allowed ones are refused by name",
    arguments: [
      ("posix", "system"), ("os", "system"), ("builtins", "eval"), ("__builtin__", "exec"), ("torch", "load"),
      ("torch.storage", "_load_from_bytes"), ("numpy.core.multiarray", "_reconstruct"),
      ("collections", "defaultdict"),
      ("subprocess", "Popen"), ("torch", "ComplexFloatStorage"),
    ])
  func refusedGlobals(module: String, name: String) {
    expectRefusal(.unsupported, mentions: "\(module).\(name)", "test.pt", "archive/data.pkl") {
      _ = try open(Pickle.call(module, name, [Pickle.string("echo owned")]))
    }
  }

  @Test("the same by the other instructions that name things")
  func otherInstructions() {
    let command = Pickle.string("true")
    expectRefusal(.unsupported, mentions: "posix.system") {
      _ = try openRaw(
        [0x80, 4, 0x8C, 5] + "posix".utf8 + [0x8C, 6] + "system".utf8 + [0x93] + Pickle.tuple([command]) + [
          0x52, 0x2E,
        ])
    }
    expectRefusal(.unsupported, mentions: "posix.system") {
      _ = try openRaw([0x28] + command + "iposix\nsystem\n.".utf8)
    }
    // Of a known name too, instances are made of nothing.
    expectRefusal(.unsupported, mentions: "collections.OrderedDict") {
      _ = try openRaw("(icollections\nOrderedDict\n.".utf8 + [])
    }
    expectRefusal(.unsupported, mentions: "posix.system") {
      _ = try open(Pickle.global("posix", "system") + Pickle.tuple([command]) + [0x81])
    }
    expectRefusal(.unsupported, mentions: "posix.system") {
      _ = try open(Pickle.mark + Pickle.global("posix", "system") + command + [0x6F])
    }
    expectRefusal(.unsupported, mentions: "extension 7") { _ = try openRaw([0x80, 2, 0x82, 7, 0x2E]) }
    // BUFFER, PERSID.
    for byte: UInt8 in [0x97, 0x50] {
      expectRefusal(.unsupported, mentions: "0x\(String(byte, radix: 16))") {
        _ = try openRaw([0x80, 2, byte, 0x2E])
      }
    }
  }

  @Test("attributes on anything but a dictionary are refused")
  func attributes() throws {
    let state = Pickle.dictionary([("_metadata", Pickle.emptyDictionary)])
    _ = try open(Pickle.emptyDictionary + state + [0x62])
    expectRefusal(.unsupported, mentions: "attributes") { _ = try open(Pickle.emptyList + state + [0x62]) }
    expectRefusal(.unsupported, mentions: "attributes") {
      _ = try open(Pickle.emptyDictionary + Pickle.string("x") + [0x62])
    }
  }

  @Test("a module in place of a storage is refused")
  func moduleID() {
    let id = Pickle.tuple((0..<5).map { _ in Pickle.string("module") })
    expectRefusal(.unsupported, mentions: "a module") { _ = try open(id + [0x51]) }
  }

  @Test("a tensor that is to be negated is refused")
  func negated() {
    let tensor = Pickle.tensor(
      Pickle.storage("0", count: 1), shape: [1], strides: [1], extra: [Pickle.dictionary([("neg", [0x88])])])
    expectRefusal(.unsupported, mentions: "negated") { _ = try open(tensor, storages: ["0": [0, 0, 0, 0]]) }
  }

  // MARK: Bombs

  static let tensor = Pickle.tensor(Pickle.storage("0", count: 1), shape: [1], strides: [1])

  @Test("a list that holds itself, with a tensor or without")
  func cycle() throws {
    let loop = Pickle.emptyList + Pickle.put(0) + Pickle.get(0) + Pickle.append
    #expect(try open(loop).entries.count == 1)
    expectRefusal(.unsupported, mentions: "deep") {
      _ = try open(loop + Self.tensor + Pickle.append, storages: ["0": [0, 0, 0, 0]])
    }
  }

  @Test("lists nested 100,000 deep around a tensor")
  func deepNesting() throws {
    let lists =
      [UInt8](repeating: 0x5D, count: 100_000) + Self.tensor + [UInt8](repeating: 0x61, count: 100_000)
    expectRefusal(.unsupported, mentions: "deep") { _ = try open(lists, storages: ["0": [0, 0, 0, 0]]) }
    let tuples = Self.tensor + [UInt8](repeating: 0x85, count: 100_000)
    expectRefusal(.unsupported, mentions: "deep") { _ = try open(tuples, storages: ["0": [0, 0, 0, 0]]) }
    // Without one, what is too deep is left out.
    let empty = Pickle.emptyTuple + [UInt8](repeating: 0x85, count: 100_000)
    #expect(try open(empty).entries.count == 1)
  }

  @Test("lists that hold the one before many times", arguments: [true, false])
  func memoBomb(holdsTensor: Bool) throws {
    var pickle = (holdsTensor ? Pickle.tuple([Self.tensor]) : Pickle.emptyList) + Pickle.put(0)
    for level: UInt8 in 1...20 {
      pickle += Pickle.emptyList + Pickle.put(level) + Pickle.mark
      pickle += (0..<10).flatMap { _ in Pickle.get(level - 1) } + [0x65]
    }
    if holdsTensor {
      expectRefusal(.unsupported, mentions: "values") {
        _ = try open(Pickle.tuple([pickle]), storages: ["0": [0, 0, 0, 0]])
      }
    } else {
      #expect(try open(Pickle.tuple([pickle])).entries.count < 200_000)
    }
  }

  @Test("long keys on many paths")
  func pathBomb() throws {
    let key = Pickle.string(String(repeating: "k", count: 100_000))
    let inner = Pickle.mark + (0..<10_000).flatMap { _ in Pickle.none } + [0x74]
    let beside = try open(Pickle.emptyDictionary + key + inner + [0x73])
    #expect(beside.entries.reduce(0) { $0 + $1.path.utf8.count } < 200 << 20)
    let tensors =
      Pickle.mark + Self.tensor + Pickle.put(9) + (0..<10_000).flatMap { _ in Pickle.get(9) } + [0x74]
    expectRefusal(.unsupported) {
      _ = try open(Pickle.emptyDictionary + key + tensors + [0x73], storages: ["0": [0, 0, 0, 0]])
    }
  }

  @Test("a long list of pairs turned into a dictionary again and again")
  func workBomb() {
    let pair = Pickle.tuple([Pickle.string("k"), Pickle.none])
    let pairs =
      Pickle.emptyList + Pickle.mark + pair + Pickle.put(0) + (0..<100_000).flatMap { _ in Pickle.get(0) } + [
        0x65
      ]
    let call = Pickle.global("collections", "OrderedDict") + Pickle.get(1) + [0x85, 0x52, 0x30]
    expectRefusal(.unsupported, mentions: "instructions") {
      _ = try open(pairs + Pickle.put(1) + (0..<100_000).flatMap { _ in call })
    }
  }

  @Test("one long key set again and again")
  func hashingBomb() {
    let key = Pickle.string(String(repeating: "k", count: 1_000_000)) + Pickle.put(0) + [0x30]
    let item = Pickle.get(0) + Pickle.none + [0x73]
    expectRefusal(.unsupported, mentions: "instructions") {
      _ = try open(key + Pickle.emptyDictionary + (0..<20_000).flatMap { _ in item })
    }
  }

  @Test(
    "too many objects, instructions and bytes",
    arguments: [
      (UInt8(0x5D), 5_000_000), (UInt8(0x28), 17_000_000),
    ])
  func quantity(instruction: UInt8, count: Int) {
    expectRefusal(.unsupported, mentions: "reasonable size") {
      _ = try openRaw([UInt8](repeating: instruction, count: count))
    }
  }

  @Test(
    "strings and integers that claim to be huge",
    arguments: [
      [0x58, 0xFF, 0xFF, 0xFF, 0xFF], [0x8D, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
      [0x54, 0xFF, 0xFF, 0xFF, 0xFF], [0x54, 0, 0, 0, 0x80], [0x8B, 0xFF, 0xFF, 0xFF, 0x7F],
      [0x8B, 0xFF, 0xFF, 0xFF, 0xFF], [0x8A, 0xFF],
    ] as [[UInt8]])
  func lyingLengths(pickle: [UInt8]) {
    expectRefusal { _ = try openRaw([0x80, 2] + pickle + [1, 2, 3, 0x2E]) }
  }

  // MARK: Damage

  @Test(
    "instructions that find the stack, the memo or their operands wanting",
    arguments: [
      [0x2E], [0x30, 0x2E], [0x31, 0x2E], [0x32, 0x2E], [0x61, 0x2E], [0x5D, 0x61, 0x2E],
      [0x28, 0x5D, 0x65, 0x2E],
      [0x5D, 0x28, 0x61, 0x2E], [0x5D, 0x4E, 0x28, 0x61, 0x74, 0x2E], [0x7D, 0x28, 0x4E, 0x75, 0x2E],
      [0x7D, 0x5D, 0x4E, 0x73, 0x2E],
      [0x4E, 0x4E, 0x2E],
      [0x28, 0x4E, 0x2E], [0x68, 9, 0x2E], [0x6A, 0xFF, 0xFF, 0xFF, 0xFF, 0x2E], [0x71, 0, 0x2E],
      [0x74, 0x2E],
      [0x85, 0x2E], [0x52, 0x2E], [0x4E, 0x29, 0x52, 0x2E], [0x4E, 0x4E, 0x93, 0x2E], [0x62, 0x2E],
      [0x51, 0x2E],
      [0x29, 0x51, 0x2E], [0x58, 2, 0, 0, 0, 0xFF, 0xFE, 0x2E], [0x80, 6, 0x2E], [], [0x80], [0x80, 2],
      [0x63, 0x61, 0x0A], Array("I1x\n.".utf8), Array("gx\n.".utf8), Array("Fx\n.".utf8),
    ] as [[UInt8]])
  func nonsense(pickle: [UInt8]) {
    expectRefusal { _ = try openRaw(pickle) }
  }

  @Test("arguments of the wrong kind or number")
  func wrongArguments() {
    let storage = Pickle.storage("0", count: 4)
    let calls: [[UInt8]] = [
      Pickle.call("torch._utils", "_rebuild_tensor_v2", []),
      Pickle.call(
        "torch._utils", "_rebuild_tensor", [storage, Pickle.none, Pickle.emptyTuple, Pickle.emptyTuple]),
      Pickle.call(
        "torch._utils", "_rebuild_tensor",
        [storage, Pickle.integer(-1), Pickle.emptyTuple, Pickle.emptyTuple]),
      Pickle.call(
        "torch._utils", "_rebuild_tensor",
        [Pickle.none, Pickle.integer(0), Pickle.emptyTuple, Pickle.emptyTuple]),
      Pickle.call(
        "torch._utils", "_rebuild_tensor", [storage, Pickle.integer(0), Pickle.emptyList, Pickle.emptyTuple]),
      Pickle.call(
        "torch._utils", "_rebuild_tensor",
        [
          storage, Pickle.integer(0), Pickle.integers([Int](repeating: 1, count: 65)),
          Pickle.integers([Int](repeating: 1, count: 65)),
        ]),
      Pickle.call("torch._utils", "_rebuild_parameter", [Pickle.none]),
      Pickle.call("torch", "Size", []),
      Pickle.call("torch", "FloatStorage", []),
      Pickle.call("collections", "OrderedDict", [Pickle.none]),
      Pickle.call("collections", "OrderedDict", [Pickle.list([Pickle.integers([1])])]),
    ]
    for call in calls {
      expectRefusal { _ = try open(call, storages: ["0": [UInt8](repeating: 0, count: 16)]) }
    }
  }

}
